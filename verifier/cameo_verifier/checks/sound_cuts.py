"""Audio splice detection: checks that the sound decays as in a room, instead of stopping where pieces were pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question, spoken
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "sound_cuts"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the number of abrupt endings; a click or a microphone that is switched off causes one."""
    if isinstance(case.evidence.sound, Missing):
        return CheckResult.unable(NAME, case.evidence.sound.reason)
    at_s = case.evidence.sound.stops_s
    detail = f"at {', '.join(f'{at:.2f}' for at in at_s)} s" if len(at_s) else ""
    return profile["sound_stops_max"].judge(NAME, float(len(at_s)), Reason.SPLICED, detail)


QUESTION = Question(
    NAME,
    "Cuts in the sound",
    "The sound decays as in a room, without the abrupt ends of pasted pieces.",
    check,
    thresholds=("sound_stops_max",),
    applies=spoken,
)
