"""Subnormal flushing: sets subnormal weights of an ONNX file to zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.errors import ModelKitError

if TYPE_CHECKING:
    from pathlib import Path

    from onnx import ModelProto

_LEAST = 1e-30
"""Products of weights a little above the smallest normal number are subnormal again, so everything far below any real weight
is flushed."""


def flush(model: ModelProto) -> int:
    """Set every float32 weight below 1e-30 in size to zero, in place; return how many were not zero before."""
    from onnx import numpy_helper  # noqa: PLC0415 - a conversion only

    flushed = 0
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32:
            continue
        tiny = (np.abs(values) < _LEAST) & (values != 0)
        if tiny.any():
            flushed += int(tiny.sum())
            tensor.CopyFrom(numpy_helper.from_array(np.where(tiny, np.float32(0), values), tensor.name))
    return flushed


def convert(source: Path, target: Path) -> None:
    """Write `source` without subnormal weights to `target`; the same file always gives the same bytes.

    Raises:
        ModelKitError: the file is no ONNX model.
    """
    import onnx  # noqa: PLC0415 - a conversion only

    from cameo_verifier.models.onnx_graph import save  # noqa: PLC0415 - the same

    try:
        model = onnx.load(str(source))
    except Exception as error:  # protobuf's own error, whose class depends on its back end
        raise ModelKitError(f"{source} is no ONNX model") from error
    flush(model)
    save(model, target)
