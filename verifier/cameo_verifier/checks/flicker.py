"""Flicker detection: checks that no bands roll through the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "flicker"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the depth of rolling bands. A display's refresh or a lamp on mains causes them: the hint asks for other light."""
    if isinstance(case.evidence.picture, Missing):
        return CheckResult.unable(NAME, case.evidence.picture.reason)
    return profile["flicker_max"].judge(NAME, case.evidence.picture.flicker, Reason.LIGHT_FLICKERS)


QUESTION = Question(
    NAME,
    "Rolling bands",
    "No bands of a lamp or display roll through the picture.",
    check,
    thresholds=("flicker_max",),
)
