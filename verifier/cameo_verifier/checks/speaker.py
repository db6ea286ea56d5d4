"""Speaker consistency: checks that one voice speaks throughout.

The same speaker embeddings are compared twice: short windows pairwise, and the least similar group of words with all others. One
voice may look inconsistent in one comparison, two voices do in both; but so does one in a hundred of one, which is retried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question, spoken
from cameo_verifier.evidence.voices import strangeness
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "speaker"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the 20th percentile of the cosine similarities between windows of the speech that share no sound.

    A low percentile and not the least, since short windows of one voice can differ much. Speech too short for two such windows is
    judged by its first and last one. Where `second_voice` can separate groups of words, a weak result in both is retried. In
    noise, and with background speech, windows of one voice differ: a failure there is retried, and so is a similarity that is
    inconclusive, neither clearly that of one voice nor clearly that of two.
    """
    sound = case.evidence.sound
    if isinstance(sound, Missing):
        return CheckResult.unable(NAME, sound.reason)
    windows, spans = sound.window_embeddings, sound.window_s
    if len(windows) == 0:
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    apart = spans[:, None, 1] <= spans[None, :, 0]
    if not apart.any():
        apart[0, -1] = True
    similar = (windows @ windows.T)[apart]
    detail = f"{len(windows)} windows, {len(similar)} pairs"
    steady = float(np.quantile(similar, 0.2))
    result = profile["same_speaker_p20_min"].judge(NAME, steady, Reason.SPEAKER_CHANGED, detail)
    quiet = profile["voice_groups_noise_min"].holds(sound.speech_to_noise_db)
    if result.reason and not (quiet and profile["others_max"].holds(sound.others_s)):
        return CheckResult.unable(NAME, Reason.TOO_NOISY, f"{steady:.2f} in {detail}")
    if result.reason and not profile["another_voice_max"].holds(steady):
        return CheckResult.unable(NAME, Reason.VOICE_INCONCLUSIVE, f"{steady:.2f} in {detail}")
    if result.reason is None and quiet and profile["voice_groups_min"].holds(len(sound.group_s)):
        both = steady + strangeness(sound.group_s, sound.group_embeddings)[0]
        if not profile["voice_both_min"].holds(both):
            return CheckResult.unable(
                NAME, Reason.VOICE_INCONCLUSIVE, f"{steady:.2f} in {detail}; {both:.2f} with the groups of words"
            )
    return result


QUESTION = Question(
    NAME,
    "One voice",
    "It is the same voice throughout.",
    check,
    thresholds=(
        "same_speaker_p20_min",
        "another_voice_max",
        "voice_both_min",
        "voice_groups_min",
        "voice_groups_noise_min",
        "others_max",
    ),
    applies=spoken,
)
