"""Parity with SpeechBrain and PyTorch: collected only where the `[speechbrain]` extra is installed (`make test-speechbrain`)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from cameo_verifier.types import F32

RATE_HZ = 16_000

collect_ignore_glob = [] if find_spec("speechbrain") else ["test_*.py"]


@pytest.fixture(scope="session")
def noise() -> F32:
    """2.03 s of seeded noise, a length that is no multiple of anything."""
    return np.random.default_rng(7).normal(scale=0.1, size=32_487).astype(np.float32)


@pytest.fixture(scope="session")
def speech_like() -> F32:
    """3.2 s of gliding harmonics under moving formants, syllables of a quarter second with digital silence between some."""
    t = np.arange(int(3.2 * RATE_HZ)) / RATE_HZ
    pitch_hz = 120 + 30 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    formants = [
        (500 + 250 * np.sin(2 * np.pi * 1.1 * t), 90),
        (1500 + 500 * np.sin(2 * np.pi * 0.6 * t + 1), 150),
        (2600 + 0 * t, 220),
    ]
    sound = np.zeros_like(t)
    for harmonic in range(1, 40):
        frequency = harmonic * pitch_hz
        gain = sum(1 / (1 + ((frequency - centre) / width) ** 2) for centre, width in formants)
        sound += gain / harmonic * np.sin(harmonic * phase)
    syllables = np.clip(2 * np.sin(2 * np.pi * 2 * t), 0, 1) * (np.sin(2 * np.pi * 0.4 * t + 1) > -0.6)
    return (0.2 * sound * syllables).astype(np.float32)
