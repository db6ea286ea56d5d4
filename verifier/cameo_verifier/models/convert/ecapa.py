"""ECAPA conversion: turns a folder with SpeechBrain's ECAPA-TDNN into one ONNX file that the server runs without PyTorch.

The graph is written node by node from the parameters (Desplanques et al., ECAPA-TDNN, arXiv:2005.07143, as SpeechBrain implements
it), features included, and published only after its output was compared with SpeechBrain's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import ecapa_folder
from cameo_verifier.models.mfcc import RATE_HZ, filter_bank
from cameo_verifier.models.onnx_graph import OnnxGraph, save
from cameo_verifier.models.speaker import SpeakerEmbedder
from cameo_verifier.models.speechbrain_ecapa import SpeechBrainEcapa

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.ecapa_folder import Ecapa

MIN_COSINE = 0.9999
"""Least cosine of the exported network's and SpeechBrain's embeddings, on sound of seeded noise."""

_BN_EPSILON = 1e-5
_VARIANCE_FLOOR = 1e-12


def export(folder: Path, onnx_path: Path) -> float:
    """Write the network of `folder` as `onnx_path`, for `speaker.SpeakerEmbedder`.

    Args:
        folder: embedding_model.ckpt, hyperparams.yaml and SHA256SUMS; see `ecapa_folder`.
        onnx_path: the file to write; an existing one is replaced.

    Returns:
        The cosine between the embeddings of both for the same sound.

    Raises:
        ModelKitError: the `[speechbrain]` extra is not installed, the folder is not as `ecapa_folder` requires, or the exported
            network does not agree with SpeechBrain; then nothing is left behind.
    """
    ecapa = ecapa_folder.read(folder)
    with SpeechBrainEcapa(ecapa, threads=1) as original:
        sound = np.random.default_rng(0).normal(scale=0.1, size=2 * RATE_HZ).astype(np.float32)
        expected = original.embed(sound)
    trial = onnx_path.with_name(f"{onnx_path.name}.trial")
    try:
        save(ecapa_model(ecapa), trial)
        with SpeakerEmbedder(trial, threads=1) as exported:
            cosine = float(exported.embed(sound) @ expected)
        if not cosine > MIN_COSINE:
            raise ModelKitError(
                f"the exported network does not agree with SpeechBrain (cosine {cosine:.6f}); nothing was written"
            )
        trial.replace(onnx_path)
    finally:
        trial.unlink(missing_ok=True)
    return cosine


def ecapa_model(ecapa: Ecapa) -> Any:  # noqa: ANN401 - onnx ships no types
    """Return the model: `sound` (batch, samples) float32 at 16 kHz -> `embedding` (batch, size) of unit length."""
    network = _Network(ecapa)
    try:
        embedding = network.embedding("sound")
    except (KeyError, ValueError, IndexError) as error:
        raise ModelKitError(f"the parameters are not those of an ECAPA-TDNN: {error}") from error
    return network.graph.model({"sound": ("batch", "samples")}, embedding, "embedding", ("batch", ecapa.embedding_size))


class _Network:
    def __init__(self, ecapa: Ecapa) -> None:
        self.graph = OnnxGraph("ecapa_tdnn")
        self._ecapa = ecapa
        self._state = ecapa.state

    def embedding(self, sound: str) -> str:
        g = self.graph
        features = filter_bank(g, sound, n_mels=self._ecapa.n_mels)
        first, *inner, last = self._ecapa.dilations
        x = self._tdnn(g.op("Sub", features, self._over_time("ReduceMean", features)), "blocks.0", first)
        layers: list[str] = []
        for index, dilation in enumerate(inner, start=1):
            x = self._se_res2net(x, f"blocks.{index}", dilation)
            layers.append(x)
        x = self._statistics(self._tdnn(g.op("Concat", *layers, axis=1), "mfa", last))
        x = self._conv(self._norm(x, "asp_bn"), "fc")
        return g.unit_length(g.op("Squeeze", x, g.weight([2], np.int64)))

    def _se_res2net(self, x: str, name: str, dilation: int) -> str:
        g = self.graph
        residual = self._conv(x, f"{name}.shortcut") if f"{name}.shortcut.conv.weight" in self._state else x
        x = self._tdnn(x, f"{name}.tdnn1")
        width = self._state[f"{name}.res2net_block.blocks.0.conv.conv.weight"].shape[0]
        first, *rest = g.slices(x, self._ecapa.res2net_scale, width)
        parts = [first]
        for index, part in enumerate(rest):
            mixed = part if index == 0 else g.op("Add", part, parts[-1])
            parts.append(self._tdnn(mixed, f"{name}.res2net_block.blocks.{index}", dilation))
        x = self._tdnn(g.op("Concat", *parts, axis=1), f"{name}.tdnn2")
        squeezed = g.op("Relu", self._conv(self._over_time("ReduceMean", x), f"{name}.se_block.conv1"))
        return g.op("Add", g.op("Mul", x, g.op("Sigmoid", self._conv(squeezed, f"{name}.se_block.conv2"))), residual)

    def _statistics(self, x: str) -> str:
        """Weight each moment by attention, whose input includes the plain mean and deviation if it was trained so."""
        g = self.graph
        context = x
        if self._state["asp.tdnn.conv.conv.weight"].shape[1] != self._state["mfa.conv.conv.weight"].shape[0]:
            mean = self._over_time("ReduceMean", x)
            offset = g.op("Sub", x, mean)
            deviation = self._deviation(self._over_time("ReduceMean", g.op("Mul", offset, offset)))
            everywhere = g.op("Shape", x)
            context = g.op("Concat", x, g.op("Expand", mean, everywhere), g.op("Expand", deviation, everywhere), axis=1)
        attention = g.op("Softmax", self._conv(g.op("Tanh", self._tdnn(context, "asp.tdnn")), "asp.conv"), axis=2)
        mean = self._over_time("ReduceSum", g.op("Mul", x, attention))
        offset = g.op("Sub", x, mean)
        variance = self._over_time("ReduceSum", g.op("Mul", g.op("Mul", offset, offset), attention))
        return g.op("Concat", mean, self._deviation(variance), axis=1)

    def _deviation(self, variance: str) -> str:
        return self.graph.op("Sqrt", self.graph.op("Max", variance, self.graph.weight(_VARIANCE_FLOOR)))

    def _over_time(self, kind: str, x: str) -> str:
        return self.graph.op(kind, x, self.graph.weight([2], np.int64), keepdims=1)

    def _tdnn(self, x: str, name: str, dilation: int = 1) -> str:
        return self._norm(self.graph.op("Relu", self._conv(x, f"{name}.conv", dilation)), f"{name}.norm")

    def _conv(self, x: str, name: str, dilation: int = 1) -> str:
        """Convolve to the same length; SpeechBrain pads by reflection."""
        weight = self._state[f"{name}.conv.weight"]
        if reach := (weight.shape[2] - 1) * dilation // 2:
            x = self.graph.op("Pad", x, self.graph.weight([0, 0, reach, 0, 0, reach], np.int64), mode="reflect")
        return self.graph.conv(x, weight, self._state[f"{name}.conv.bias"], dilation=dilation)

    def _norm(self, x: str, name: str) -> str:
        parts = (self._state[f"{name}.norm.{part}"] for part in ("weight", "bias", "running_mean", "running_var"))
        return self.graph.op("BatchNormalization", x, *map(self.graph.weight, parts), epsilon=_BN_EPSILON)
