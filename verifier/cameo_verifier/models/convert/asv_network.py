"""Speaker network: builds SE-Res2Net50 (26 wide, 4 scales) with attentive statistics pooling as ONNX.

Its input is sound, its output a speaker embedding: SpeechBrain's MFCC (24 of 44 filters, not normalised) are the first nodes of
the graph. Architecture: Gao et al., Res2Net (arXiv:1904.01169), squeeze-and-excitation after each block (arXiv:1709.01507),
attentive statistics pooling over time (arXiv:1803.10963), projection to 512 dimensions of unit length. Inference only: batch
normalisation is folded into the layer beside it, drop-block and the training classes are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_verifier.models.mfcc import mfcc
from cameo_verifier.models.onnx_graph import OnnxGraph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_verifier.models.convert.torch_checkpoint import Tensor
    from cameo_verifier.models.onnx_graph import Array

EMBEDDING_SIZE = 512
_BLOCKS = (3, 4, 6, 3)
_SCALE = 4
_BN_EPSILON = 1e-5
_VARIANCE_FLOOR = 1e-5


def speaker_model(state: Mapping[str, Tensor]) -> Any:  # noqa: ANN401 - onnx ships no types
    """Return the model: `sound` (batch, samples) float32 at 16 kHz -> `embedding` (batch, 512) of unit length.

    Args:
        state: the parameters by their names in the checkpoint.

    Raises:
        KeyError: a parameter is missing.
    """
    network = _Network(state)
    return network.graph.model(
        {"sound": ("batch", "samples")}, network.embedding("sound"), "embedding", ("batch", EMBEDDING_SIZE)
    )


class _Network:
    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self.graph = OnnxGraph("speaker")
        self._state = state

    def embedding(self, sound: str) -> str:
        g = self.graph
        features = g.op("Transpose", mfcc(g, sound, n_mels=44, n_mfcc=24), perm=[0, 2, 1])
        x = g.op("Unsqueeze", features, g.weight([1], np.int64))
        for conv, bn in (("conv1.0", "conv1.1"), ("conv1.3", "conv1.4"), ("conv1.6", "bn1")):
            x = g.op("Relu", self._conv_bn(x, conv, bn, padding=1))
        x = g.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        for stage, blocks in enumerate(_BLOCKS, start=1):
            for block in range(blocks):
                x = self._block(x, f"layer{stage}.{block}", stride=2 if stage > 1 and block == 0 else 1, first=block == 0)
        return self._projection(self._statistics(x))

    def _block(self, x: str, name: str, *, stride: int, first: bool) -> str:
        g = self.graph
        out = g.op("Relu", self._conv_bn(x, f"{name}.conv1", f"{name}.bn1"))
        out = g.op("Concat", *self._scales(out, name, stride=stride, first=first), axis=1)
        out = self._squeeze_excite(self._conv_bn(out, f"{name}.conv3", f"{name}.bn3"), name)
        return g.op("Relu", g.op("Add", out, self._shortcut(x, name, stride=stride) if first else x))

    def _scales(self, x: str, name: str, *, stride: int, first: bool) -> list[str]:
        """Convolve all but the last quarter of the channels, each summed with the one before it except in a first block."""
        g = self.graph
        width = self._state[f"{name}.convs.0.weight"].shape[0]
        *quarters, last = g.slices(x, _SCALE, width)
        scales: list[str] = []
        for index, quarter in enumerate(quarters):
            mixed = quarter if first or not scales else g.op("Add", scales[-1], quarter)
            scales.append(
                g.op("Relu", self._conv_bn(mixed, f"{name}.convs.{index}", f"{name}.bns.{index}", stride=stride, padding=1))
            )
        if first:
            last = g.op("AveragePool", last, kernel_shape=[3, 3], strides=[stride] * 2, pads=[1, 1, 1, 1], count_include_pad=1)
        return [*scales, last]

    def _squeeze_excite(self, x: str, name: str) -> str:
        g = self.graph
        y = g.op("GlobalAveragePool", x)
        y = g.op("Relu", g.conv(y, self._state[f"{name}.se.fc.0.weight"][..., None, None]))
        return g.op("Mul", x, g.op("Sigmoid", g.conv(y, self._state[f"{name}.se.fc.2.weight"][..., None, None])))

    def _shortcut(self, x: str, name: str, *, stride: int) -> str:
        if stride > 1:
            x = self.graph.op("AveragePool", x, kernel_shape=[stride] * 2, strides=[stride] * 2, ceil_mode=1, count_include_pad=0)
        return self._conv_bn(x, f"{name}.downsample.1", f"{name}.downsample.2")

    def _statistics(self, x: str) -> str:
        """Average over frequency, weight each moment by attention, and keep weighted mean and deviation of each channel."""
        g = self.graph
        x = g.op("ReduceMean", x, g.weight([3], np.int64), keepdims=0)
        name = "stats_pooling.attention"
        hidden = g.op("Relu", g.conv(x, self._state[f"{name}.0.weight"], self._state[f"{name}.0.bias"]))
        gain, shift = self._scale_and_shift(f"{name}.2")
        weight = self._state[f"{name}.3.weight"].astype(np.float64)
        bias = self._state[f"{name}.3.bias"] + weight[..., 0] @ shift
        attention = g.op("Softmax", g.conv(hidden, weight * gain[:, None], bias), axis=2)
        time = g.weight([2], np.int64)
        mean = g.op("ReduceSum", g.op("Mul", x, attention), time, keepdims=0)
        square = g.op("ReduceSum", g.op("Mul", g.op("Mul", x, x), attention), time, keepdims=0)
        variance = g.op("Sub", square, g.op("Mul", mean, mean))
        return g.op("Concat", mean, g.op("Sqrt", g.op("Max", variance, g.weight(_VARIANCE_FLOOR))), axis=1)

    def _projection(self, statistics: str) -> str:
        g = self.graph
        gain, shift = self._scale_and_shift("projection.bn")
        weight = self._state["projection.fc.weight"] * gain[:, None]
        bias = self._state["projection.fc.bias"] * gain + shift
        return g.unit_length(g.op("Gemm", statistics, g.weight(weight), g.weight(bias), transB=1))

    def _conv_bn(self, x: str, conv: str, bn: str, *, stride: int = 1, padding: int = 0) -> str:
        gain, shift = self._scale_and_shift(bn)
        weight = self._state[f"{conv}.weight"] * gain[:, None, None, None]
        return self.graph.conv(x, weight, shift, stride=stride, padding=padding)

    def _scale_and_shift(self, bn: str) -> tuple[Array, Array]:
        """Return batch normalisation with its learnt statistics as x * gain + shift, in float64."""
        weight, bias, mean, variance = (
            self._state[f"{bn}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = weight / np.sqrt(variance + _BN_EPSILON)
        return gain, bias - mean * gain
