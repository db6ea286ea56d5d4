"""Exposure: checks that the face is neither too dark nor too bright."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.light import light
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "light"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the light on the face by the lower limit, and the median luma of the face, which clips, by the upper."""
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    low = profile["light_min"].judge(NAME, light(case.evidence.face), Reason.TOO_DARK)
    bright = profile["face_luma_max"].judge(NAME, float(np.nanmedian(case.evidence.face.luma)), Reason.TOO_BRIGHT)
    return bright if bright.reason else low


QUESTION = Question(
    NAME,
    "Light",
    "The face is neither too dark nor too bright to be judged.",
    check,
    thresholds=("light_min", "face_luma_max"),
)
