"""Audio watermark: checks that the voice carries no generator's mark.

Some voice generators embed Perth's mark in all their output. Whoever hides one omits the mark, so that a voice without it may be
synthetic as well; and a few people's voices score as marked ones do, whatever they say. So the answer is advice only: a profile
that gives this check another role is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question, spoken
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "audio_mark"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the detector's score of the mark in the first seconds of the speech."""
    sound = case.evidence.sound
    if isinstance(sound, Missing):
        return CheckResult.unable(NAME, sound.reason)
    if np.isnan(sound.mark):
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    return profile["audio_mark_max"].judge(NAME, sound.mark, Reason.SYNTHETIC_VOICE)


QUESTION = Question(
    NAME,
    "Audio mark",
    "The voice carries no mark that a generator put into it.",
    check,
    thresholds=("audio_mark_max",),
    applies=spoken,
    advice_only=True,
)
