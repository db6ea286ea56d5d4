"""Phrase verification: checks that the requested words were said in order.

1. A word counts as said if its forced-alignment gain reaches a threshold, a higher one where the transcription does not have it
   in its place, and never where the transcription has it elsewhere (the recogniser's attention finds a word wherever it was
   said). `ScoredWord.gain` is the sum of two likelihood ratios, the recogniser's to silence and that of the phonemes to every
   other word that may be in its place. Words that the recogniser mistranscribes, by accent or age, are recognised by the second;
   those whose phonemes a telephone loses, by the first.
2. Enough words must count. One that does not may have been lost, but no other word may have been recognised in its place.
3. The gain of the whole phrase must reach a threshold.

In a language whose words the phonemes do not tell apart, one wrong digit hardly lowers the gain of the whole: there every digit
must count. It does if the transcription has it in its place and its gain does not contradict that, or, where the transcription
has nothing in its place, if the phrase is likelier with it than with any other digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question, spoken
from cameo_verifier.evidence.spoken import digits_said, witnesses, words_said
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_challenges.model import Challenge
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import SoundTrack

NAME = "phrase"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the share of the expected words that were said, or, where that is enough, the gain of the whole phrase.

    Words that were not recognised do not count against the person in noise that masks words, nor with background speech.
    """
    if isinstance(case.evidence.sound, Missing):
        return CheckResult.unable(NAME, case.evidence.sound.reason)
    result = _judge(case.evidence.sound, case.challenge, profile)
    sound = case.evidence.sound
    quiet = profile["words_noise_min"].holds(sound.speech_to_noise_db) and profile["others_max"].holds(sound.others_s)
    if result.reason is Reason.PHRASE_MISMATCH and not quiet:
        return CheckResult.unable(NAME, Reason.TOO_NOISY, result.detail)
    return result


def _judge(sound: SoundTrack, challenge: Challenge, profile: Profile) -> CheckResult:
    heard = witnesses(challenge, sound)
    by_phonemes = heard.reading.of.by_phonemes
    share_min = profile["phrase_said_min" if by_phonemes else "phrase_digits_said_min"]
    if not heard.forced:
        return share_min.judge(NAME, 0.0, Reason.PHRASE_MISMATCH if len(sound.speech) else Reason.NO_SPEECH)
    if not by_phonemes:
        lines = (profile["phrase_read_digit_gain_min"].value, profile["phrase_lost_digit_margin_min"].value)
        said = digits_said(heard, read_gain=lines[0], lost_margin=lines[1])
        detail = f"{sum(said)} of {len(said)} digits said"
        return share_min.judge(NAME, sum(said) / len(said), Reason.PHRASE_MISMATCH, detail)
    lines = (profile["phrase_read_word_gain_min"].value, profile["phrase_unread_word_gain_min"].value)
    said = words_said(heard, read_gain=lines[0], unread_gain=lines[1])
    share = sum(said) / len(said)
    mean = sum(word.gain for word in heard.forced) / len(heard.forced)
    another = min((word.margin for word, counts in zip(heard.forced, said, strict=True) if not counts), default=0.0)
    detail = f"{sum(said)} of {len(said)} words said, gain {mean:.1f} {profile['phrase_gain_min'].unit}"
    for line, value in (("phrase_said_min", share), ("phrase_unsaid_margin_min", another), ("phrase_gain_min", mean)):
        if not profile[line].holds(value):
            return profile[line].judge(NAME, value, Reason.PHRASE_MISMATCH, detail)
    return share_min.judge(NAME, share, Reason.PHRASE_MISMATCH, detail)


QUESTION = Question(
    NAME,
    "Phrase",
    "The words that were asked were said, in their order.",
    check,
    thresholds=(
        "phrase_said_min",
        "phrase_gain_min",
        "phrase_read_word_gain_min",
        "phrase_unread_word_gain_min",
        "phrase_unsaid_margin_min",
        "phrase_digits_said_min",
        "phrase_read_digit_gain_min",
        "phrase_lost_digit_margin_min",
        "words_noise_min",
        "others_max",
    ),
    applies=spoken,
)
