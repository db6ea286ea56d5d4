"""Do the pictures come at times at which a camera makes them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.evidence.continuity import hurried_share
from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "picture_times"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the share of pictures that come far sooner than a camera of this pace has the next one ready."""
    if isinstance(evidence.picture, Missing):
        return CheckResult.unable(NAME, evidence.picture.reason)
    return profile["hurried_pictures_max"].judge(NAME, hurried_share(evidence.picture), Reason.SPLICED)
