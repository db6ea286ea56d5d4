"""Duplicate enrolment: checks that no other account enrolled this face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks._gallery import judge_nearest
from cameo_verifier.checks.question import Case, Phase, Question
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult

NAME = "already_enrolled"
THRESHOLD = "enrolled_cosine_max"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the cosine of the face with the nearest one that another subject enrolled; it passes without any."""
    answer = case.circumstances.gallery
    return judge_nearest(answer, answer.enrolled if answer else None, profile[THRESHOLD], NAME, Reason.ALREADY_ENROLLED)


QUESTION = Question(
    NAME,
    "Enrolled already",
    "No other account enrolled the face.",
    check,
    thresholds=(THRESHOLD,),
    phase=Phase.GALLERY,
    known=lambda circumstances: circumstances.has_gallery,
    needs="the gallery of a server, CAMEO_GALLERY=true",
)
