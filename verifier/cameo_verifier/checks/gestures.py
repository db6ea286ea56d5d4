"""Facial gestures: checks that each asked gesture was made in its place between the head turns, and let go."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cameo_challenges.model import Gesture, MakeGesture, TurnHead
from cameo_verifier.checks.question import Case, Question, gestured
from cameo_verifier.evidence.gestures import GestureThresholds, Made, gestures
from cameo_verifier.evidence.movements import Movement, movements
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Direction, Missing, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_challenges.model import Turn
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import FaceTrack

NAME = "gestures"


def check(case: Case, profile: Profile) -> CheckResult:
    """Fail for a missing gesture, for steps in another order, and for more gestures than asked beyond the profile's allowance.

    The allowance is for a double blink that nobody asked for; a recording that makes every gesture over and over would contain
    every possible answer. The score is the number of asked steps, turns among them, that were made in order before one was not.
    """
    face = case.evidence.face
    if isinstance(face, Missing):
        return CheckResult.unable(NAME, face.reason)
    found = seen(face, profile)
    steps = case.challenge.steps
    asked = [
        step.turn if isinstance(step, TurnHead) else step.gesture for step in steps if isinstance(step, TurnHead | MakeGesture)
    ]
    in_order = _in_order(found, asked)
    shown = ", ".join(f"{_named(each) or 'other blinks'} at {each.start_s:.1f} s" for each in found) or "none"
    return CheckResult(
        name=NAME,
        outcome=Outcome.FAIL if (reason := _reason(found, asked, in_order, profile)) else Outcome.PASS,
        score=float(in_order),
        unit="steps",
        threshold=float(len(asked)),
        direction=Direction.AT_LEAST,
        reason=reason,
        detail=f"asked {', '.join(asked)}; seen {shown}",
    )


def seen(face: FaceTrack, profile: Profile) -> tuple[Made | Movement, ...]:
    """Return gestures and head turns, in order of their start."""
    turns = movements(
        face.t_s, face.pose_deg, min_deg=profile["turn_deg_min"].value, centre_deg=profile["turn_centre_deg_max"].value
    )
    lines = GestureThresholds(
        open_rise=profile["gesture_open_min"].value,
        smile_rise=profile["gesture_smile_min"].value,
        held_s=profile["gesture_held_min"].value,
        closed=profile["gesture_closed_max"].value,
        closed_s=profile["gesture_closed_time_min"].value,
        between_s=profile["gesture_between_max"].value,
    )
    return tuple(sorted((*turns, *gestures(face, turns, lines)), key=lambda each: each.start_s))


def _in_order(found: Sequence[Made | Movement], asked: Sequence[Turn | Gesture]) -> int:
    """Return how many of the asked steps, from the first on, were made in order, each one over by the middle of the next."""
    over_s = 0.0
    for count, step in enumerate(asked):
        fits = [each.end_s for each in found if _named(each) is step and (each.start_s + each.end_s) / 2 >= over_s]
        if not fits:
            return count
        over_s = min(fits)
    return len(asked)


def _reason(found: Sequence[Made | Movement], asked: Sequence[Turn | Gesture], in_order: int, profile: Profile) -> Reason | None:
    wanted = Counter(step for step in asked if isinstance(step, Gesture))
    made = Counter(each.gesture for each in found if isinstance(each, Made))
    if any(made[gesture] < count for gesture, count in wanted.items()):
        return Reason.GESTURE_MISSING
    extra = made.total() - wanted.total()
    return None if in_order == len(asked) and profile["extra_gestures_max"].holds(extra) else Reason.MOVEMENT_WRONG_ORDER


def _named(each: Made | Movement) -> Turn | Gesture | None:
    return each.turn if isinstance(each, Movement) else each.gesture


QUESTION = Question(
    NAME,
    "Gestures",
    "The gestures that were asked were made, each in its place between the head turns.",
    check,
    thresholds=(
        "gesture_open_min",
        "gesture_smile_min",
        "gesture_held_min",
        "gesture_closed_max",
        "gesture_closed_time_min",
        "gesture_between_max",
        "extra_gestures_max",
        "turn_deg_min",
        "turn_centre_deg_max",
    ),
    applies=gestured,
)
