"""The stored result of an attempt: its challenge, its judgement, and the digests it depends on; every number exact."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cameo_challenges.model import Challenge, from_json, to_json
from cameo_verifier.reasons import Reason
from cameo_verifier.store.evidence.errors import AlteredEvidenceError
from cameo_verifier.types import CheckResult, Decision, Direction, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_verifier.types import Judgement

_VERSION = 1


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The result of an attempt; see `Judgement`."""

    challenge: Challenge
    decision: Decision
    checks: tuple[CheckResult, ...]
    profile: str
    minor_safeguards: bool
    digests: Mapping[str, str]

    @classmethod
    def of(cls, judgement: Judgement, challenge: Challenge) -> AttemptResult:
        """Return the result of a judgement."""
        return cls(
            challenge,
            judgement.decision,
            tuple(map(_exact, judgement.checks)),
            judgement.profile,
            judgement.minor_safeguards,
            dict(judgement.digests),
        )


def to_bytes(result: AttemptResult) -> bytes:
    """Return a result as JSON; a NaN or infinite score is kept, as Python writes it."""
    document = {
        "version": _VERSION,
        "challenge": to_json(result.challenge),
        "verdict": result.decision.verdict.value,
        "reasons": [reason.value for reason in result.decision.reasons],
        "checks": [{name: getattr(check, name) for name in CheckResult.__slots__} for check in result.checks],
        "profile": result.profile,
        "minor_safeguards": result.minor_safeguards,
        "digests": dict(result.digests),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def from_bytes(kept: bytes) -> AttemptResult:
    """Return the result in stored bytes.

    Raises:
        AlteredEvidenceError: it is not what `to_bytes` writes, or another version wrote it.
    """
    try:
        document = json.loads(kept)
        if document["version"] != _VERSION:
            raise AlteredEvidenceError(f"a result of version {document['version']}; this is version {_VERSION}")
        return AttemptResult(
            challenge=from_json(document["challenge"]),
            decision=Decision(Verdict(document["verdict"]), tuple(map(Reason, document["reasons"]))),
            checks=tuple(map(_check, document["checks"])),
            profile=document["profile"],
            minor_safeguards=document["minor_safeguards"],
            digests=document["digests"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise AlteredEvidenceError(f"the result is malformed: {type(error).__name__}") from None


def _exact(check: CheckResult) -> CheckResult:
    """Return a check with Python numbers in place of numpy scalars; each has the same value."""
    return CheckResult(
        check.name,
        check.outcome,
        None if check.score is None else float(check.score),
        check.unit,
        None if check.threshold is None else float(check.threshold),
        check.direction,
        check.reason,
        check.detail,
    )


def _check(document: dict[str, Any]) -> CheckResult:
    return CheckResult(
        **{
            **document,
            "outcome": Outcome(document["outcome"]),
            "direction": None if document["direction"] is None else Direction(document["direction"]),
            "reason": None if document["reason"] is None else Reason(document["reason"]),
        }
    )
