"""Protected people: checks that the face matches no protected person other than the subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks._gallery import judge_nearest
from cameo_verifier.checks.question import Case, Phase, Question
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult

NAME = "protected_person"
THRESHOLD = "protected_cosine_max"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the cosine of the face with the nearest protected one; it passes without any."""
    answer = case.circumstances.gallery
    return judge_nearest(answer, answer.protected if answer else None, profile[THRESHOLD], NAME, Reason.PROTECTED_PERSON)


QUESTION = Question(
    NAME,
    "Protected person",
    "The face is not that of a protected person.",
    check,
    thresholds=(THRESHOLD,),
    phase=Phase.GALLERY,
    known=lambda circumstances: circumstances.has_gallery,
    needs="the gallery of a server, CAMEO_GALLERY=true",
)
