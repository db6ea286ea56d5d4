"""Is this the face of a protected person whom the subject is not known to be?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.reasons import Reason
from verifier.types import CheckResult, Outcome

if TYPE_CHECKING:
    from verifier.profiles import Profile
    from verifier.types import Match

NAME = "protected_person"
THRESHOLD = "protected_cosine_max"


def check(profile: Profile, *, nearest: Match | None) -> CheckResult:
    """Judge the cosine of the face with the most alike of a protected person; `None` where nobody is protected."""
    if nearest is None:
        return CheckResult(NAME, Outcome.PASS, detail="no face to compare with")
    return profile[THRESHOLD].judge(NAME, nearest.cosine, Reason.PROTECTED_PERSON, f"most like face {nearest.number}")
