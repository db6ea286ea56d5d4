"""Frame timing: checks that the pictures come at intervals of a camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.continuity import hurried_share
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "picture_times"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the share of pictures at intervals far shorter than a camera of this frame rate produces."""
    if isinstance(case.evidence.picture, Missing):
        return CheckResult.unable(NAME, case.evidence.picture.reason)
    return profile["hurried_pictures_max"].judge(NAME, hurried_share(case.evidence.picture), Reason.SPLICED)


QUESTION = Question(
    NAME,
    "Times of pictures",
    "The pictures come at the intervals of a camera.",
    check,
    thresholds=("hurried_pictures_max",),
)
