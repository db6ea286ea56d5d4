"""Face count: checks that only one face is in the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "alone"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the share of analysed frames that show more than one face."""
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    return profile["extra_faces_max"].judge(NAME, float(np.mean(case.evidence.face.faces > 1)), Reason.MULTIPLE_FACES)


QUESTION = Question(
    NAME,
    "Alone",
    "Nobody else is in the picture.",
    check,
    thresholds=("extra_faces_max",),
)
