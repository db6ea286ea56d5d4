"""Were the right words said, in the right order?

A word counts as said if the recogniser's free reading has it in its place and the sound speaks for it, or if the sound speaks for
it strongly and the reading does not have it in another place (the recogniser's attention finds a word wherever it was said).
Enough words must count, and the sound must speak for the phrase as a whole, which sees through readings that are right by a shift
("1 4 2 7" for "1 1 4 2"). Speaking for a word is measured as a likelihood ratio: `ScoredWord.gain`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.evidence.spoken import witnesses, words_said
from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile
    from verifier.types import SoundTrack

NAME = "phrase"


def check(evidence: Evidence, challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the share of the expected words that were said, or, where that is enough, how much the sound speaks for them all.

    In noise that words drown in, and where others talk in the background, those that were not heard are not held against the
    person.
    """
    if isinstance(evidence.sound, Missing):
        return CheckResult.unable(NAME, evidence.sound.reason)
    result = _judge(evidence.sound, challenge, profile)
    sound = evidence.sound
    quiet = profile["words_noise_min"].holds(sound.speech_to_noise_db) and profile["others_max"].holds(sound.others_s)
    if result.reason is Reason.PHRASE_MISMATCH and not quiet:
        return CheckResult.unable(NAME, Reason.TOO_NOISY, result.detail)
    return result


def _judge(sound: SoundTrack, challenge: Challenge, profile: Profile) -> CheckResult:
    share_min, mean_min = profile["phrase_said_min"], profile["phrase_gain_min"]
    heard = witnesses(challenge, sound)
    if not heard.forced:
        return share_min.judge(NAME, 0.0, Reason.PHRASE_MISMATCH if len(sound.speech) else Reason.NO_SPEECH)
    lines = (profile["phrase_read_word_gain_min"].value, profile["phrase_unread_word_gain_min"].value)
    said = words_said(heard, read_gain=lines[0], unread_gain=lines[1])
    share = sum(said) / len(said)
    mean = sum(word.gain for word in heard.forced) / len(heard.forced)
    detail = f"{sum(said)} of {len(said)} words said, gain {mean:.1f} {mean_min.unit}"
    if share_min.holds(share) and not mean_min.holds(mean):
        return mean_min.judge(NAME, mean, Reason.PHRASE_MISMATCH, detail)
    return share_min.judge(NAME, share, Reason.PHRASE_MISMATCH, detail)
