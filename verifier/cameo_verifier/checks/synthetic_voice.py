"""Synthetic voice detection: checks that the site's own detector scores the voice as human.

Asked only where a site names a detector. None comes with the service, and no error rates of any are known here, so that the
answer is advice only: a profile that gives this check another role is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question, spoken
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "synthetic_voice"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the median of the detector's scores over the windows of the speech."""
    if isinstance(case.evidence.sound, Missing):
        return CheckResult.unable(NAME, case.evidence.sound.reason)
    scores = case.evidence.sound.synthetic
    if len(scores) == 0:
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    limit = profile["synthetic_voice_max"]
    return limit.judge(NAME, float(np.median(scores)), Reason.SYNTHETIC_VOICE, f"{len(scores)} windows")


QUESTION = Question(
    NAME,
    "Synthetic voice",
    "The site's own detector scores the voice as human.",
    check,
    thresholds=("synthetic_voice_max",),
    applies=spoken,
    known=lambda circumstances: circumstances.synthetic_voice,
    needs="a detector, CAMEO_SYNTHETIC_VOICE_FILE",
    advice_only=True,
)
