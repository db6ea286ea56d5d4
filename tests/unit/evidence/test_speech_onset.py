"""Where the first phoneme of each group begins: by hand-made levels, and in a synthetic voice whose times are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Say
from cameo_verifier.evidence.sound import listen
from cameo_verifier.evidence.speech_onset import CLOSURE_S, speech_onsets
from cameo_verifier.types import ScoredWord, SoundTrack, Word
from tests.unit.evidence.test_spoken import ASKED, SAID, voiced

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit

BLOCK_S = 0.03


def track(token: str, loud_s: tuple[tuple[float, float], ...], *, laid_s: tuple[float, float]) -> SoundTrack:
    """Return a sound that is loud in these spans, with one word laid over it."""
    levels = np.full(200, -60.0, np.float32)
    for start, end in loud_s:
        levels[round(start / BLOCK_S) : round(end / BLOCK_S)] = -20.0
    return SoundTrack(
        duration_s=6.0, level_dbfs=-20.0, noise_dbfs=-60.0, peak_dbfs=-6.0, speech=np.array([[1.0, 2.0]]), text=token,
        words=(Word(token, *laid_s, 0.9),), forced=(ScoredWord(token, *laid_s, -0.1, gain=8.0),), window_s=np.zeros((0, 2)),
        window_embeddings=np.zeros((0, 0), np.float32), embedding=np.zeros(0, np.float32), levels_dbfs=levels,
    )  # fmt: skip


def onset(token: str, sound: SoundTrack) -> float | None:
    return speech_onsets(Challenge((Say(token),)), sound)[0]


@pytest.mark.parametrize("laid_s", [(0.6, 1.5), (1.2, 1.5), (1.32, 1.5)])
def test_the_sound_says_when_it_began_not_the_word_laid_over_it(laid_s: tuple[float, float]) -> None:
    """A word laid over the silence before it, or over its own middle, begins where the sound rises."""
    assert onset("nine", track("nine", ((1.2, 1.5),), laid_s=laid_s)) == pytest.approx(1.2)


def test_a_plosive_begins_with_its_closure() -> None:
    """Of a word with a silent closure before its first sound that is taken off; of another one nothing is."""
    assert onset("panda", track("panda", ((1.2, 1.5),), laid_s=(1.2, 1.5))) == pytest.approx(1.2 - CLOSURE_S)
    assert onset("melody", track("melody", ((1.2, 1.5),), laid_s=(1.2, 1.5))) == pytest.approx(1.2)


def test_a_closure_within_the_word_does_not_begin_it_anew() -> None:
    """A gap of 90 ms belongs to the word, one of 150 ms to what was before it."""
    assert onset("nine", track("nine", ((1.2, 1.29), (1.38, 1.8)), laid_s=(1.2, 1.8))) == pytest.approx(1.2)
    assert onset("nine", track("nine", ((0.9, 1.05), (1.2, 1.5)), laid_s=(1.2, 1.5))) == pytest.approx(1.2)


def test_what_the_group_before_said_is_not_taken() -> None:
    """Without a pause a group begins where the one before it ended."""
    both = track("nine", ((0.9, 1.8),), laid_s=(0.9, 1.35))
    both = replace(
        both, words=(*both.words, Word("one", 1.4, 1.8, 0.9)), forced=(*both.forced, ScoredWord("one", 1.4, 1.8, -0.1, 8.0))
    )
    first, second = speech_onsets(Challenge((Say("nine"), Say("one"))), both)
    assert (first, second) == (pytest.approx(0.9), pytest.approx(1.35))


def test_without_levels_or_above_no_noise_the_word_stands() -> None:
    """Tracks of an earlier version have no levels; in noise as loud as the word nothing rises."""
    sound = track("nine", ((1.2, 1.5),), laid_s=(1.25, 1.5))
    assert onset("nine", replace(sound, levels_dbfs=np.zeros(0, np.float32))) == pytest.approx(1.25)
    assert onset("nine", replace(sound, noise_dbfs=-21.0)) == pytest.approx(1.25)


def test_a_group_that_was_not_heard_has_none() -> None:
    """No word, no onset."""
    sound = track("nine", (), laid_s=(1.0, 1.2))
    assert onset("nine", replace(sound, words=(), forced=())) is None


def test_a_voice_begins_when_it_begins(kit: ModelKit) -> None:
    """Within 0.15 s of the synthetic voice's own times, by the models that judge."""
    sound, spans = voiced(SAID, pause_s=1.0)
    found = speech_onsets(ASKED, listen(sound, kit, spoken=ASKED.spoken))
    assert found == pytest.approx([start for start, _ in spans], abs=0.15)
