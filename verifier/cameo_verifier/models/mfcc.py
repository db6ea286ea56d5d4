"""Speech features: build SpeechBrain's log-mel filter banks and cepstral coefficients (MFCC) as ONNX nodes.

The numbers are those of `speechbrain.lobes.features.MFCC` and `Fbank` 1.1 with their defaults: 16 kHz, periodic Hamming window of
25 ms every 10 ms, centred with zero padding, a 400-point transform, power spectrum, triangular filters from 0 to 8 kHz on the mel
scale 2595 log10(1 + f/700), decibels no lower than 80 below the loudest filter of the whole sound, orthonormal DCT.
tests/speechbrain compares them with SpeechBrain itself, to within 1e-3.

The transform is a convolution with 400 windowed cosines and sines: exact, and quicker than a general one of this odd size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_verifier.models.onnx_graph import OnnxGraph

if TYPE_CHECKING:
    from cameo_verifier.types import F64

RATE_HZ = 16_000
_WINDOW = 400
_HOP = 160
_BINS = _WINDOW // 2 + 1
_AMIN = 1e-10
_TOP_DB = 80.0


def filter_bank(graph: OnnxGraph, sound: str, *, n_mels: int) -> str:
    """Add SpeechBrain's log-mel filter banks.

    Args:
        graph: where the nodes go.
        sound: name of a (batch, samples) value, 16 kHz.
        n_mels: number of filters.

    Returns:
        The name of a (batch, n_mels, 1 + samples // 160) value, in decibels.
    """
    phase = 2 * np.pi * np.arange(_BINS)[:, None] * np.arange(_WINDOW) / _WINDOW
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    basis = np.concatenate([np.cos(phase), np.sin(phase)]) * window
    spectrum = graph.conv(
        graph.op("Unsqueeze", sound, graph.weight([1], np.int64)), basis[:, None], stride=_HOP, padding=_WINDOW // 2
    )
    power = graph.op("Mul", spectrum, spectrum)
    # One product adds the squared cosine and sine parts and applies the filters.
    mel = graph.conv(power, np.tile(_triangles(n_mels), 2)[..., None])
    decibels = graph.op("Mul", graph.op("Log", graph.op("Max", mel, graph.weight(_AMIN))), graph.weight(10 / np.log(10)))
    loudest = graph.op("ReduceMax", decibels, graph.weight([1, 2], np.int64), keepdims=1)
    return graph.op("Max", decibels, graph.op("Sub", loudest, graph.weight(_TOP_DB)))


def mfcc(graph: OnnxGraph, sound: str, *, n_mels: int, n_mfcc: int) -> str:
    """Add SpeechBrain's MFCC without deltas and context.

    Args:
        graph: where the nodes go.
        sound: name of a (batch, samples) value, 16 kHz.
        n_mels: number of mel filters.
        n_mfcc: number of coefficients kept.

    Returns:
        The name of a (batch, n_mfcc, 1 + samples // 160) value.
    """
    angle = np.pi / n_mels * (np.arange(n_mels) + 0.5) * np.arange(n_mfcc)[:, None]
    dct = np.cos(angle) * np.sqrt(2 / n_mels)
    dct[0] /= np.sqrt(2)
    return graph.conv(filter_bank(graph, sound, n_mels=n_mels), dct[..., None])


def mfcc_model(*, n_mels: int = 44, n_mfcc: int = 24) -> Any:  # noqa: ANN401 - onnx ships no types
    """Return the features alone as a model: `sound` (batch, samples) -> `mfcc` (batch, n_mfcc, frames)."""
    graph = OnnxGraph("mfcc")
    return graph.model(
        {"sound": ("batch", "samples")},
        mfcc(graph, "sound", n_mels=n_mels, n_mfcc=n_mfcc),
        "mfcc",
        ("batch", n_mfcc, "frames"),
    )


def _triangles(n_mels: int) -> F64:
    """Return the triangular filters (n_mels, 201) over the bins from 0 to 8 kHz.

    Each side is as wide as the step *below* the centre, as in SpeechBrain, so a filter does not quite reach the next centre.
    """
    mel = np.linspace(0, 2595 * np.log10(1 + RATE_HZ / 2 / 700), n_mels + 2)
    hz = 700 * (10 ** (mel / 2595) - 1)
    slope = (np.linspace(0, RATE_HZ / 2, _BINS) - hz[1:-1, None]) / np.diff(hz)[:-1, None]
    return np.asarray(np.maximum(0, 1 - np.abs(slope)), np.float64)
