"""Signal-to-noise ratio: checks that the speech is louder than the noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question, spoken
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "noise"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the level of the speech above the noise floor."""
    if isinstance(case.evidence.sound, Missing):
        return CheckResult.unable(NAME, case.evidence.sound.reason)
    if len(case.evidence.sound.speech) == 0:
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    return profile["speech_to_noise_min"].judge(NAME, case.evidence.sound.speech_to_noise_db, Reason.TOO_NOISY)


QUESTION = Question(
    NAME,
    "Noise",
    "The voice is louder than the noise around it.",
    check,
    thresholds=("speech_to_noise_min",),
    applies=spoken,
)
