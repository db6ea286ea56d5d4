"""Is the face sharp enough to judge?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "sharpness"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the median sharpness: single blurred frames belong to any movement."""
    if isinstance(evidence.face, Missing):
        return CheckResult.unable(NAME, evidence.face.reason)
    return profile["sharpness_min"].judge(NAME, float(np.nanmedian(evidence.face.sharpness)), Reason.BLURRED)
