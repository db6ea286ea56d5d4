"""Blink detection: checks that the person blinked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.blinks import blinks
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "blink"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the number of blinks. People who listen and read blink less, so this advises by default."""
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    count = blinks(case.evidence.face.blendshapes, closed=profile["blink_closed_min"].value)
    return profile["blinks_min"].judge(NAME, count, Reason.NO_BLINK)


QUESTION = Question(
    NAME,
    "Blinks",
    "The person blinks.",
    check,
    thresholds=("blink_closed_min", "blinks_min"),
)
