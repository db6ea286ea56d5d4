"""Camera orientation: checks that the camera was held the same way up throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult

NAME = "turned"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge how often the aspect ratio of the pictures changes, as it does where a phone is turned while it records."""
    times = ", ".join(f"{at_s:.2f}" for at_s in case.evidence.media.resized_s[:5])
    changes = float(len(case.evidence.media.resized_s))
    return profile["reshaped_max"].judge(NAME, changes, Reason.CAMERA_TURNED, f"at {times} s" if times else "")


QUESTION = Question(
    NAME,
    "Same way up",
    "The camera was held the same way up from start to end.",
    check,
    thresholds=("reshaped_max",),
)
