"""ONNX graphs: write a graph node by node, so that the same weights always give the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Array = npt.NDArray[Any]

_OPSET = 20
_IR_VERSION = 10
_NORM_FLOOR = 1e-12


class OnnxGraph:
    """A graph under construction; every method adds a node and returns the name of its output value."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add a node of operator `kind` with one output."""
        from onnx import helper  # noqa: PLC0415 - only conversion and export need onnx

        output = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def weight(self, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """Add a constant array."""
        from onnx import numpy_helper  # noqa: PLC0415 - only conversion and export need onnx

        name = f"weight_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(values, dtype)), name))
        return name

    def conv(
        self, x: str, weight: Array, bias: Array | None = None, *, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> str:
        """Add a convolution over all trailing axes of `weight` (out, in, *kernel), with the same options on each."""
        axes = weight.ndim - 2
        inputs = (x, self.weight(weight)) if bias is None else (x, self.weight(weight), self.weight(bias))
        return self.op(
            "Conv",
            *inputs,
            kernel_shape=weight.shape[2:],
            strides=[stride] * axes,
            pads=[padding] * 2 * axes,
            dilations=[dilation] * axes,
        )

    def unit_length(self, x: str) -> str:
        """Scale each row of a (batch, size) value to length one."""
        length = self.op("ReduceL2", x, self.weight([1], np.int64), keepdims=1)
        return self.op("Div", x, self.op("Max", length, self.weight(_NORM_FLOOR)))

    def slices(self, x: str, parts: int, width: int) -> list[str]:
        """Cut `parts` pieces of `width` out of axis 1."""
        bounds = ((part * width, (part + 1) * width, 1) for part in range(parts))
        return [self.op("Slice", x, *(self.weight([bound], np.int64) for bound in piece)) for piece in bounds]

    def model(self, inputs: Mapping[str, Sequence[int | str]], output: str, name: str, shape: Sequence[int | str]) -> Any:  # noqa: ANN401 - onnx ships no types
        """Return the checked model; float32 `inputs` by name with their shapes, the value `output` published as `name`."""
        from onnx import TensorProto, checker, helper  # noqa: PLC0415 - only conversion and export need onnx

        graph = helper.make_graph(
            [*self._nodes, helper.make_node("Identity", [output], [name])],
            self._name,
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, axes) for key, axes in inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
            self._weights,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="cameo"
        )
        checker.check_model(model)
        return model


def save(model: Any, path: Path) -> None:  # noqa: ANN401 - onnx ships no types
    """Write a model with deterministic bytes, whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(model.SerializeToString(deterministic=True))
    partial.replace(path)
