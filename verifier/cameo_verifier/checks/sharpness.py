"""Sharpness: checks that the face is sharp enough to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "sharpness"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the median sharpness: any movement blurs single frames."""
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    return profile["sharpness_min"].judge(NAME, float(np.nanmedian(case.evidence.face.sharpness)), Reason.BLURRED)


QUESTION = Question(
    NAME,
    "Sharpness",
    "The face is in focus and not smeared.",
    check,
    thresholds=("sharpness_min",),
)
