"""Head turns: checks that the head turned in the requested directions, in order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cameo_challenges.model import Turn
from cameo_verifier.checks.question import Case, Question, turned
from cameo_verifier.evidence.movements import Movement, matches, movements
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Direction, Missing, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.profile import Profile

NAME = "movement"
_MIRRORED = {Turn.LEFT: Turn.RIGHT, Turn.RIGHT: Turn.LEFT}


def check(case: Case, profile: Profile) -> CheckResult:
    """Fail for a missing turn, for turns in another order, and for more turns than asked beyond the profile's allowance.

    The allowance keeps a recording that simply turns every way over and over from containing every possible answer. Only a turn
    about as wide as the asked ones counts as one more: people move their heads a little when they talk. The score is the number
    of asked turns found. A mirrored recording is refused on purpose, since it cannot be distinguished from the answer to another
    challenge; the detail mentions it.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    found = movements(
        case.evidence.face.t_s,
        case.evidence.face.pose_deg,
        min_deg=profile["turn_deg_min"].value,
        centre_deg=profile["turn_centre_deg_max"].value,
    )
    asked = case.challenge.turns
    common = _common([m.turn for m in found], asked)
    as_in_a_mirror = _common([_MIRRORED.get(m.turn, m.turn) for m in found], asked)
    mirrored = "; in a mirror they are the asked ones" if common < len(asked) == as_in_a_mirror else ""
    seen = ", ".join(f"{m.turn} {m.peak_deg:.0f}° at {m.peak_s:.1f} s" for m in found) or "none"
    return CheckResult(
        name=NAME,
        outcome=Outcome.FAIL if (reason := _reason(found, asked, common, profile)) else Outcome.PASS,
        score=float(common),
        unit="turns",
        threshold=float(len(asked)),
        direction=Direction.AT_LEAST,
        reason=reason,
        detail=f"asked {', '.join(asked)}; seen {seen}{mirrored}",
    )


def _common(found: Sequence[Turn], asked: Sequence[Turn]) -> int:
    return sum((Counter(found) & Counter(asked)).values())


def _reason(found: Sequence[Movement], asked: Sequence[Turn], common: int, profile: Profile) -> Reason | None:
    if common < len(asked):
        return Reason.MOVEMENT_MISSING
    widest = max(matches(found, asked), key=lambda choice: sum(m.peak_deg for m in choice), default=None)
    if widest is None:
        return Reason.MOVEMENT_WRONG_ORDER
    wide_deg = profile["extra_turn_share_min"].value * min(m.peak_deg for m in widest)
    extra = sum(m.peak_deg >= wide_deg for m in found) - len(asked)
    return None if profile["extra_turns_max"].holds(extra) else Reason.MOVEMENT_WRONG_ORDER


QUESTION = Question(
    NAME,
    "Head turns",
    "The head turned the ways that were asked, in their order.",
    check,
    thresholds=("turn_deg_min", "turn_centre_deg_max", "extra_turn_share_min", "extra_turns_max"),
    applies=turned,
)
