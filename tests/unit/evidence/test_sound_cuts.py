from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.evidence.sound_cuts import stops

RATE_HZ = 16_000


def room(seconds: float = 3.0, *, noise: float = 1e-4, seed: int = 1, decay_s: float = 0.15) -> np.ndarray:
    """Bursts of 0.3 s, two a second, whose echo takes `decay_s` to fall by 60 dB, over a room's noise."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE_HZ)
    since_s = np.maximum(np.arange(count) / RATE_HZ % 0.5 - 0.3, 0.0)
    loud = 10 ** (-3 * since_s / decay_s)
    return (0.2 * loud * rng.standard_normal(count) + noise * rng.standard_normal(count)).astype(np.float32)


@given(st.integers(0, 1000), st.floats(0.1, 1.0), st.floats(0.0, 0.01))
def test_what_dies_away_never_stops(seed: int, decay_s: float, noise: float) -> None:
    """Whatever the room and its noise, an echo of a tenth of a second and more leaves nothing that stops at once."""
    assert len(stops(room(seed=seed, decay_s=decay_s, noise=noise))) == 0


def test_pieces_pasted_into_silence_stop_where_they_end() -> None:
    """Each of three pieces cut out in the midst of sound ends at once, and the time is named to 10 ms."""
    sound = np.zeros(3 * RATE_HZ, np.float32)
    for start_s in (0.5, 1.25, 2.0):
        start = int(start_s * RATE_HZ)
        sound[start : start + 4000] = room()[500:4500]
    assert stops(sound) == pytest.approx([0.75, 1.5, 2.25], abs=0.01)


@pytest.mark.parametrize("gain", [1.0, 0.4])
def test_sound_of_8_bits_does_not_stop(gain: float) -> None:
    """Echoes that die away under the last step of 8 bits end in nothing at once, which nobody hears."""
    coarse = np.round(gain * room(noise=0.0, decay_s=0.3) * 127) / 128
    assert len(stops(coarse.astype(np.float32))) == 0


def test_the_ends_of_a_recording_do_not_count() -> None:
    """Sound that begins and ends in full, as recorders cut it, has no stop."""
    padded = np.concatenate([room()[: 2 * RATE_HZ + 2000], np.zeros(1200, np.float32)])
    assert len(stops(padded)) == 0


@pytest.mark.parametrize("samples", [0, 1, 79, 80, 161, 1600, 3300])
def test_silence_and_short_sounds_have_no_stops(samples: int) -> None:
    """Nothing, and too little for two levels, is no stop."""
    assert len(stops(np.zeros(samples, np.float32))) == 0
    assert len(stops(np.ones(samples, np.float32))) == 0
