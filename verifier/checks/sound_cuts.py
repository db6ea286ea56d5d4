"""Does the sound die away as in a room, or stop as where pieces were pasted?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "sound_cuts"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge how often the sound stops at once; a click or a microphone that is switched off does so once."""
    if isinstance(evidence.sound, Missing):
        return CheckResult.unable(NAME, evidence.sound.reason)
    at_s = evidence.sound.stops_s
    detail = f"at {', '.join(f'{at:.2f}' for at in at_s)} s" if len(at_s) else ""
    return profile["sound_stops_max"].judge(NAME, float(len(at_s)), Reason.SPLICED, detail)
