"""Presentation attack detection on a close crop: checks that a live face is before the camera, not a picture of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.light import light
from cameo_verifier.evidence.usable import why_few
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "close_up"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the 20th percentile of the probability of a live face in closer crops, which no edge of a display reaches.

    Each frame is scored as it is and mirrored. In the dark and against the light stray light veils living skin too, and the
    threshold is lower. A score between those of people and of displays is retried in better light.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    live = case.evidence.face.live_close
    frames = profile["live_close_frames_min"]
    if not frames.holds(len(live)):
        return CheckResult.unable(NAME, why_few(case.evidence.face), f"{len(live)} scored frames, {frames.value:.0f} are needed")
    score, detail = float(np.quantile(live, 0.2)), f"{len(live)} frames"
    clear = profile["clear_light_min"].holds(light(case.evidence.face))
    line = profile["live_close_p20_min" if clear else "live_close_veiled_p20_min"]
    told_apart = profile["live_close_screen_max"].holds(score)
    return line.judge(NAME, score, Reason.SCREEN_OR_PRINT if told_apart else Reason.TOO_DARK, detail)


QUESTION = Question(
    NAME,
    "Live face, close",
    "A closer crop of the head looks live and not like a screen or a print.",
    check,
    thresholds=(
        "live_close_frames_min",
        "live_close_p20_min",
        "live_close_veiled_p20_min",
        "live_close_screen_max",
        "clear_light_min",
    ),
)
