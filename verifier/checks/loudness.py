"""Is the speech loud enough?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "loudness"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the RMS level of the speech."""
    if isinstance(evidence.sound, Missing):
        return CheckResult.unable(NAME, evidence.sound.reason)
    if len(evidence.sound.speech) == 0:
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    return profile["speech_level_min"].judge(NAME, evidence.sound.level_dbfs, Reason.VOLUME_TOO_LOW)
