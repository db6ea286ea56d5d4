from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.signal import resample_poly

from cameo_challenges.match import tokens
from cameo_verifier.errors import ModelKitError
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.transcription import Transcriber
from cameo_verifier.settings import MediaLimits
from fixtures.studio.speech import SOUND_HZ
from fixtures.studio.voices import Voice, speaker
from tests.english import ENGLISH

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32


def _sound(path: Path) -> F32:
    with open_recording(path, limits=MediaLimits()) as recording:
        return recording.sound()


@pytest.fixture(scope="module")
def sentence(devdata: Path) -> F32:
    """Place white in J three please."""
    return _sound(devdata / "bonafide" / "pwij3p.mpg")


@pytest.mark.parametrize("kind", ["silence", "noise", "nothing"])
def test_no_words_without_speech(kit: ModelKit, kind: str) -> None:
    """Digital silence, loud noise and no sound at all have no words, where the recogniser alone would invent some."""
    sound = {
        "silence": np.zeros(48_000, np.float32),
        "noise": np.random.default_rng(0).normal(scale=0.1, size=48_000).astype(np.float32),
        "nothing": np.zeros(0, np.float32),
    }[kind]

    assert kit.transcriber.transcribe(sound) == ("", ())


@pytest.mark.devdata
def test_sentence_is_heard_with_times(kit: ModelKit, sentence: F32) -> None:
    """A spoken sentence is written down, its words in order, inside the speech, each with a probability."""
    text, words = kit.transcriber.transcribe(sentence)
    [[start_s, end_s]] = kit.voice_activity.segments(sentence)

    assert text == "Place white in J3, please."
    assert [word.text for word in words] == text.split()
    assert all(word.start_s < word.end_s for word in words)
    assert all(before.end_s <= after.start_s + 1e-9 for before, after in pairwise(words))
    assert start_s <= words[0].start_s < start_s + 0.2
    assert end_s - 0.3 < words[-1].end_s <= end_s
    assert all(0.5 < word.probability <= 1 for word in words)


@pytest.mark.devdata
def test_hearing_repeats(kit: ModelKit, sentence: F32) -> None:
    """The same sound is heard the same each time, encoded once or twice."""
    encoded = kit.transcriber.encode(sentence)

    assert kit.transcriber.passages(sentence) == kit.transcriber.passages(encoded)
    assert kit.transcriber.force(sentence, ["place white"]) == kit.transcriber.force(encoded, ["place white"])


@pytest.mark.devdata
def test_telephone_sound_is_heard(kit: ModelKit, devdata: Path) -> None:
    """A digit string at 8 kHz is heard after upsampling."""
    text, _ = kit.transcriber.transcribe(_sound(devdata / "speech" / "digits" / "NU-3013.zipcode.wav"))

    assert tokens(text, ENGLISH) == tokens("5 6 3 4 7", ENGLISH), (
        "in figures or in words, which differs from one processor to the next"
    )


@pytest.mark.devdata
def test_prompt_and_beam_reach_the_recogniser(kit: ModelKit, devdata: Path) -> None:
    """A prompt in number words changes how digits are written, and the width of the beam how sure the recogniser is."""
    encoded = kit.transcriber.encode(_sound(devdata / "speech" / "digits" / "NU-3006.zipcode.wav"))
    [usual] = kit.transcriber.passages(encoded)
    [worded] = kit.transcriber.passages(encoded, initial_prompt="seven, zero, three, nine, one.")
    [greedy] = kit.transcriber.passages(encoded, beam_size=1)

    [figures] = kit.transcriber.passages(encoded, initial_prompt="7, 0, 3, 9, 1.")

    assert worded.text != figures.text
    assert greedy.avg_log_prob != usual.avg_log_prob
    assert 0 <= usual.no_speech_prob <= 1


@pytest.mark.devdata
def test_what_was_said_scores_above_what_was_not(kit: ModelKit, sentence: F32) -> None:
    """Words laid over the sound score by whether they were said there, word by word."""
    encoded = kit.transcriber.encode(sentence)
    said = kit.transcriber.force(encoded, ["place white in", "j 3 please"])
    other = kit.transcriber.force(encoded, ["place green in", "j 3 please"])

    assert [word.text for word in said] == ["place", "white", "in", "j", "3", "please"]
    assert all(word.log_prob <= 0 for word in said)
    assert said[1].log_prob > other[1].log_prob + 3
    assert said[0].log_prob == pytest.approx(other[0].log_prob, abs=1e-3), "words before the difference score the same"
    _, heard = kit.transcriber.transcribe(encoded)
    assert said[1].start_s == pytest.approx(heard[1].start_s, abs=0.15)
    assert said[-1].end_s == pytest.approx(heard[-1].end_s, abs=0.3)


def test_a_decoder_that_repeats_itself_is_asked_again(kit: ModelKit) -> None:
    """After six zeros the recogniser writes zeros to the end; asked again it writes what comes after them, if not each word."""
    spoken = speaker(Voice.HEART).say("zero zero zero zero zero zero spider three eight two music").sound
    sound = resample_poly(spoken, 16_000, SOUND_HZ)
    room = np.random.default_rng(0).normal(0, 0.001, len(sound) + 16_000)
    room[8_000:-8_000] += 0.5 * sound / np.abs(sound).max()
    text, _ = kit.transcriber.transcribe(room.astype(np.float32))

    assert set(tokens("3 8 2 music", ENGLISH)) <= set(tokens(text, ENGLISH))
    assert tokens(text, ENGLISH).count(*tokens("0", ENGLISH)) < 8


def test_forcing_nothing_is_nothing(kit: ModelKit) -> None:
    """No expected words, no scored words."""
    assert kit.transcriber.force(np.zeros(16_000, np.float32), ["", "  "]) == ()


def test_missing_file_is_not_fetched(tmp_path: Path) -> None:
    """A folder without its tokenizer is refused, where the vendor would ask a hub for it."""
    for name in ("config.json", "model.bin", "vocabulary.txt"):
        (tmp_path / name).touch()
    with pytest.raises(ModelKitError, match=r"tokenizer\.json is missing; run: cameo models pull"):
        Transcriber(tmp_path, threads=1)


def test_damaged_model_is_our_error(tmp_path: Path) -> None:
    """A folder of empty files is a model kit error, not the vendor's own."""
    for name in ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).touch()
    with pytest.raises(ModelKitError, match="cannot be loaded"):
        Transcriber(tmp_path, threads=1)
