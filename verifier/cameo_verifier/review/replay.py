"""Replay: a stored attempt is judged again, and the judgement compared with the stored one.

From its tracks nothing is decoded and no model is loaded; from its recording the whole pipeline runs. The results of earlier
recordings and of the gallery are taken from the tracks in both cases: they are other people's data and may be deleted.

The digests of both judgements are compared. If none differs, every score must be equal to the last bit; if some do, they tell
what to examine before a score difference is taken for a fault.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from cameo_credential.errors import CameoError
from cameo_verifier.decision import counts_against
from cameo_verifier.evidence.tracks import from_bytes as tracks_from
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.pipeline import AFTERWARDS, KEPT, RECORDING, code_digest, verify
from cameo_verifier.review.rejudge import complete, rejudge
from cameo_verifier.store.attempts.result import from_bytes as result_from
from cameo_verifier.store.evidence.errors import EvidenceError
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import CheckResult, Circumstances, Decision, Judgement, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cameo_verifier.profile import Profile
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.attempts.result import AttemptResult
    from cameo_verifier.store.evidence.audit import Reader
    from cameo_verifier.store.evidence.evidence import EvidenceVault

_AT_ONCE = 100


class Source(StrEnum):
    """The evidence an attempt is judged again from."""

    TRACKS = "tracks"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Material:
    """The decrypted evidence of an attempt; pieces that could not be read are empty. `why`: the error of a needed piece."""

    attempt_id: str
    result: bytes = field(default=b"", repr=False)
    tracks: bytes = field(default=b"", repr=False)
    recording: bytes = field(default=b"", repr=False)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One judgement of an attempt. stopped_by: the checks that counted against it."""

    verdict: Verdict
    reasons: tuple[str, ...]
    checks: tuple[CheckResult, ...]
    stopped_by: tuple[str, ...]
    profile: str
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Replayed:
    """An attempt judged twice.

    changed: the digests that differ. exact: True if every check result is equal, its score to the last bit.
    """

    attempt_id: str
    before: Answer
    after: Answer
    changed: tuple[str, ...]
    exact: bool

    @property
    def reproduced(self) -> bool:
        """True if the same code, models, profile and settings gave the same result, bit for bit."""
        return self.exact and not self.changed

    @property
    def flipped_by(self) -> tuple[str, ...]:
        """The checks that count against the attempt in one judgement only; empty if the verdict is the same."""
        if self.before.verdict is self.after.verdict:
            return ()
        one, other = set(self.before.stopped_by), set(self.after.stopped_by)
        return tuple(sorted(one ^ other))


@dataclass(frozen=True, slots=True)
class NotReplayed:
    """An attempt that could not be judged again, and why."""

    attempt_id: str
    why: str


Replay = Callable[[Material], Replayed | NotReplayed]


@dataclass(frozen=True, slots=True)
class OpenReplay:
    """Factory of a replay; picklable, to be called once in another process."""

    profile: Profile
    source: Source
    settings: Settings

    def __call__(self) -> Replay:
        """Open what is needed: for recordings the models.

        Raises:
            ModelKitError: a model file is missing, altered or not licensed for this site.
        """
        kit = ModelKit.open(self.settings) if self.source is Source.RECORDING else None
        return lambda material: self.replay(material, kit)

    def replay(self, material: Material, kit: ModelKit | None) -> Replayed | NotReplayed:
        """Judge an attempt again: with `kit` from its recording, without from its tracks."""
        if material.why:
            return NotReplayed(material.attempt_id, material.why)
        try:
            result = result_from(material.result)
            judgement = self._judged(material, result, kit)
        except CameoError as error:
            return NotReplayed(material.attempt_id, str(error))
        return self.compare(material.attempt_id, result, judgement)

    def _judged(self, material: Material, result: AttemptResult, kit: ModelKit | None) -> Judgement:
        if kit is None:
            return rejudge(tracks_from(material.tracks), result.challenge, self.profile)
        circumstances = tracks_from(material.tracks).circumstances if material.tracks else Circumstances()
        judgement = verify(
            material.recording,
            result.challenge,
            profile=self.profile,
            kit=kit,
            settings=self.settings,
            received_at=circumstances.received_at,
            live=circumstances.live,
            later=AFTERWARDS,
        )
        received = _received(judgement.digests, result.digests)
        return complete(replace(judgement, digests=received), result.challenge, circumstances, self.profile)

    def _answer(self, judgement: Judgement, before: Mapping[str, str]) -> Answer:
        profile = self.profile.judging(minor=judgement.minor_safeguards)
        # Tracks depend on the models and settings of their time.
        digests = dict(judgement.digests) or {**before, "profile": profile.digest, "code": code_digest()}
        stopped_by = tuple(check.name for check in judgement.checks if counts_against(check, profile.role(check.name)))
        return _answer(judgement.decision, judgement.checks, stopped_by, judgement.profile, digests)

    def compare(self, attempt_id: str, result: AttemptResult, judgement: Judgement) -> Replayed:
        """Compare a judgement with the stored one."""
        reasons = set(result.decision.reasons)
        stopped_by = tuple(c.name for c in result.checks if c.outcome is not Outcome.PASS and c.reason in reasons)
        before = _answer(result.decision, result.checks, stopped_by, result.profile, result.digests)
        return _compared(attempt_id, before, self._answer(judgement, result.digests))


def _received(now: Mapping[str, str], then: Mapping[str, str]) -> Mapping[str, str]:
    """Return digests with that of the received recording, if the stored recording is the part that was kept of it."""
    if KEPT not in then or now[RECORDING] != then[KEPT]:
        return now
    return {**now, RECORDING: then[RECORDING], KEPT: then[KEPT]}


@dataclass(frozen=True, slots=True)
class OpenVersus:
    """Factory of a replay by two profiles, whose judgements are compared with each other, not with the stored one."""

    baseline: OpenReplay
    candidate: OpenReplay

    def __call__(self) -> Replay:
        """Open what both need; see `OpenReplay`."""
        before, after = self.baseline(), self.candidate()
        return lambda material: _versus(before(material), after(material))


def _versus(one: Replayed | NotReplayed, other: Replayed | NotReplayed) -> Replayed | NotReplayed:
    if isinstance(one, NotReplayed):
        return one
    if isinstance(other, NotReplayed):
        return other
    return _compared(one.attempt_id, one.after, other.after)


def _compared(attempt_id: str, before: Answer, after: Answer) -> Replayed:
    names = dict.fromkeys([*before.digests, *after.digests])
    changed = tuple(name for name in names if before.digests.get(name) != after.digests.get(name))
    return Replayed(attempt_id, before, after, changed, exact=[*map(bits, before.checks)] == [*map(bits, after.checks)])


def materials(
    vault: EvidenceVault, attempt_ids: Sequence[str], source: Source, *, reader: Reader, now: datetime
) -> Iterator[Material]:
    """Yield the evidence that a replay needs; each read is in the audit log before the evidence is decrypted.

    Raises:
        StoreError: the database failed, or the access could not be logged.
    """
    kinds = [Kind.RESULT, Kind.TRACKS, *([Kind.RECORDING] if source is Source.RECORDING else [])]
    for start in range(0, len(attempt_ids), _AT_ONCE):
        some = attempt_ids[start : start + _AT_ONCE]
        each = [vault.read_each(some, kind, reader=reader, now=now) for kind in kinds]
        for pieces in zip(*each, strict=True):
            found = {kind: piece for kind, (_, piece) in zip(kinds, pieces, strict=True)}
            needed = [Kind.RESULT, Kind.RECORDING if source is Source.RECORDING else Kind.TRACKS]
            why = next((str(found[kind]) for kind in needed if isinstance(found[kind], EvidenceError)), "")
            held = {kind.value: b"" if isinstance(piece, EvidenceError) else piece for kind, piece in found.items()}
            yield Material(pieces[0][0], **held, why=why)


def _answer(
    decision: Decision, checks: tuple[CheckResult, ...], stopped_by: tuple[str, ...], profile: str, digests: Mapping[str, str]
) -> Answer:
    return Answer(
        decision.verdict, tuple(reason.value for reason in decision.reasons), checks, stopped_by, profile, dict(digests)
    )


def bits(check: CheckResult) -> tuple[object, ...]:
    """Return a comparable form of a result, exact to the last bit of its scores, including NaN and numpy scalars."""
    return (
        check.name,
        check.outcome,
        _bits_of(check.score),
        check.unit,
        _bits_of(check.threshold),
        check.direction,
        check.reason,
        check.detail,
    )


def _bits_of(value: float | None) -> bytes | None:
    return None if value is None else struct.pack(">d", value)
