"""TensorFlow.js conversion: turns a graph model into ONNX, in numpy, without TensorFlow.

The graph is walked once, backwards from the requested outputs, so unused branches are dropped. Images run as NCHW inside (ONNX
has no NHWC convolution); the input stays NHWC as the model's own pre-processing has it. Anything unexpected (an operation, a
padding, a layout, a broadcast) is an error: a conversion that guesses would give numbers nobody trained.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cameo_verifier.errors import ModelKitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

_OPSET = 17
_IR_VERSION = 9

# Of faceres in @vladmandic/human; its other outputs (gender, a face descriptor) are dropped on purpose.
AGE_OUTPUT = "age_pred/Softmax"


def convert(graph: Path, weights: Path, output: Path) -> None:
    """Write the age branch of faceres as ONNX: `image` (1, 224, 224, 3) RGB 0..255 to `age_pred/Softmax` (1, 100).

    The same input gives the same bytes with one version of the onnx package.

    Raises:
        ModelKitError: the graph holds an operation that this converter does not support.
    """
    try:
        model = to_onnx(json.loads(graph.read_text("utf-8")), weights.read_bytes(), outputs=(AGE_OUTPUT,))
    except (KeyError, ValueError, TypeError) as error:
        raise ModelKitError(f"{graph.name} is no TensorFlow.js graph model this version can convert: {error}") from error
    output.write_bytes(model.SerializeToString(deterministic=True))


def to_onnx(document: Mapping[str, Any], weights: bytes, *, outputs: Sequence[str]) -> onnx.ModelProto:
    """Return the part of a TF.js graph model that computes `outputs`.

    Raises:
        ValueError: an operation, attribute or shape is not supported; the message names the node.
        KeyError: the document lacks a part every graph model has.
    """
    if document["format"] != "graph-model":
        raise ValueError(f"format {document['format']!r} is not graph-model")
    nodes = {node["name"]: node for node in document["modelTopology"]["node"]}
    graph = _Graph(constants=_decode(document["weightsManifest"], weights))
    for name in _needed(nodes, outputs):
        node = nodes[name]
        if node["op"] == "Const":
            continue
        try:
            step = _OPERATIONS[node["op"]]
        except KeyError:
            raise ValueError(f"operation {node['op']} of {name!r} is not supported") from None
        step(graph, _Node(name, tuple(node.get("input", ())), node.get("attr", {})))
    return graph.finish(outputs)


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def text(self, key: str) -> str:
        return base64.b64decode(self.attributes[key]["s"]).decode()

    def integers(self, key: str) -> tuple[int, ...]:
        return tuple(int(value) for value in self.attributes[key]["list"]["i"])

    def flag(self, key: str) -> bool:
        return bool(self.attributes.get(key, {}).get("b", False))

    def require(self, condition: object, what: str) -> None:
        if not condition:
            raise ValueError(f"{what} of {self.name!r} is not supported")


@dataclass(slots=True)
class _Graph:
    constants: dict[str, npt.NDArray[Any]]
    images: set[str] = field(default_factory=set)  # values that are (N, C, H, W) here and (N, H, W, C) in the source
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: dict[str, onnx.TensorProto] = field(default_factory=dict)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    def add(self, operation: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:  # noqa: ANN401 - ONNX attributes
        self.nodes.append(helper.make_node(operation, list(inputs), [output], name=output, **attributes))

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        self.initializers.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def operand(self, name: str, node: _Node) -> str:
        """Return the ONNX name of a value or constant that is combined with an image in an element-wise operation."""
        if name not in self.constants:
            node.require(name in self.images, "a value that is no image")
            return name
        value = self.constants[name]
        node.require(value.ndim <= 1, f"a constant of shape {value.shape}")
        return self.constant(name, value.reshape(-1, 1, 1) if value.ndim else value)

    def finish(self, outputs: Sequence[str]) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "tfjs",
            self.inputs,
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            list(self.initializers.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True, check_type=True)
        onnx.checker.check_model(model)
        return model


def _decode(manifest: Sequence[Mapping[str, Any]], weights: bytes) -> dict[str, npt.NDArray[Any]]:
    """Return the weights by name; float16 becomes float32, as TF.js does when it loads them."""
    stored: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "int32": np.dtype("<i4"), "float16": np.dtype("<f2")}
    constants: dict[str, npt.NDArray[Any]] = {}
    offset = 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        kind = entry.get("quantization", {}).get("dtype", entry["dtype"])
        if kind not in stored or "scale" in entry.get("quantization", {}):
            raise ValueError(f"weights {entry['name']!r} are stored as {kind}")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        array = np.frombuffer(weights, stored[kind], count, offset).reshape(entry["shape"])
        offset += array.nbytes
        constants[entry["name"]] = array.astype(np.int32 if kind == "int32" else np.float32)
    if offset != len(weights):
        raise ValueError(f"the weights file holds {len(weights)} bytes where the graph describes {offset}")
    return constants


def _needed(nodes: Mapping[str, Mapping[str, Any]], outputs: Sequence[str]) -> list[str]:
    """Return the names of the nodes that the outputs depend on, each after its inputs."""
    order: dict[str, None] = {}
    stack = [(name, False) for name in reversed(outputs)]
    while stack:
        name, inputs_done = stack.pop()
        if name in order:
            continue
        if name not in nodes:
            raise ValueError(f"there is no node {name!r}")
        if inputs_done:
            order[name] = None
        else:
            stack += [(name, True), *((parent, False) for parent in reversed(nodes[name].get("input", ())))]
    return list(order)


def _placeholder(graph: _Graph, node: _Node) -> None:
    shape = [int(dim["size"]) for dim in node.attributes["shape"]["shape"]["dim"]]
    node.require(len(shape) == 4, f"shape {shape}")
    graph.inputs.append(helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, *shape[1:]]))
    graph.add("Transpose", ["image"], node.name, perm=[0, 3, 1, 2])
    graph.images.add(node.name)


def _convolution(graph: _Graph, node: _Node, weight: npt.NDArray[Any], group: int) -> None:
    node.require(node.text("data_format") == "NHWC", "data_format")
    node.require(node.text("padding") in {"SAME", "VALID"}, "padding")
    node.require(node.inputs[0] in graph.images, "an input that is no image")
    graph.add(
        "Conv",
        [node.inputs[0], graph.constant(node.inputs[1], weight)],
        node.name,
        auto_pad="SAME_UPPER" if node.text("padding") == "SAME" else "VALID",
        strides=node.integers("strides")[1:3],
        dilations=node.integers("dilations")[1:3],
        kernel_shape=weight.shape[2:],
        group=group,
    )
    graph.images.add(node.name)


def _conv2d(graph: _Graph, node: _Node) -> None:
    _convolution(graph, node, graph.constants[node.inputs[1]].transpose(3, 2, 0, 1), 1)  # HWIO to OIHW


def _depthwise(graph: _Graph, node: _Node) -> None:
    weight = graph.constants[node.inputs[1]]
    node.require(weight.shape[3] == 1, f"channel multiplier {weight.shape[3]}")
    _convolution(graph, node, weight.transpose(2, 3, 0, 1), weight.shape[2])


def _element_wise(operation: str) -> Callable[[_Graph, _Node], None]:
    def step(graph: _Graph, node: _Node) -> None:
        graph.add(operation, [graph.operand(name, node) for name in node.inputs], node.name)
        graph.images.add(node.name)

    return step


def _mean(graph: _Graph, node: _Node) -> None:
    node.require(node.inputs[0] in graph.images, "an input that is no image")
    axes = graph.constants[node.inputs[1]].reshape(-1).tolist()
    node.require(sorted(axes) == [1, 2] and not node.flag("keep_dims"), f"axes {axes}")
    graph.add("ReduceMean", [node.inputs[0]], node.name, axes=[2, 3], keepdims=0)


def _fused_matmul(graph: _Graph, node: _Node) -> None:
    fused = [base64.b64decode(name).decode() for name in node.attributes["fused_ops"]["list"]["s"]]
    node.require(fused in (["BiasAdd"], ["BiasAdd", "Relu"]), f"fused operations {fused}")
    value, weight, bias = node.inputs
    product = f"{node.name}/Gemm" if fused[1:] else node.name
    graph.add(
        "Gemm",
        [value, graph.constant(weight, graph.constants[weight]), graph.constant(bias, graph.constants[bias])],
        product,
        transA=int(node.flag("transpose_a")),
        transB=int(node.flag("transpose_b")),
    )
    if fused[1:]:
        graph.add("Relu", [product], node.name)


def _softmax(graph: _Graph, node: _Node) -> None:
    node.require(node.inputs[0] not in graph.images, "an image")
    graph.add("Softmax", [node.inputs[0]], node.name, axis=-1)


_OPERATIONS: Mapping[str, Callable[[_Graph, _Node], None]] = {
    "Placeholder": _placeholder,
    "Conv2D": _conv2d,
    "DepthwiseConv2dNative": _depthwise,
    "Add": _element_wise("Add"),
    "Mul": _element_wise("Mul"),
    "Minimum": _element_wise("Min"),
    "Maximum": _element_wise("Max"),
    "Relu": _element_wise("Relu"),
    "Mean": _mean,
    "_FusedMatMul": _fused_matmul,
    "Softmax": _softmax,
}
