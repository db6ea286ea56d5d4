from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest

from cameo_verifier.models.mfcc import mfcc_model

if TYPE_CHECKING:
    from cameo_verifier.types import F32, F64


def _mfcc(sounds: F32) -> F32:
    [coefficients] = onnxruntime.InferenceSession(mfcc_model().SerializeToString()).run(None, {"sound": sounds})
    return np.asarray(coefficients, np.float32)


def _by_the_book(sound: F32) -> F64:
    """Compute MFCC in float64 with a Fourier transform, from the definition."""
    padded = np.pad(sound.astype(np.float64), 200)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 400)[::160]
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = np.abs(np.fft.rfft(frames * hamming)) ** 2
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 46) / 2595) - 1)
    frequencies = np.linspace(0, 8000, 201)
    filters = np.stack(
        [np.clip(1 - np.abs(frequencies - edges[k + 1]) / (edges[k + 1] - edges[k]), 0, None) for k in range(44)], axis=1
    )
    decibels = 10 * np.log10(np.maximum(power @ filters, 1e-10))
    decibels = np.maximum(decibels, decibels.max() - 80)
    k, n = np.arange(24)[:, None], np.arange(44)
    basis = np.sqrt(2 / 44) * np.cos(np.pi * k * (2 * n + 1) / 88)
    basis[0] = np.sqrt(1 / 44)
    return np.asarray(basis @ decibels.T, np.float64)


@pytest.mark.parametrize("samples", [400, 16_000, 40_123])
def test_mfcc_follows_its_definition(samples: int) -> None:
    """The ONNX nodes give the coefficients of the textbook definition to within 1e-3."""
    sound = np.random.default_rng(3).normal(scale=0.1, size=samples).astype(np.float32)

    np.testing.assert_allclose(_mfcc(sound[None])[0], _by_the_book(sound), rtol=0, atol=1e-3)


def test_a_tone_beside_silence_keeps_the_floor() -> None:
    """80 dB below the loudest filter nothing is told apart, so a tone after digital silence has the same floor in both."""
    tone = np.concatenate([np.zeros(8000), 0.5 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 16_000)]).astype(np.float32)
    coefficients = _mfcc(tone[None])[0]

    np.testing.assert_allclose(coefficients, _by_the_book(tone), rtol=0, atol=1e-3)
    np.testing.assert_allclose(coefficients[1:, :40], 0, atol=1e-3)


def test_sounds_of_a_batch_do_not_touch() -> None:
    """A sound has the same coefficients alone and beside a louder one."""
    quiet, loud = np.random.default_rng(5).normal(scale=[[0.001], [0.5]], size=(2, 8000)).astype(np.float32)

    np.testing.assert_allclose(_mfcc(np.stack([quiet, loud]))[0], _mfcc(quiet[None])[0], rtol=0, atol=1e-4)
