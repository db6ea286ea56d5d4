"""Does the speech stand out of the noise?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "noise"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the level of the speech above the noise floor."""
    if isinstance(evidence.sound, Missing):
        return CheckResult.unable(NAME, evidence.sound.reason)
    if len(evidence.sound.speech) == 0:
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    return profile["speech_to_noise_min"].judge(NAME, evidence.sound.speech_to_noise_db, Reason.TOO_NOISY)
