from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.evidence.speech_enhancement import enhanced

RATE_HZ = 16_000


def speech_in_noise(noise: float, seed: int = 1) -> np.ndarray:
    """A tone of half a second each second, over noise."""
    rng = np.random.default_rng(seed)
    t_s = np.arange(4 * RATE_HZ) / RATE_HZ
    return (0.2 * np.sin(2 * np.pi * 440 * t_s) * (t_s % 1 < 0.5) + noise * rng.standard_normal(len(t_s))).astype(np.float32)


def test_speech_stands_further_out_of_a_room() -> None:
    """What is said keeps its level within 1 dB; the noise between loses 4 dB and more."""
    before = speech_in_noise(0.02)
    after = enhanced(before)
    said = np.arange(len(before)) % RATE_HZ < RATE_HZ // 2
    assert 20 * np.log10(after[said].std() / before[said].std()) == pytest.approx(0.0, abs=1.0)
    assert 20 * np.log10(after[~said].std() / before[~said].std()) < -4.0


@given(st.integers(0, 1000), st.integers(0, 3 * RATE_HZ))
def test_a_sound_stays_as_long_and_gets_no_louder(seed: int, samples: int) -> None:
    """Whatever the length, as many samples come back, and no more power than there was."""
    sound = (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)
    found = enhanced(sound)
    assert found.dtype == np.float32
    assert len(found) == samples
    assert np.square(found).sum() <= 1.01 * np.square(sound).sum() + 1e-6


def test_a_silent_room_changes_nothing() -> None:
    """Silence stays silence, and speech over hardly any noise stays what it is."""
    assert not enhanced(np.zeros(RATE_HZ, np.float32)).any()
    clean = speech_in_noise(1e-5)
    assert np.abs(enhanced(clean) - clean).max() < 0.01
