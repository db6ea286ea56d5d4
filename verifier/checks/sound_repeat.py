"""Does a piece of the sound come again to the sample, as no voice makes it twice?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "sound_repeat"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the highest correlation of a piece of sound with a later one."""
    if isinstance(evidence.repeat, Missing):
        return CheckResult.unable(NAME, evidence.repeat.reason)
    repeat = evidence.repeat
    detail = f"at {repeat.first_s:.2f} s and {repeat.again_s:.2f} s"
    return profile["sound_repeat_max"].judge(NAME, repeat.correlation, Reason.SPLICED, detail)
