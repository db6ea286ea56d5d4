"""Loudness: checks that the speech is loud enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question, spoken
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "loudness"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the RMS level of the speech."""
    if isinstance(case.evidence.sound, Missing):
        return CheckResult.unable(NAME, case.evidence.sound.reason)
    if len(case.evidence.sound.speech) == 0:
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    return profile["speech_level_min"].judge(NAME, case.evidence.sound.level_dbfs, Reason.VOLUME_TOO_LOW)


QUESTION = Question(
    NAME,
    "Loudness",
    "The voice is loud enough to be judged.",
    check,
    thresholds=("speech_level_min",),
    applies=spoken,
)
