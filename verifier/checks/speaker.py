"""Is it one voice throughout?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "speaker"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the least cosine similarity between any two windows of the speech."""
    if isinstance(evidence.sound, Missing):
        return CheckResult.unable(NAME, evidence.sound.reason)
    windows = evidence.sound.window_embeddings
    if len(windows) == 0:
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    least = float((windows @ windows.T).min())
    return profile["same_speaker_min"].judge(NAME, least, Reason.SPEAKER_CHANGED, f"{len(windows)} windows")
