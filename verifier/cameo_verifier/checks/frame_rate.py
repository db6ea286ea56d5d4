"""Frame rate: checks that pictures come often enough to show movement."""

from __future__ import annotations

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.profile import Profile, Threshold
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Direction

NAME = "frame_rate"


def check(case: Case, _profile: Profile) -> CheckResult:
    """Judge the measured frame rate, not the one the container declares, by the site's limit."""
    if not case.evidence.media.video_codec:
        return CheckResult.unable(NAME, Reason.NO_VIDEO)
    lowest = Threshold("min_fps", case.limits.min_fps, "1/s", Direction.AT_LEAST, "settings")
    return lowest.judge(NAME, case.evidence.media.fps, Reason.FRAME_RATE_TOO_LOW)


QUESTION = Question(
    NAME,
    "Frame rate",
    "There are enough pictures a second to follow lips and head.",
    check,
)
