"""Does the site's own detector take the voice for a synthetic one?

Asked only where a site names a detector. None comes with the service, nothing was measured here for any, so that the answer only
ever advises: a profile that gives this check another role is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "synthetic_voice"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the median of the detector's scores over the windows of the speech."""
    if isinstance(evidence.sound, Missing):
        return CheckResult.unable(NAME, evidence.sound.reason)
    scores = evidence.sound.synthetic
    if len(scores) == 0:
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    limit = profile["synthetic_voice_max"]
    return limit.judge(NAME, float(np.median(scores)), Reason.SYNTHETIC_VOICE, f"{len(scores)} windows")
