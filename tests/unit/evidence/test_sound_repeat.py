from __future__ import annotations

import numpy as np
import pytest

from cameo_verifier.evidence.sound_repeat import repeated

RATE_HZ = 16_000


def voice(seconds: float = 4.0, seed: int = 1) -> np.ndarray:
    """A hum of wandering pitch whose colour changes, in a little noise."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE_HZ)
    pitch_hz = 120 + 30 * np.interp(np.arange(count), np.arange(0, count + 1600, 1600), rng.normal(size=count // 1600 + 1))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    colour = [
        np.interp(np.arange(count), np.arange(0, count + 1600, 1600), rng.uniform(0, 1, count // 1600 + 1)) for _ in range(12)
    ]
    sound = sum(gain * np.sin(k * phase) for k, gain in enumerate(colour, 1)) + rng.normal(0, 0.1, count)
    return (0.05 * sound).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_a_voice_does_not_repeat_itself(seed: int) -> None:
    """No piece of a voice that goes on comes again to the sample."""
    assert repeated(voice(seed=seed)).correlation < 0.9


def test_a_second_that_comes_again_is_found_at_both_places() -> None:
    """A copied second agrees with itself, and both times are named."""
    sound = voice()
    found = repeated(np.concatenate([sound[:32_000], sound[16_000:32_000], sound[32_000:]]))
    assert found.correlation > 0.99
    assert found.again_s - found.first_s == pytest.approx(1.0, abs=0.01)
    assert 1.0 <= found.first_s <= 1.6


def test_a_steady_tone_does_not_count() -> None:
    """A tone agrees with itself at every period; that is no copy."""
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE_HZ) / RATE_HZ)
    assert repeated(tone.astype(np.float32)).correlation < 0.9


def test_silence_and_short_sounds_have_no_repeats() -> None:
    """Nothing loud enough, or too short for two pieces, scores 0."""
    assert repeated(np.zeros(4 * RATE_HZ, np.float32)).correlation == 0.0
    assert repeated(voice(1.0)).correlation == 0.0
