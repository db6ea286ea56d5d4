"""Levels and windows of the sound."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.evidence.sound import HOP_S, RATE_HZ, WINDOW_S, _concatenate, _levels, _power, _window_starts


@given(st.integers(1, 20 * RATE_HZ))
def test_windows_cover_all_of_the_speech(samples: int) -> None:
    """No sample of the speech stays unheard, and none is made up."""
    size = int(WINDOW_S * RATE_HZ)
    starts = _window_starts(samples)
    assert starts[0] == 0
    assert min(starts[-1] + size, samples) == samples
    assert all(0 < b - a <= HOP_S * RATE_HZ for a, b in itertools.pairwise(starts))
    assert all(start + size <= samples for start in starts) or starts == [0]


def test_silence_between_words_is_cut_and_times_are_kept() -> None:
    """Speech is joined, and each sample still knows when it was said."""
    sound = np.arange(4 * RATE_HZ, dtype=np.float32)
    uttered, times_s = _concatenate(sound, np.array([[0.5, 1.0], [3.0, 3.5]]))
    assert len(uttered) == RATE_HZ
    assert np.allclose(uttered / RATE_HZ, times_s)
    assert times_s[0] == 0.5
    assert times_s[-1] == pytest.approx(3.5, abs=1e-3)


def test_levels_are_those_of_speech_and_of_the_floor() -> None:
    """A tone at -20 dBFS over noise at -60 dBFS reads as such."""
    rng = np.random.default_rng(0)
    sound = (10 ** (-60 / 20) * rng.standard_normal(4 * RATE_HZ)).astype(np.float32)
    tone = 10 ** (-20 / 20) * np.sqrt(2) * np.sin(2 * np.pi * 200 * np.arange(RATE_HZ) / RATE_HZ)
    sound[RATE_HZ : 2 * RATE_HZ] += tone.astype(np.float32)
    level, noise = _levels(_power(sound), np.array([[1.0, 2.0]]))
    assert level == pytest.approx(-20, abs=0.3)
    assert noise == pytest.approx(-60, abs=1.5)


def test_digital_silence_has_a_finite_level() -> None:
    """No sample above zero reads as -120 dBFS, never as minus infinity."""
    assert _levels(_power(np.zeros(RATE_HZ, np.float32)), np.zeros((0, 2))) == (-120.0, -120.0)
    assert _levels(_power(np.zeros(0, np.float32)), np.zeros((0, 2))) == (-120.0, -120.0)
