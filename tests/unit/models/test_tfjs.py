from __future__ import annotations

import base64
import copy
from typing import Any

import numpy as np
import onnxruntime
import pytest

from cameo_verifier.models.convert.tfjs import to_onnx

rng = np.random.default_rng(7)
SIZE, CHANNELS = 7, 5


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def conv_attributes(stride: int) -> dict[str, Any]:
    return {
        "data_format": text("NHWC"),
        "padding": text("SAME"),
        "strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}},
        "dilations": {"list": {"i": ["1", "1", "1", "1"]}},
    }


def graph() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A network with every operation the converter knows, and its weights."""
    shape = [{"size": str(size)} for size in (-1, SIZE, SIZE, 3)]
    fused = {"fused_ops": {"list": {"s": [text(name)["s"] for name in ("BiasAdd", "Relu")]}}}
    nodes = [
        {"name": "in", "op": "Placeholder", "attr": {"shape": {"shape": {"dim": shape}}}},
        {"name": "conv", "op": "Conv2D", "input": ["in", "k"], "attr": conv_attributes(2)},
        {"name": "depth", "op": "DepthwiseConv2dNative", "input": ["conv", "d"], "attr": conv_attributes(1)},
        {"name": "mul", "op": "Mul", "input": ["depth", "scale"]},
        {"name": "add", "op": "Add", "input": ["mul", "shift"]},
        {"name": "relu", "op": "Relu", "input": ["add"]},
        {"name": "min", "op": "Minimum", "input": ["relu", "six"]},
        {"name": "max", "op": "Maximum", "input": ["min", "half"]},
        {"name": "mean", "op": "Mean", "input": ["max", "axes"], "attr": {"keep_dims": {"b": False}}},
        {"name": "dense", "op": "_FusedMatMul", "input": ["mean", "w", "b"], "attr": fused},
        {"name": "out", "op": "Softmax", "input": ["dense"]},
        {"name": "aside", "op": "NoSuchOperation", "input": ["mean"]},
    ]
    weights = {
        "k": rng.normal(size=(3, 3, 3, CHANNELS)),
        "d": rng.normal(size=(3, 3, CHANNELS, 1)),
        "scale": rng.normal(size=CHANNELS),
        "shift": rng.normal(size=CHANNELS),
        "six": np.array(6.0),
        "half": np.array(0.5),
        "axes": np.array([1, 2]),
        "w": rng.normal(size=(CHANNELS, 4)),
        "b": rng.normal(size=4),
    }
    nodes += [{"name": name, "op": "Const"} for name in weights]
    manifest = [
        {"name": name, "shape": list(array.shape), "dtype": "int32"}
        if name == "axes"
        else {"name": name, "shape": list(array.shape), "dtype": "float32", "quantization": {"dtype": "float16"}}
        for name, array in weights.items()
    ]
    document = {
        "format": "graph-model",
        "modelTopology": {"node": nodes},
        "weightsManifest": [{"paths": ["x.bin"], "weights": manifest}],
    }
    return document, weights


def packed(weights: dict[str, np.ndarray]) -> bytes:
    return b"".join(array.astype("<i4" if name == "axes" else "<f2").tobytes() for name, array in weights.items())


def by_hand(image: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """The same network in plain loops, NHWC as TensorFlow defines it."""
    half = {name: array.astype(np.float16).astype(np.float64) for name, array in weights.items()}

    def same(picture: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
        size = -(-picture.shape[0] // stride)
        pad = max((size - 1) * stride + 3 - picture.shape[0], 0)
        padded = np.pad(picture, ((pad // 2, pad - pad // 2), (pad // 2, pad - pad // 2), (0, 0)))
        windows = [[padded[y * stride : y * stride + 3, x * stride : x * stride + 3] for x in range(size)] for y in range(size)]
        return np.einsum("yxhwi,hwio->yxo", np.array(windows), kernel)

    value = same(image, half["k"], 2)
    diagonal = np.zeros((3, 3, CHANNELS, CHANNELS))
    diagonal[..., range(CHANNELS), range(CHANNELS)] = half["d"][..., 0]
    value = same(value, diagonal, 1) * half["scale"] + half["shift"]
    value = np.clip(np.maximum(value, 0), 0.5, 6).mean(axis=(0, 1))
    odds = np.exp(np.maximum(value @ half["w"] + half["b"], 0))
    return odds / odds.sum()


def test_a_converted_network_computes_what_the_graph_says() -> None:
    """Every operation, with TensorFlow's SAME padding and float16 weights, agrees with plain loops to 1e-5."""
    document, weights = graph()
    session = onnxruntime.InferenceSession(to_onnx(document, packed(weights), outputs=("out",)).SerializeToString())
    image = rng.uniform(0, 3, size=(SIZE, SIZE, 3))

    (answer,) = session.run(None, {"image": image[None].astype(np.float32)})

    np.testing.assert_allclose(answer[0], by_hand(image, weights), atol=1e-5)


def test_an_unknown_operation_is_refused_by_name() -> None:
    """An operation the converter does not know stops it; one no output needs does not."""
    document, weights = graph()

    with pytest.raises(ValueError, match="operation NoSuchOperation of 'aside' is not supported"):
        to_onnx(document, packed(weights), outputs=("aside",))


@pytest.mark.parametrize(
    ("node", "changes", "complaint"),
    [
        ("conv", {"data_format": text("NCHW")}, "data_format of 'conv'"),
        ("conv", {"padding": text("EXPLICIT")}, "padding of 'conv'"),
        ("mean", {"keep_dims": {"b": True}}, "of 'mean'"),
        ("dense", {"fused_ops": {"list": {"s": [text("Elu")["s"]]}}}, "fused operations .*Elu.* of 'dense'"),
    ],
)
def test_an_attribute_nobody_foresaw_is_refused(node: str, changes: dict[str, Any], complaint: str) -> None:
    """A layout, padding or fusion outside what is converted exactly is an error naming the node."""
    document, weights = graph()
    document = copy.deepcopy(document)
    next(entry for entry in document["modelTopology"]["node"] if entry["name"] == node)["attr"].update(changes)

    with pytest.raises(ValueError, match=complaint):
        to_onnx(document, packed(weights), outputs=("out",))


def test_weights_of_another_length_are_refused() -> None:
    """A weights file with bytes left over belongs to another graph."""
    document, weights = graph()

    with pytest.raises(ValueError, match="where the graph describes"):
        to_onnx(document, packed(weights) + b"\0\0", outputs=("out",))


def test_the_same_graph_gives_the_same_bytes() -> None:
    """Conversion is deterministic, so that a kit's digests can be compared between machines."""
    document, weights = graph()
    first, second = (to_onnx(document, packed(weights), outputs=("out",)).SerializeToString(deterministic=True) for _ in range(2))

    assert first == second
