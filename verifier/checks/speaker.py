"""Is it one voice throughout?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "speaker"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the 20th percentile of the cosine similarities between windows of the speech that share no sound.

    A low percentile and not the least, since short windows of one voice can differ much. Speech too short for two such windows is
    judged by its first and last one.
    """
    if isinstance(evidence.sound, Missing):
        return CheckResult.unable(NAME, evidence.sound.reason)
    windows, spans = evidence.sound.window_embeddings, evidence.sound.window_s
    if len(windows) == 0:
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    apart = spans[:, None, 1] <= spans[None, :, 0]
    if not apart.any():
        apart[0, -1] = True
    similar = (windows @ windows.T)[apart]
    detail = f"{len(windows)} windows, {len(similar)} pairs"
    return profile["same_speaker_p20_min"].judge(NAME, float(np.quantile(similar, 0.2)), Reason.SPEAKER_CHANGED, detail)
