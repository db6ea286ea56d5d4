"""Second speaker: checks that no other voice says a group of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question, spoken
from cameo_verifier.evidence.voices import strangeness
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "second_voice"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the similarity of the least similar group of words to the mean of all others.

    `speaker` detects a voice that has a good part of the speech, but hardly one that says a single prompt; this one does. Unable
    with too few groups to single one out, and in noise, which makes groups of one voice differ. With background speech, the least
    similar group may contain it: such a recording is retried, and so is one whose similarity is inconclusive, neither clearly
    that of one voice nor clearly that of two.
    """
    sound = case.evidence.sound
    if isinstance(sound, Missing):
        return CheckResult.unable(NAME, sound.reason)
    groups, quiet = profile["voice_groups_min"], profile["voice_groups_noise_min"]
    if not groups.holds(len(sound.group_s)):
        return CheckResult.unable(NAME, Reason.NO_SPEECH, f"{len(sound.group_s)} groups of words, {groups.value:.0f} are needed")
    if not quiet.holds(sound.speech_to_noise_db):
        return CheckResult.unable(NAME, Reason.TOO_NOISY, f"{sound.speech_to_noise_db:.0f} {quiet.unit} above the noise")
    likeness, least = strangeness(sound.group_s, sound.group_embeddings)
    start, end = sound.group_s[least]
    detail = f"{len(sound.group_s)} groups, the odd one at {start:.1f} to {end:.1f} s"
    another = Reason.SECOND_VOICE if profile["another_voice_max"].holds(likeness) else Reason.VOICE_INCONCLUSIVE
    reason = another if profile["others_max"].holds(sound.others_s) else Reason.TOO_NOISY
    return profile["voice_group_min"].judge(NAME, likeness, reason, detail)


QUESTION = Question(
    NAME,
    "Second voice",
    "No group of words was said by another voice.",
    check,
    thresholds=("voice_group_min", "another_voice_max", "voice_groups_min", "voice_groups_noise_min", "others_max"),
    applies=spoken,
)
