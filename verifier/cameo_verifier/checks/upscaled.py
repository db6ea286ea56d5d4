"""Upscaling detection: checks that the video was not upscaled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.light import light
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "upscaled"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the bend of the picture's spectrum at the frequency where upscaling ends it.

    Unable in poor light, where noise reduction does the same. A camera's zoom and a very low bitrate do not pass either, so it
    advises.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    if not np.isfinite(case.evidence.face.bend_db):
        return CheckResult.unable(NAME, Reason.RECORDING_TOO_SHORT, "no picture was measured")
    if not profile["fair_light_min"].holds(light(case.evidence.face)):
        return CheckResult.unable(NAME, Reason.TOO_DARK)
    return profile["bend_max"].judge(NAME, case.evidence.face.bend_db, Reason.NOT_CONFIRMED)


QUESTION = Question(
    NAME,
    "Size of the original",
    "The picture was recorded at the size it has, not upscaled.",
    check,
    thresholds=("fair_light_min", "bend_max"),
)
