"""The phrase check, on evidence made by hand and on voices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Say, Turn, TurnHead
from cameo_verifier.checks import phrase
from cameo_verifier.checks.question import Case
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, Missing, Outcome, ScoredWord, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.profile import Profile

MakeEvidence = Callable[..., Evidence]
ASKED = Challenge((Say("seven four mango"), TurnHead(Turn.LEFT), Say("zero one")))
EXPECTED = ("seven", "four", "mango", "zero", "one")
SURE, DOUBTFUL, ABSENT = 8.0, -2.0, -9.0


def read(text: str) -> tuple[Word, ...]:
    """Return the words of a transcript, a second each."""
    return tuple(Word(word, float(second), second + 1.0, 0.9) for second, word in enumerate(text.split()))


def laid(gains: Sequence[float], *, margin: float = 0.0) -> tuple[ScoredWord, ...]:
    """Return the expected words laid over the sound with these gains, the last one with this margin."""
    words = zip(EXPECTED, gains, [0.0] * (len(EXPECTED) - 1) + [margin], strict=True)
    return tuple(ScoredWord(word, float(at), at + 1.0, -0.1, gain, margin) for at, (word, gain, margin) in enumerate(words))


@pytest.mark.parametrize(
    ("text", "gains", "share"),
    [
        ("7 4 mango 0 1", [SURE] * 5, 1.0),
        ("7 4 mango oh won.", [SURE] * 5, 1.0),
        ("7 4 mango 0", [SURE] * 5, 1.0),  # lost by the reading, found in the sound
        ("7 4 mango 0 1", [SURE, SURE, SURE, SURE, DOUBTFUL], 1.0),  # read, and the sound does not object
        ("7 4 mango 0", [SURE, SURE, SURE, SURE, DOUBTFUL], 0.8),  # neither
        ("7 4 mango 0 9", [SURE, SURE, SURE, SURE, ABSENT], 0.8),
        ("um 7 7 4 mango 0 1", [SURE] * 5, 1.0),
    ],
)
def test_the_right_words_pass(make_evidence: MakeEvidence, profile: Profile, text: str, gains: list[float], share: float) -> None:
    """One word in five may go unheard; words the reading lost but the sound speaks for count as said."""
    result = phrase.check(Case(make_evidence(sound={"words": read(text), "forced": laid(gains)}), ASKED), profile)
    assert (result.outcome, result.reason, result.score) == (Outcome.PASS, None, share)


@pytest.mark.parametrize(
    ("text", "gains", "share"),
    [
        ("7 4 mango 6 9", [SURE, SURE, SURE, ABSENT, ABSENT], 0.6),
        ("7 4 mango", [SURE, SURE, SURE, DOUBTFUL, DOUBTFUL], 0.6),
        ("0 1 7 4 mango", [SURE] * 5, 0.6),  # another order: the sound finds zero and one, but in another place
        ("7 4 mango 0 1", [SURE, SURE, SURE, ABSENT, ABSENT], 0.6),  # read by a shift, the sound objects
        ("", [ABSENT] * 5, 0.0),
    ],
)
def test_wrong_words_are_refused(
    make_evidence: MakeEvidence, profile: Profile, text: str, gains: list[float], share: float
) -> None:
    """Two words of five changed, missing, out of order or only read are a mismatch."""
    result = phrase.check(Case(make_evidence(sound={"words": read(text), "forced": laid(gains)}), ASKED), profile)
    assert (result.outcome, result.reason, result.score) == (Outcome.FAIL, Reason.PHRASE_MISMATCH, share)


def test_a_phrase_the_sound_does_not_speak_for_is_refused(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Words read at every place, but each hardly likelier than in silence or than another, are not enough together."""
    result = phrase.check(
        Case(make_evidence(sound={"words": read("7 4 mango 0 1"), "forced": laid([DOUBTFUL] * 5)}), ASKED), profile
    )
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PHRASE_MISMATCH)
    assert (result.score, result.threshold, result.unit) == (DOUBTFUL, profile["phrase_gain_min"].value, "nats")


def test_another_word_in_place_of_one_is_refused(make_evidence: MakeEvidence, profile: Profile) -> None:
    """One word in five may be lost, not changed: where the phonemes are those of another word, that was said."""
    gains = [SURE, SURE, SURE, SURE, ABSENT]
    lost = make_evidence(sound={"words": read("7 4 mango 0"), "forced": laid(gains, margin=-0.3)})
    assert phrase.check(Case(lost, ASKED), profile).outcome is Outcome.PASS
    changed = phrase.check(
        Case(make_evidence(sound={"words": read("7 4 mango 0"), "forced": laid(gains, margin=-4.0)}), ASKED), profile
    )
    assert (changed.outcome, changed.reason, changed.score) == (Outcome.FAIL, Reason.PHRASE_MISMATCH, -4.0)
    heard = make_evidence(sound={"words": read("7 4 mango 0 1"), "forced": laid([SURE] * 5, margin=-4.0)})
    assert phrase.check(Case(heard, ASKED), profile).outcome is Outcome.PASS, "the recogniser hears what the phonemes do not"


def test_every_threshold_counts(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Each of the thresholds of gain and share, made unreachable, turns a pass into a mismatch."""
    unread = make_evidence(sound={"words": (), "forced": laid([SURE] * 5)})
    read_too = make_evidence(sound={"words": read("7 4 mango 0 1"), "forced": laid([SURE] * 5)})
    for name, evidence in (
        ("phrase_said_min", read_too),
        ("phrase_gain_min", read_too),
        ("phrase_read_word_gain_min", read_too),
        ("phrase_unread_word_gain_min", unread),
    ):
        strict = replace(profile, thresholds={**profile.thresholds, name: replace(profile[name], value=SURE + 1)})
        assert phrase.check(Case(evidence, ASKED), profile).outcome is Outcome.PASS
        assert phrase.check(Case(evidence, ASKED), strict).reason is Reason.PHRASE_MISMATCH


def test_words_lost_in_noise_are_asked_for_again(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Below 15 dB, or with others' talk, a phrase that was not heard is the room's fault; one that was heard in it passes."""
    heard = {"level_dbfs": -20.0, "noise_dbfs": -32.0}
    lost = phrase.check(Case(make_evidence(sound={"words": (), "forced": laid([DOUBTFUL] * 5), **heard}), ASKED), profile)
    assert (lost.outcome, lost.reason, lost.detail) == (Outcome.UNABLE, Reason.TOO_NOISY, "0 of 5 words said, gain -2.0 nats")
    others = make_evidence(sound={"words": (), "forced": laid([DOUBTFUL] * 5), "others": np.array([[0.0, 1.0]])})
    assert phrase.check(Case(others, ASKED), profile).reason is Reason.TOO_NOISY
    right = make_evidence(sound={"words": read("7 4 mango 0 1"), "forced": laid([SURE] * 5), **heard})
    assert phrase.check(Case(right, ASKED), profile).outcome is Outcome.PASS


def test_silence_is_no_speech(make_evidence: MakeEvidence, profile: Profile) -> None:
    """A recording in which nobody speaks fails for that, not for the words."""
    silent = make_evidence(sound={"speech": np.zeros((0, 2)), "words": (), "forced": ()})
    result = phrase.check(Case(silent, ASKED), profile)
    assert (result.outcome, result.reason, result.score) == (Outcome.FAIL, Reason.NO_SPEECH, 0.0)


def test_speech_with_no_phrase_laid_over_it_is_a_mismatch(make_evidence: MakeEvidence, profile: Profile) -> None:
    """A thing to say that holds no word at all is never said."""
    result = phrase.check(Case(make_evidence(sound={"words": read("hello")}), Challenge((Say("?!"),))), profile)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PHRASE_MISMATCH)


def test_without_sound_it_is_unable(make_evidence: MakeEvidence, profile: Profile) -> None:
    """A recording without sound cannot be asked, and says why."""
    result = phrase.check(Case(make_evidence(sound=Missing(Reason.NO_AUDIO)), ASKED), profile)
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.NO_AUDIO)


def test_evidence_of_another_challenge_is_our_mistake(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Evidence collected under another phrase is never judged."""
    with pytest.raises(RuntimeError, match="5 words were force-aligned, the challenge has 1"):
        phrase.check(Case(make_evidence(sound={"forced": laid([SURE] * 5)}), Challenge((Say("seven"),))), profile)


SPANISH = Challenge((Say("siete cuatro nueve"), TurnHead(Turn.LEFT), Say("cero uno")), language="es")
DIGITS = ("siete", "cuatro", "nueve", "cero", "uno")


@pytest.mark.parametrize(
    ("text", "gains", "margins", "said"),
    [
        ("7 4 9 0 1", [SURE] * 5, [0.0] * 5, 5),
        ("Siete, cuatro, nueve, cero, uno.", [SURE, SURE, SURE, SURE, DOUBTFUL], [0.0] * 5, 5),
        ("7 4 0 1", [SURE] * 5, [0.0, 0.0, 5.0, 0.0, 0.0], 5),  # lost by the reading, likelier than any other digit
        ("7 4 0 1", [SURE] * 5, [0.0] * 5, 4),  # lost, and as likely as another
        ("7 4 8 0 1", [SURE] * 5, [0.0, 0.0, 5.0, 0.0, 0.0], 4),  # another digit stands in its place
        ("7 4 9 0 1", [SURE, SURE, ABSENT, SURE, SURE], [0.0] * 5, 4),  # read by a shift, the sound objects
        ("4 7 9 0 1", [SURE] * 5, [5.0] * 5, 4),  # another order
        ("7 4 8 1", [SURE] * 5, [0.0, 0.0, 5.0, 5.0, 0.0], 3),  # one digit stands for two
    ],
)
def test_outside_english_every_digit_has_to_be_said(
    make_evidence: MakeEvidence, profile: Profile, text: str, gains: list[float], margins: list[float], said: int
) -> None:
    """One wrong digit decides: the reading, the gain or the margin of each tells it, never the mean of all."""
    words = zip(DIGITS, gains, margins, strict=True)
    forced = tuple(ScoredWord(word, float(at), at + 1.0, -0.1, gain, margin) for at, (word, gain, margin) in enumerate(words))
    result = phrase.check(Case(make_evidence(sound={"words": read(text), "forced": forced}), SPANISH), profile)
    right = said == len(DIGITS)
    assert (result.outcome, result.reason) == ((Outcome.PASS, None) if right else (Outcome.FAIL, Reason.PHRASE_MISMATCH))
    assert (result.score, result.detail) == (said / 5, f"{said} of 5 digits said")
