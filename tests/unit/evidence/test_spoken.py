"""Where each part of a phrase was said, heard by the real recogniser from a synthetic voice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.signal

from cameo_challenges.model import Challenge, Say, Turn, TurnHead
from cameo_verifier.checks import phrase, second_voice, sound_repeat
from cameo_verifier.checks import speaker as speaker_check
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.sound import RATE_HZ, listen
from cameo_verifier.evidence.spoken import contrasted, force_align, spoken_spans, witnesses, words_said
from cameo_verifier.models.index import judged_languages
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Kind, Reason
from cameo_verifier.settings import Settings
from cameo_verifier.types import Evidence, MediaInfo, Missing, Outcome, SoundTrack, Word
from fixtures.studio.speech import SOUND_HZ
from fixtures.studio.voices import Voice, speaker
from tests.english import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32

SAID = ("seven mango zero", "two eight", "piano one five")
ASKED = Challenge((Say(SAID[0]), TurnHead(Turn.LEFT), Say(SAID[1]), TurnHead(Turn.UP), Say(SAID[2])))


def voiced(texts: Sequence[str], *, pause_s: float) -> tuple[F32, list[tuple[float, float]]]:
    """Return the texts said with pauses between, at 16 kHz, and when each was said."""
    parts: list[F32] = [np.zeros(RATE_HZ // 2, np.float32)]
    spans: list[tuple[float, float]] = []
    for text in texts:
        utterance = speaker(Voice.HEART).say(text)
        start_s = sum(map(len, parts)) / RATE_HZ
        spans.append((start_s + utterance.words[0].start_s, start_s + utterance.words[-1].end_s))
        said = scipy.signal.resample_poly(utterance.sound, 1, SOUND_HZ // RATE_HZ)
        parts += [np.asarray(0.1 * said / said.std(), np.float32), np.zeros(int(pause_s * RATE_HZ), np.float32)]
    return np.concatenate(parts), spans


@pytest.fixture(scope="module")
def spoken() -> tuple[F32, list[tuple[float, float]]]:
    """The challenge's texts with 2.5 s for each turn, and when each was said."""
    return voiced(SAID, pause_s=2.5)


@pytest.fixture(scope="module")
def track(kit: ModelKit, spoken: tuple[F32, list[tuple[float, float]]]) -> SoundTrack:
    """What the sound yields under the challenge."""
    return listen(spoken[0], kit, spoken=ASKED.spoken)


def accepts(challenge: Challenge, track: SoundTrack) -> bool:
    """Whether the phrase check passes by the default profile."""
    media = MediaInfo(container="", size_bytes=0, sha256="", duration_s=track.duration_s)
    evidence = Evidence(media=media, face=Missing(Reason.NO_VIDEO), sound=track)
    return phrase.check(Case(evidence, challenge), load()).outcome is Outcome.PASS


def test_spans_survive_the_pauses(track: SoundTrack, spoken: tuple[F32, list[tuple[float, float]]]) -> None:
    """Each group is found where it was said, in seconds of the recording, though the recogniser heard it without the pauses."""
    found = spoken_spans(ASKED, track)
    assert len(found) == 3
    for span, truth in zip(found, spoken[1], strict=True):
        assert span == pytest.approx(truth, abs=0.35)


def test_words_read_are_enough_to_find_a_group(track: SoundTrack) -> None:
    """Without words laid over the sound the free reading finds the groups by itself, and the other way round."""
    by_reading = spoken_spans(ASKED, replace(track, forced=()))
    by_sound = spoken_spans(ASKED, replace(track, words=()))
    for read, laid in zip(by_reading, by_sound, strict=True):
        assert read == pytest.approx(laid, abs=0.5)


def test_a_group_that_was_not_said_has_no_span(kit: ModelKit) -> None:
    """Silence where a group was due is `None`, and the others are found."""
    sound, _ = voiced(SAID[:2], pause_s=2.0)
    first, second, third = spoken_spans(ASKED, replace(listen(sound, kit, spoken=ASKED.spoken), forced=()))
    assert first is not None
    assert second is not None
    assert third is None


def test_the_sound_speaks_for_what_was_said(track: SoundTrack) -> None:
    """Every word gains from the sound, and the phrase is accepted."""
    heard = witnesses(ASKED, track)
    assert [word.text for word in heard.forced] == " ".join(SAID).split()
    assert min(word.gain for word in heard.forced) > 1.0
    assert accepts(ASKED, track)


@pytest.mark.parametrize(
    "texts",
    [
        ("seven mango zero", "three eight", "piano one nine"),
        ("seven coffee zero", "two eight", "window one five"),
        ("two eight", "piano one five", "seven mango zero"),
        ("four basket six", "one three", "nine cowboy two"),
    ],
)
def test_the_sound_does_not_speak_for_what_was_not(
    kit: ModelKit, spoken: tuple[F32, list[tuple[float, float]]], track: SoundTrack, texts: tuple[str, ...]
) -> None:
    """Two digits changed, both words changed, the groups in another order, everything changed: none is accepted."""
    heard = kit.transcriber.encode(spoken[0], speech=track.speech)
    other = replace(track, forced=force_align(kit.transcriber, heard, texts, track.words, ENGLISH))
    assert not accepts(Challenge(tuple(Say(text) for text in texts)), other)


def test_oh_is_zero(kit: ModelKit) -> None:
    """Who says "oh" where "zero" is asked has said it."""
    sound, _ = voiced(["four oh seven two oh"], pause_s=1.0)
    track = listen(sound, kit, spoken=["four zero seven two zero"])
    assert accepts(Challenge((Say("four zero seven two zero"),)), track)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("three three marble", "two one", "zero basket"), ("hello three three marble", "two one", "zero basket okay thank you")),
        (("six umbrella four", "zero monkey", "one six"), ("okay so six umbrella four", "um zero monkey", "and one six")),
        (
            ("six umbrella four", "zero monkey", "one six"),
            ("say six umbrella four", "turn left, zero monkey", "turn up, one six"),
        ),
        (("camera seven eight", "two six zero"), ("camera seven, camera seven eight", "two six zero")),
        (("zero zero marble", "two zero"), ("zero oh marble", "two oh")),
        (("three three marble", "two zero zero"), ("double three marble", "two double oh")),
        (("zero five marble", "two one"), ("nought five marble", "two one")),
    ],
    ids=["hello and thanks", "okay so", "the prompt read aloud", "begun again", "zero and oh", "double", "nought"],
)
def test_words_beside_the_asked_ones_are_no_harm(kit: ModelKit, asked: tuple[str, ...], said: tuple[str, ...]) -> None:
    """Who greets, reads the prompt aloud, begins again, or says a digit another way has said what was asked, every word of it."""
    sound, _ = voiced(said, pause_s=1.5)
    track = listen(sound, kit, spoken=asked)
    challenge = Challenge(tuple(Say(text) for text in asked))
    assert accepts(challenge, track)
    assert sum(words_said(witnesses(challenge, track), read_gain=0.5, unread_gain=1.5)) >= len(track.forced) - 1


@pytest.mark.parametrize(
    "said",
    [
        ("hello zero nine marble", "two one", "zero basket okay thank you"),
        ("okay so three three marble", "um eight seven", "and zero basket"),
        ("say double four marble", "two one", "zero basket"),
    ],
)
def test_wrong_digits_are_refused_whatever_stands_beside(kit: ModelKit, said: tuple[str, ...]) -> None:
    """Two digits of seven changed are no answer, with a greeting as without."""
    asked = ("three three marble", "two one", "zero basket")
    track = listen(voiced(said, pause_s=1.5)[0], kit, spoken=asked)
    assert not accepts(Challenge(tuple(Say(text) for text in asked)), track)


def broken_off(text: str) -> F32:
    """Return a text whose last word is broken off in its middle, and 0.4 s of silence."""
    utterance = speaker(Voice.HEART).say(text)
    last = utterance.words[-1]
    said = scipy.signal.resample_poly(utterance.sound, 1, SOUND_HZ // RATE_HZ)
    said = said[: round((last.start_s + last.end_s) / 2 * RATE_HZ)]
    fade = np.minimum(1.0, np.arange(len(said), 0, -1) / (0.05 * RATE_HZ))
    return np.asarray(np.concatenate([0.1 * said / said.std() * fade, np.zeros(round(0.4 * RATE_HZ))]), np.float32)


def cough(rng: np.random.Generator, level: float) -> F32:
    """Return 0.35 s of noise that bursts and dies away, twice, as loud as `level`."""
    fade = np.exp(-np.linspace(0.0, 5.0, round(0.35 * RATE_HZ)))
    burst = rng.standard_normal(len(fade)) * fade
    smooth = scipy.signal.lfilter([1.0], [1.0, -0.7], np.concatenate([burst, burst]))
    return np.asarray(level * smooth / np.abs(smooth).max(), np.float32)


@pytest.mark.parametrize("fault", ["broken off", "cough before", "cough between", "cough after"])
def test_a_restart_or_a_cough_accuses_nobody(kit: ModelKit, fault: str) -> None:
    """A word that is broken off and begun again, or a cough, is passed over: the phrase passes, and no check sees an attack."""
    asked = ("four seven zero", "mango two eight", "piano one five")
    sound, spans = voiced(asked, pause_s=1.5)
    places_s = {
        "broken off": spans[0][0] - 0.1,
        "cough before": 0.0,
        "cough between": spans[0][1] + 0.4,
        "cough after": spans[-1][1] + 0.4,
    }
    added = broken_off("four seven") if fault == "broken off" else cough(np.random.default_rng(3), 0.5)
    at = round(places_s[fault] * RATE_HZ)
    sound = np.concatenate([sound[:at], added, sound[at:]])
    track = listen(sound, kit, spoken=asked)
    media = MediaInfo(container="", size_bytes=0, sha256="", duration_s=track.duration_s)
    evidence = Evidence(media=media, face=Missing(Reason.NO_VIDEO), sound=track)
    challenge, profile = Challenge(tuple(Say(text) for text in asked)), load()
    assert phrase.check(Case(evidence, challenge), profile).outcome is Outcome.PASS
    for module in (second_voice, sound_repeat, speaker_check):
        reason = module.check(Case(evidence, challenge), profile).reason
        assert reason is None or reason.kind is not Kind.ATTACK


def test_a_wrong_digit_after_a_restart_is_refused(kit: ModelKit) -> None:
    """Beginning again is no second guess: who ends on other digits has not said what was asked."""
    sound, _ = voiced(("four seven, four nine two", "mango two eight"), pause_s=1.5)
    asked = ("four seven zero", "mango two eight")
    assert not accepts(Challenge(tuple(Say(text) for text in asked)), listen(sound, kit, spoken=asked))


def test_nothing_asked_is_nothing_laid(kit: ModelKit, spoken: tuple[F32, list[tuple[float, float]]]) -> None:
    """Without a phrase no word is laid over the sound."""
    assert listen(spoken[0], kit).forced == ()


@pytest.mark.parametrize("words", ["banana octopus", "mushroom elephant", "umbrella wizard"])
def test_the_recogniser_reads_the_lexicon(kit: ModelKit, words: str) -> None:
    """A handful of the lexicon, said between digits by a natural voice, is read word for word."""
    phrase_text = f"three {words} nine two"
    sound, _ = voiced([phrase_text], pause_s=1.0)
    track = listen(sound, kit, spoken=[phrase_text])
    assert witnesses(Challenge((Say(phrase_text),)), track).reading.complete


def test_a_lost_digit_is_told_from_the_nine_others(kit: ModelKit) -> None:
    """By the recogniser alone: the phrase is likelier with the right digit in its place than with any other; a wrong one is not.

    Where the transcription omits more than a few, none is told.
    """
    sound, _ = voiced(["seven two eight five one"], pause_s=0.5)
    heard = kit.transcriber.encode(sound)

    def margins(text: str, read: str) -> list[float]:
        words = [Word(digit, float(at), at + 1.0, 0.9) for at, digit in enumerate(read.split())]
        laid = force_align(kit.transcriber, heard, [text], words, ENGLISH)
        return [word.margin for word in contrasted(kit.transcriber, heard, [text], words, laid, ENGLISH)]

    right = margins("seven two eight five one", "7 2 5 1")
    assert right[2] > 1.0
    assert right[:2] + right[3:] == [0.0] * 4
    assert margins("seven two nine five one", "7 2 5 1")[2] < -1.0
    assert margins("seven two eight five one", "7") == [0.0] * 5


@pytest.mark.skipif("es" not in judged_languages(Settings().models), reason="needs `cameo models pull --language es`")
def test_english_digits_are_no_spanish_ones(kit: ModelKit) -> None:
    """Outside English no phoneme gives an onset; the digits of another language, and other ones, are not accepted."""
    asked = Challenge((Say("siete dos ocho cinco uno"),), language="es")
    sound, _ = voiced(["nine four four three six"], pause_s=0.5)
    track = listen(sound, kit, spoken=asked.spoken, tag="es")
    assert {word.onset_s for word in track.forced} == {None}
    assert not accepts(asked, track)
