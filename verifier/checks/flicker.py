"""Does the light hold still, or do bands roll through the picture?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "flicker"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the depth of rolling bands: a display's refresh makes them and a lamp on mains does, so ask for another light."""
    if isinstance(evidence.picture, Missing):
        return CheckResult.unable(NAME, evidence.picture.reason)
    return profile["flicker_max"].judge(NAME, evidence.picture.flicker, Reason.LIGHT_FLICKERS)
