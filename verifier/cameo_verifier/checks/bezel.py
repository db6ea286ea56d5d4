"""Bezel detection: checks that no border of a display or print surrounds the face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.usable import why_few
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "bezel"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the second most covered border of the analysed frames: one alone may be chance, and a display may fill the rest."""
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    covered = case.evidence.face.bezel
    frames = profile["bezel_frames_min"]
    if not frames.holds(len(covered)):
        return CheckResult.unable(NAME, why_few(case.evidence.face), f"{len(covered)} frames, {frames.value:.0f} are needed")
    return profile["bezel_max"].judge(NAME, float(np.sort(covered)[-2]), Reason.DISPLAY_VISIBLE, f"{len(covered)} frames")


QUESTION = Question(
    NAME,
    "Border",
    "No border of a display or print stands around the face.",
    check,
    thresholds=("bezel_frames_min", "bezel_max"),
)
