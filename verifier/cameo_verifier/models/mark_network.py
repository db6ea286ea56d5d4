"""Watermark decoder: builds Perth's network as ONNX: three convolution stacks over the spectrogram at three speeds.

Its input is sound, its output the probability of the mark. The mark is a change of the spectrogram below 2 kHz that is meant to
be masked by the speech (Resemble AI, Perth: github.com/resemble-ai/Perth). Each stack takes the log magnitudes stretched to 1.25,
1 or 0.75 of their length and gives each moment a weight and a value; their means over the moments that are not silent are
combined by softmax.

The published network takes windows of 2,048 samples every 320 at 32 kHz, and all 1,025 magnitudes. It reads the mark from the
lowest 128, up to 2 kHz, which windows of 1,024 every 160 at 16 kHz have as well; the others only help to detect silent moments,
for which the lowest suffice. The spectrogram is part of the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_verifier.models.onnx_graph import OnnxGraph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_verifier.models.convert.torch_checkpoint import Tensor

WINDOW = 1024
HOP = 160
BINS = 128
SPEEDS = {"slow_layers": 1.25, "normal_layers": 1.0, "fast_layers": 0.75}
LAYERS = 7
_RATE = 2.0
"""Magnitudes at 32 kHz over those at 16 kHz: twice as many samples are summed."""
SPAN_DB = 195.0
"""Range from the floor to 15 dB, scaled to 0..1."""
_FLOOR_DB = -180.0
_SLOPE = 0.01
_SILENT = 0.05
"""Share of the loudest moment, both as sums of normalised log magnitudes."""
_HEARD = 0.5
"""Below this is digital silence, distinct from 0 only by rounding; it holds no mark."""


def mark_model(state: Mapping[str, Tensor]) -> Any:  # noqa: ANN401 - onnx ships no types
    """Return the model: `sound` (1, samples) float32 at 16 kHz, more than 512 of them -> `mark` (1,), 0..1.

    Args:
        state: the parameters by their names in the checkpoint.

    Raises:
        KeyError: a parameter is missing.
    """
    g = OnnxGraph("audio_mark")
    spectrum = log_magnitudes(g, "sound")
    loudness = g.op("ReduceSum", spectrum, g.weight([1], np.int64), keepdims=1)
    loudest = g.op("ReduceMax", loudness, g.weight([2], np.int64), keepdims=1)
    least = g.op("Max", g.op("Mul", loudest, g.weight(_SILENT)), g.weight(_HEARD))
    voiced = g.op("Cast", g.op("Greater", loudness, least), to=1)
    means = []
    for name, speed in SPEEDS.items():
        x, heard = spectrum, voiced
        if speed != 1.0:
            scales = g.weight([1.0, 1.0, speed])
            options = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            x = g.op("Resize", x, "", scales, mode="linear", coordinate_transformation_mode="align_corners")
            heard = g.op("Resize", heard, "", scales, **options)
        both = stack(g, x, state, f"decoder.{name}")
        total = g.op("ReduceSum", g.op("Mul", both, heard), g.weight([2], np.int64), keepdims=1)
        count = g.op("ReduceSum", heard, g.weight([2], np.int64), keepdims=1)
        means.append(g.op("Div", total, g.op("Max", count, g.weight(1.0))))
    attention, value = g.slices(g.op("Concat", *means, axis=2), 2, 1)
    weighted = g.op("Mul", g.op("Softmax", attention, axis=2), value)
    mark = g.op("Clip", g.op("ReduceSum", weighted, g.weight([1, 2], np.int64), keepdims=0), g.weight(0.0), g.weight(1.0))
    return g.model({"sound": (1, "samples")}, mark, "mark", (1,))


def log_magnitudes(g: OnnxGraph, sound: str) -> str:
    """Add the spectrogram, (1, samples) -> (1, 128, columns): -180 to 15 dB as 0 to 1, every 10 ms, reflected at the ends."""
    edge = WINDOW // 2
    padded = g.op("Pad", sound, g.weight([0, edge, 0, edge], np.int64), mode="reflect")
    channel = g.op("Unsqueeze", padded, g.weight([1], np.int64))
    n = np.arange(WINDOW)
    hann = _RATE * (0.5 - 0.5 * np.cos(2.0 * np.pi * n / WINDOW))
    angles = 2.0 * np.pi * np.outer(np.arange(BINS), n) / WINDOW
    parts = [g.conv(channel, (wave(angles) * hann)[:, None], stride=HOP) for wave in (np.cos, np.sin)]
    power = g.op("Add", *(g.op("Mul", part, part) for part in parts))
    floored = g.op("Log", g.op("Max", power, g.weight(10.0 ** (_FLOOR_DB / 10.0))))
    decibels = g.op("Mul", floored, g.weight(10.0 / np.log(10.0) / SPAN_DB))
    return g.op("Add", decibels, g.weight(-_FLOOR_DB / SPAN_DB))


def stack(g: OnnxGraph, x: str, state: Mapping[str, Tensor], name: str) -> str:
    """Add seven convolutions over time with leaky rectifiers between them."""
    for layer in range(LAYERS):
        weight, bias = (state[f"{name}.{layer}.conv.{part}"] for part in ("weight", "bias"))
        x = g.conv(x, weight, bias, padding=weight.shape[2] // 2)
        if layer < LAYERS - 1:
            x = g.op("LeakyRelu", x, alpha=_SLOPE)
    return x
