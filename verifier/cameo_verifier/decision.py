"""Decision: folds check results into a verdict: vetoes first, confirmations required, nothing averaged.

Invariants: a recording is accepted only if every check that the profile confirms by ran and passed, except exempt ones, by name;
an empty or missing answer rejects; advice never decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.profile import CheckRole, Profile
from cameo_verifier.reasons import Kind, Reason, Sense
from cameo_verifier.types import CheckResult, Decision, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_WORST_FIRST = (Kind.ATTACK, Kind.LIFECYCLE, Kind.UNREADABLE, Kind.MISMATCH, Kind.IDENTITY, Kind.QUALITY)


def decide(results: Sequence[CheckResult], profile: Profile, *, exempt: Collection[str] = ()) -> Decision:
    """Return the verdict and its reasons.

    Args:
        results: the results of the checks.
        profile: gives each check its role.
        exempt: names of checks that need no answer, whatever their role: they do not apply to the challenge, or run later.

    1. A check counts against the recording if its role is veto and it failed, or its role is confirm and it did not pass.
    2. Every check that the profile confirms by is required, except exempt ones. A missing result, or no required check at all,
       counts as `NOT_CONFIRMED`.
    3. A mismatch in one sense is explained by poor quality of that sense: a phrase misrecognised in noise is retried. Any reason,
       of an attack too, is explained by a defect that produces it in honest recordings (`Reason.excuses`).
    4. Attack evidence, or any remaining reason that rejects → `REJECTED`; else identity → `REVIEW`; else quality → `RETRY`.
    """
    counting = [r for r in results if counts_against(r, profile.role(r.name))]
    reasons = [r.reason or Reason.NOT_CONFIRMED for r in counting]
    required = profile.confirmed_by.difference(exempt)
    if not required or required - {r.name for r in results}:
        reasons.append(Reason.NOT_CONFIRMED)
    ordered = _unexplained(reasons)
    return Decision(_verdict({reason.kind for reason in ordered}), ordered)


def _unexplained(reasons: list[Reason]) -> tuple[Reason, ...]:
    """Return each reason once that no other explains; all of them where each explains another.

    The worst kind comes first, within a kind the reason that explains most others: the person is shown the first one's hint.
    """
    once = list(dict.fromkeys(reasons))
    left = [reason for reason in once if not any(_explains(other, reason) for other in once)] or once
    return tuple(
        sorted(left, key=lambda reason: (_WORST_FIRST.index(reason.kind), -sum(_explains(reason, each) for each in once)))
    )


def counts_against(result: CheckResult, role: CheckRole) -> bool:
    """Whether a check of that role counts against the recording (step 1)."""
    match role:
        case CheckRole.VETO:
            return result.outcome is Outcome.FAIL
        case CheckRole.CONFIRM:
            return result.outcome is not Outcome.PASS
        case CheckRole.ADVISE:
            return False


def _explains(one: Reason, other: Reason) -> bool:
    by_sense = other.kind is Kind.MISMATCH and one.kind is Kind.QUALITY and one.sense in (other.sense, Sense.BOTH)
    return by_sense or other in one.excuses


def _verdict(kinds: set[Kind]) -> Verdict:
    if kinds & {Kind.ATTACK, Kind.MISMATCH, Kind.LIFECYCLE, Kind.UNREADABLE}:
        return Verdict.REJECTED
    if Kind.IDENTITY in kinds:
        return Verdict.REVIEW
    return Verdict.RETRY if kinds else Verdict.ACCEPTED
