"""Audio repetition: checks that no segment of the sound recurs sample by sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question, spoken
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "sound_repeat"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the highest correlation of a segment of sound with a later one."""
    if isinstance(case.evidence.repeat, Missing):
        return CheckResult.unable(NAME, case.evidence.repeat.reason)
    repeat = case.evidence.repeat
    detail = f"at {repeat.first_s:.2f} s and {repeat.again_s:.2f} s"
    return profile["sound_repeat_max"].judge(NAME, repeat.correlation, Reason.SPLICED, detail)


QUESTION = Question(
    NAME,
    "Repeated sound",
    "No segment of the sound repeats.",
    check,
    thresholds=("sound_repeat_max",),
    applies=spoken,
)
