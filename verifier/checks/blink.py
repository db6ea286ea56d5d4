"""Did the person blink?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.evidence.blinks import blinks
from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "blink"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the number of blinks. People who listen and read blink less, so this advises by default."""
    if isinstance(evidence.face, Missing):
        return CheckResult.unable(NAME, evidence.face.reason)
    count = blinks(evidence.face.blendshapes, closed=profile["blink_closed_min"].value)
    return profile["blinks_min"].judge(NAME, count, Reason.NO_BLINK)
