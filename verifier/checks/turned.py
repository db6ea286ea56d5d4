"""Was the camera held the same way up from start to end?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.reasons import Reason

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile
    from verifier.types import CheckResult, Evidence

NAME = "turned"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge how often the shape of the pictures changes, as it does where a phone is turned while it records."""
    times = ", ".join(f"{at_s:.2f}" for at_s in evidence.media.resized_s[:5])
    changes = float(len(evidence.media.resized_s))
    return profile["reshaped_max"].judge(NAME, changes, Reason.CAMERA_TURNED, f"at {times} s" if times else "")
