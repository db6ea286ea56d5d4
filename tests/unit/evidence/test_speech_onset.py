"""Where the first phoneme of each group begins: by hand-made words, and in a synthetic voice whose times are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Say
from cameo_verifier.evidence.sound import RATE_HZ, listen
from cameo_verifier.evidence.speech_onset import CLOSURE_S, speech_onsets
from cameo_verifier.types import ScoredWord, SoundTrack, Word
from tests.unit.evidence.test_spoken import ASKED, SAID, voiced

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32


def track(*forced: ScoredWord) -> SoundTrack:
    """Return a sound with these words aligned to it, and transcribed."""
    return SoundTrack(
        duration_s=6.0, level_dbfs=-20.0, noise_dbfs=-60.0, peak_dbfs=-6.0, speech=np.array([[1.0, 2.0]]), text="",
        words=tuple(Word(word.text, word.start_s, word.end_s, 0.9) for word in forced), forced=forced, window_s=np.zeros((0, 2)),
        window_embeddings=np.zeros((0, 0), np.float32), embedding=np.zeros(0, np.float32),
    )  # fmt: skip


def said(text: str, onset_s: float | None, *, start_s: float = 0.4, gain: float = 8.0) -> ScoredWord:
    return ScoredWord(text, start_s, 1.9, -0.1, gain=gain, onset_s=onset_s)


def onsets(steps: str, *forced: ScoredWord) -> tuple[float | None, ...]:
    return speech_onsets(Challenge(tuple(map(Say, steps.split("|")))), track(*forced))


def test_the_phonemes_say_when_a_word_began_not_its_times() -> None:
    """A word laid over the humming before it begins with its own first phoneme."""
    assert onsets("nine", said("nine", 1.2)) == (pytest.approx(1.2),)


def test_a_plosive_begins_with_its_closure() -> None:
    """Of a word with a silent closure before its first sound that is taken off, of "double" for two digits as well."""
    assert onsets("panda|melody", said("panda", 1.2), said("melody", 3.2)) == (pytest.approx(1.2 - CLOSURE_S), pytest.approx(3.2))
    double = said("double", 1.2)
    assert onsets("three three", double, double) == (pytest.approx(1.2 - CLOSURE_S),)
    assert onsets("panda", said("panda", 0.01)) == (0.0,)


def test_the_first_word_that_was_said_counts() -> None:
    """Not one that the sound does not speak for, whatever the transcription has in its place."""
    assert onsets("nine one", said("nine", 1.2, gain=-4.0), said("one", 1.6)) == (pytest.approx(1.6),)


def test_a_group_without_phonemes_has_none() -> None:
    """Neither where no word was said, nor where none was aligned."""
    assert onsets("nine|one", said("nine", 1.2, gain=-4.0), said("one", None)) == (None, None)
    assert onsets("nine|one") == (None, None)


def test_a_voice_begins_when_it_begins(kit: ModelKit) -> None:
    """Within 0.15 s of the synthetic voice's own times, by the models that judge."""
    sound, spans = voiced(SAID, pause_s=1.0)
    found = speech_onsets(ASKED, listen(sound, kit, spoken=ASKED.spoken))
    assert found == pytest.approx([start for start, _ in spans], abs=0.15)


def _hum(samples: int) -> F32:
    """Return a square wave at 140 Hz, as loud as a voice."""
    return np.asarray(0.05 * np.sign(np.sin(2 * np.pi * 140 * np.arange(samples) / RATE_HZ)), np.float32)


def _hesitation(samples: int) -> F32:
    """Return a voice that says "ummm", at the end of the time."""
    sound, [(start_s, end_s)] = voiced(["ummm"], pause_s=0.1)
    uttered = sound[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)][-samples:]
    return np.pad(uttered, (samples - len(uttered), 0))


@pytest.mark.parametrize("before", [_hum, _hesitation])
def test_what_fills_the_time_before_a_word_does_not_begin_it(kit: ModelKit, before: object) -> None:
    """Who hums or hesitates from the reveal on, until the answer is ready, has not answered yet."""
    sound, spans = voiced(SAID, pause_s=2.0)
    for start_s, _ in spans:
        end = int((start_s - 0.05) * RATE_HZ)
        begin = max(0, end - RATE_HZ)
        sound[begin:end] += before(end - begin)  # type: ignore[operator]
    found = speech_onsets(ASKED, listen(sound, kit, spoken=ASKED.spoken))
    assert found == pytest.approx([start for start, _ in spans], abs=0.2)
