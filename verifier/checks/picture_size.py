"""Is the picture large enough?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.profiles import Profile, Threshold
from verifier.reasons import Reason
from verifier.types import CheckResult, Direction, Evidence

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.settings import MediaLimits

NAME = "picture_size"


def check(evidence: Evidence, _challenge: Challenge, _profile: Profile, *, limits: MediaLimits) -> CheckResult:
    """Judge the picture's short side against the site's limit."""
    if not evidence.media.video_codec:
        return CheckResult.unable(NAME, Reason.NO_VIDEO)
    smallest = Threshold("min_short_side_px", limits.min_short_side_px, "px", Direction.AT_LEAST, "settings")
    return smallest.judge(NAME, min(evidence.media.width, evidence.media.height), Reason.PICTURE_TOO_SMALL)
