"""Is there enough light on the face, and not too much?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.evidence.light import light
from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "light"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the light on the face against the lower limit, and the median luma of the face, which clips, against the upper."""
    if isinstance(evidence.face, Missing):
        return CheckResult.unable(NAME, evidence.face.reason)
    low = profile["light_min"].judge(NAME, light(evidence.face), Reason.TOO_DARK)
    bright = profile["face_luma_max"].judge(NAME, float(np.nanmedian(evidence.face.luma)), Reason.TOO_BRIGHT)
    return bright if bright.reason else low
