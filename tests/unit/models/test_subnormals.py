"""Weights that are too small to be normal numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.subnormals import convert

if TYPE_CHECKING:
    from pathlib import Path


def test_only_subnormal_weights_change(tmp_path: Path) -> None:
    """Weights a product could drown in become zero, every other stays to the bit, and the bytes are the same each time."""
    weights = np.array([1e-40, -1e-39, 1e-29, -0.5, 0.0], np.float32)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [5])],
        [numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph), str(tmp_path / "a.onnx"))
    convert(tmp_path / "a.onnx", tmp_path / "b.onnx")
    convert(tmp_path / "a.onnx", tmp_path / "c.onnx")
    [written] = onnx.load(str(tmp_path / "b.onnx")).graph.initializer
    assert numpy_helper.to_array(written).tolist() == [0.0, 0.0, np.float32(1e-29), -0.5, 0.0]
    assert (tmp_path / "b.onnx").read_bytes() == (tmp_path / "c.onnx").read_bytes()


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "a.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelKitError, match=r"a\.onnx is no ONNX model"):
        convert(tmp_path / "a.onnx", tmp_path / "b.onnx")
