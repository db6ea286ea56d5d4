"""Gaze: checks that the eyes counter-rotate while the head turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question, turned
from cameo_verifier.evidence.gaze import eye_turn
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "gaze"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the counter-rotation of the irises for each degree of yaw.

    Unable where the head did not turn enough sideways. A person who looks where they turn, and not at the camera, does not pass,
    so by default it advises.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    found = eye_turn(case.evidence.face)
    span = profile["gaze_span_min"]
    detail = f"{found.frames} frames over {found.span_deg:.0f} {span.unit}"
    if not span.holds(found.span_deg):
        return CheckResult.unable(NAME, Reason.MOVEMENT_MISSING, detail)
    return profile["gaze_slope_max"].judge(NAME, found.percent_per_deg, Reason.NOT_CONFIRMED, detail)


QUESTION = Question(
    NAME,
    "Gaze",
    "The eyes stay on the camera while the head turns.",
    check,
    thresholds=("gaze_slope_max", "gaze_span_min"),
    applies=turned,
)
