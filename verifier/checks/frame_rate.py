"""Are there enough pictures a second to see movement?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.profiles import Profile, Threshold
from verifier.reasons import Reason
from verifier.types import CheckResult, Direction, Evidence

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.settings import MediaLimits

NAME = "frame_rate"


def check(evidence: Evidence, _challenge: Challenge, _profile: Profile, *, limits: MediaLimits) -> CheckResult:
    """Judge the measured frame rate, not the one the container claims, against the site's limit."""
    if not evidence.media.video_codec:
        return CheckResult.unable(NAME, Reason.NO_VIDEO)
    lowest = Threshold("min_fps", limits.min_fps, "1/s", Direction.AT_LEAST, "settings")
    return lowest.judge(NAME, evidence.media.fps, Reason.FRAME_RATE_TOO_LOW)
