"""Is this a face before the camera, or a picture of one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.evidence.usable import why_few
from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "presentation_attack"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the 20th percentile of the probability of a live face over the near-frontal frames.

    A low percentile, since single frames of a replay reach 0.98 where hardly any of a live face falls low. One crop of one
    network is no proof: where the closer crop is sure of a live face, better light is asked for.
    """
    if isinstance(evidence.face, Missing):
        return CheckResult.unable(NAME, evidence.face.reason)
    live, close = evidence.face.live, evidence.face.live_close
    frames = profile["live_frames_min"]
    if not frames.holds(len(live)):
        return CheckResult.unable(NAME, why_few(evidence.face), f"{len(live)} scored frames, {frames.value:.0f} are needed")
    denied = len(close) > 0 and profile["live_close_sure_min"].holds(float(np.quantile(close, 0.2)))
    reason = Reason.TOO_DARK if denied else Reason.SCREEN_OR_PRINT
    return profile["live_p20_min"].judge(NAME, float(np.quantile(live, 0.2)), reason, f"{len(live)} frames")
