"""ONNX sessions: open every ONNX file of the kit on the CPU, with a fixed thread count, silent, and with typed errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.quiet import quiet_import

if TYPE_CHECKING:
    from pathlib import Path

_ERRORS_ONLY = 3


def open_session(path: Path, *, threads: int) -> Any:  # noqa: ANN401 - onnxruntime ships no types
    """Open an ONNX file and return its `onnxruntime.InferenceSession`.

    The thread count is fixed so that a replay computes the same sums in the same order, and two workers do not compete for cores.

    Raises:
        ModelKitError: the file is missing or is no model this runtime can load.
    """
    with quiet_import():
        import onnxruntime  # noqa: PLC0415 - half a second that only a process with models should pay

    if not path.is_file():
        raise ModelKitError(f"model file {path} is missing; run: cameo models pull")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's exceptions have no common base below this
        raise ModelKitError(f"model file {path} cannot be loaded; run: cameo models pull") from error


class OnnxModel:
    """The base class of adapters of single ONNX files: one session, and the name of its first input.

    Raises:
        ModelKitError: the file is missing or no model.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        self._session: Any = open_session(path, threads=threads)
        self._input: str = self._session.get_inputs()[0].name

    def __enter__(self) -> Self:
        """Return the adapter itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Release the session."""
        self._session = None
