"""Presentation attack detection: checks that a live face is before the camera, not a picture of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.usable import why_few
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "presentation_attack"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the 20th percentile of the probability of a live face over the near-frontal frames.

    A low percentile, since single frames of a replay reach 0.98 where hardly any of a live face falls low. One crop of one
    network is no proof: where the closer crop gives a live face a high probability, the reason asks for better light.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    live, close = case.evidence.face.live, case.evidence.face.live_close
    frames = profile["live_frames_min"]
    if not frames.holds(len(live)):
        return CheckResult.unable(NAME, why_few(case.evidence.face), f"{len(live)} scored frames, {frames.value:.0f} are needed")
    denied = len(close) > 0 and profile["live_close_sure_min"].holds(float(np.quantile(close, 0.2)))
    reason = Reason.TOO_DARK if denied else Reason.SCREEN_OR_PRINT
    return profile["live_p20_min"].judge(NAME, float(np.quantile(live, 0.2)), reason, f"{len(live)} frames")


QUESTION = Question(
    NAME,
    "Live face",
    "The face looks live and not like a screen or a print.",
    check,
    thresholds=("live_frames_min", "live_p20_min", "live_close_sure_min"),
)
