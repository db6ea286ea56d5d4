"""Resolution: checks that the picture is large enough."""

from __future__ import annotations

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.profile import Profile, Threshold
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Direction

NAME = "picture_size"


def check(case: Case, _profile: Profile) -> CheckResult:
    """Judge the picture's short side by the site's limit."""
    if not case.evidence.media.video_codec:
        return CheckResult.unable(NAME, Reason.NO_VIDEO)
    smallest = Threshold("min_short_side_px", case.limits.min_short_side_px, "px", Direction.AT_LEAST, "settings")
    return smallest.judge(NAME, min(case.evidence.media.width, case.evidence.media.height), Reason.PICTURE_TOO_SMALL)


QUESTION = Question(
    NAME,
    "Picture size",
    "The picture is large enough to see a face in.",
    check,
)
