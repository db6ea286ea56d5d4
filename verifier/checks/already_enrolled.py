"""Is this the face of somebody who enrolled under another account?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.reasons import Reason
from verifier.types import CheckResult, Outcome

if TYPE_CHECKING:
    from verifier.profiles import Profile
    from verifier.types import Match

NAME = "already_enrolled"
THRESHOLD = "enrolled_cosine_max"


def check(profile: Profile, *, nearest: Match | None) -> CheckResult:
    """Judge the cosine of the face with the most alike that another subject enrolled; `None` where no other has."""
    if nearest is None:
        return CheckResult(NAME, Outcome.PASS, detail="no face to compare with")
    return profile[THRESHOLD].judge(NAME, nearest.cosine, Reason.ALREADY_ENROLLED, f"most like face {nearest.number}")
