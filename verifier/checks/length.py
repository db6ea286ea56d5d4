"""Is the recording neither too short nor too long?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.profiles import Profile, Threshold
from verifier.reasons import Reason
from verifier.types import CheckResult, Direction, Evidence

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.settings import MediaLimits

NAME = "length"


def check(evidence: Evidence, _challenge: Challenge, _profile: Profile, *, limits: MediaLimits) -> CheckResult:
    """Judge the recording's length, to a tenth of a second, against the site's limits: a codec pads its last block."""
    length_s = round(evidence.media.duration_s, 1)
    shortest = Threshold("min_s", limits.min_s, "s", Direction.AT_LEAST, "settings")
    longest = Threshold("max_s", limits.max_s, "s", Direction.AT_MOST, "settings")
    result = shortest.judge(NAME, length_s, Reason.RECORDING_TOO_SHORT)
    return result if result.reason else longest.judge(NAME, length_s, Reason.RECORDING_TOO_LONG)
