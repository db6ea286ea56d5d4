"""Is there enough light on the face, and not too much?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "light"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the median luma of the face over the recording against both limits."""
    if isinstance(evidence.face, Missing):
        return CheckResult.unable(NAME, evidence.face.reason)
    luma = float(np.nanmedian(evidence.face.luma))
    low = profile["face_luma_min"].judge(NAME, luma, Reason.TOO_DARK)
    return low if low.reason else profile["face_luma_max"].judge(NAME, luma, Reason.TOO_BRIGHT)
