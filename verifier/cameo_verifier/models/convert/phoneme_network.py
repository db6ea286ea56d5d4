"""Phoneme network: builds a small conformer with a CTC head as ONNX.

Its input is sound, its output log probabilities of phonemes, 50 rows a second. The log-mel spectrogram (25 ms windows every 10
ms) is part of the graph. Four blocks of half a feed-forward layer, self-attention, a gated convolution over 31 rows and another
half feed-forward layer: Gulati et al., Conformer (arXiv:2005.08100), without relative positions. Inference only: the published
weights have batch normalisation folded in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_verifier.models.onnx_graph import OnnxGraph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_verifier.models.onnx_graph import Array

_BLOCKS, _HEADS, _WIDTH = 4, 4, 144
_HOP, _EDGE = 160, 200
_LOG_FLOOR = 1e-10
_EPSILON = 1e-5
# The publisher's exporter numbered the weights it folded or transposed: those of a block lie a fixed step after the one before.
_STEM = 801
_DEPTHWISE, _DEPTHWISE_STEP = 804, 3
_MATRICES = {"ffn1.fc1": 829, "ffn1.fc2": 830, "attn.in_proj": 831, "attn.out_proj": 835, "ffn2.fc1": 836, "ffn2.fc2": 837}
_MATRICES_STEP = 9


def phoneme_model(weights: Mapping[str, Array]) -> Any:  # noqa: ANN401 - onnx ships no types
    """Return the model: `sound` (1, samples) float32 at 16 kHz -> `log_probs` (1, rows, tokens), natural logarithms.

    Args:
        weights: the published weights by name, float32.

    Raises:
        KeyError: one is missing.
    """
    network = _Network(weights)
    tokens = len(weights["acoustic_model.model.proj.bias"])
    return network.graph.model({"sound": (1, "samples")}, network.log_probs("sound"), "log_probs", (1, "rows", tokens))


class _Network:
    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.graph = OnnxGraph("phonemes")
        self._weights = weights

    def log_probs(self, sound: str) -> str:
        g = self.graph
        w = self._weights
        x = g.conv(self._log_mel(sound), w[f"onnx::Conv_{_STEM}"], w[f"onnx::Conv_{_STEM + 1}"], stride=2, padding=1)
        x = g.op("Transpose", g.op("Gelu", x), perm=[0, 2, 1])
        for block in range(_BLOCKS):
            x = self._block(x, block)
        name = "acoustic_model.model.proj"
        return g.op("LogSoftmax", self._dense(x, w[f"{name}.weight"][:, :, 0].T, w[f"{name}.bias"]), axis=-1)

    def _log_mel(self, sound: str) -> str:
        g = self.graph
        padded = g.op("Pad", sound, g.weight([0, _EDGE, 0, _EDGE], np.int64), mode="reflect")
        channel = g.op("Unsqueeze", padded, g.weight([1], np.int64))
        parts = [g.conv(channel, self._weights[f"stft_{part}_kernel"], stride=_HOP) for part in ("real", "imag")]
        power = g.op("Add", *(g.op("Mul", part, part) for part in parts))
        mel = g.op("MatMul", g.weight(self._weights["mel_fb"].T), power)
        return g.op("Log", g.op("Max", mel, g.weight(_LOG_FLOOR)))

    def _block(self, x: str, block: int) -> str:
        g = self.graph
        name = f"acoustic_model.model.blocks.{block}"
        x = g.op("Add", x, self._half_feed_forward(x, f"{name}.ffn1", block))
        x = g.op("Add", x, self._attention(self._norm(x, f"{name}.attn_norm"), name, block))
        x = g.op("Add", x, self._convolution(self._norm(x, f"{name}.conv.norm"), f"{name}.conv", block))
        x = g.op("Add", x, self._half_feed_forward(x, f"{name}.ffn2", block))
        return self._norm(x, f"{name}.norm")

    def _half_feed_forward(self, x: str, name: str, block: int) -> str:
        g = self.graph
        part = name.rpartition(".")[2]
        inner = self._dense(self._norm(x, f"{name}.norm"), self._matrix(f"{part}.fc1", block), self._weights[f"{name}.fc1.bias"])
        outer = self._dense(self._silu(inner), self._matrix(f"{part}.fc2", block), self._weights[f"{name}.fc2.bias"])
        return g.op("Mul", outer, g.weight(0.5))

    def _attention(self, x: str, name: str, block: int) -> str:
        g = self.graph
        each = _WIDTH // _HEADS
        joint = self._dense(x, self._matrix("attn.in_proj", block), self._weights[f"{name}.attn.in_proj_bias"])
        split = g.op("Reshape", joint, g.weight([1, -1, 3 * _HEADS, each], np.int64))
        query, key, value = g.slices(g.op("Transpose", split, perm=[0, 2, 1, 3]), 3, _HEADS)
        scores = g.op("MatMul", query, g.op("Transpose", key, perm=[0, 1, 3, 2]))
        attention = g.op("Softmax", g.op("Mul", scores, g.weight(each**-0.5)), axis=-1)
        seen = g.op("Transpose", g.op("MatMul", attention, value), perm=[0, 2, 1, 3])
        joined = g.op("Reshape", seen, g.weight([1, -1, _WIDTH], np.int64))
        return self._dense(joined, self._matrix("attn.out_proj", block), self._weights[f"{name}.attn.out_proj.bias"])

    def _convolution(self, x: str, name: str, block: int) -> str:
        g = self.graph
        w = self._weights
        both = g.conv(g.op("Transpose", x, perm=[0, 2, 1]), w[f"{name}.pointwise1.weight"], w[f"{name}.pointwise1.bias"])
        kept, gate = g.slices(both, 2, _WIDTH)
        gated = g.op("Mul", kept, g.op("Sigmoid", gate))
        first = _DEPTHWISE + _DEPTHWISE_STEP * block
        kernel = w[f"onnx::Conv_{first}"]
        reach = kernel.shape[-1] // 2
        inputs = (gated, g.weight(kernel), g.weight(w[f"onnx::Conv_{first + 1}"]))
        wide = g.op("Conv", *inputs, kernel_shape=kernel.shape[2:], pads=[reach, reach], group=_WIDTH)
        out = g.conv(self._silu(wide), w[f"{name}.pointwise2.weight"], w[f"{name}.pointwise2.bias"])
        return g.op("Transpose", out, perm=[0, 2, 1])

    def _matrix(self, part: str, block: int) -> Array:
        return self._weights[f"onnx::MatMul_{_MATRICES[part] + _MATRICES_STEP * block}"]

    def _dense(self, x: str, weight: Array, bias: Array) -> str:
        g = self.graph
        return g.op("Add", g.op("MatMul", x, g.weight(weight)), g.weight(bias))

    def _norm(self, x: str, name: str) -> str:
        g = self.graph
        scale, shift = g.weight(self._weights[f"{name}.weight"]), g.weight(self._weights[f"{name}.bias"])
        return g.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=_EPSILON)

    def _silu(self, x: str) -> str:
        return self.graph.op("Mul", x, self.graph.op("Sigmoid", x))
