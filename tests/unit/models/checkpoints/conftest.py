"""A writer of PyTorch checkpoints that needs no PyTorch, for tests of the reader."""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_STORAGES = {"<f4": b"FloatStorage", "<i8": b"LongStorage"}


class CheckpointPickler:
    """Emits what `torch.save` emits for a state dict: protocol 2, tensors rebuilt from persistent storages."""

    def __init__(self) -> None:
        self.storages: list[np.ndarray[Any, Any]] = []

    def tensor(self, values: np.ndarray[Any, Any]) -> bytes:
        """Return the opcodes of one tensor and keep its storage."""
        key = str(len(self.storages))
        self.storages.append(values)
        strides = tuple(step // values.itemsize for step in values.strides)
        storage = (
            b"("
            + self.plain("storage")
            + b"ctorch\n"
            + _STORAGES[values.dtype.str]
            + b"\n"
            + self.plain(key)
            + self.plain("cpu")
            + self.plain(values.size)
            + b"tQ"
        )
        rest = self.plain(0) + self.plain(values.shape) + self.plain(strides) + self.plain(obj=False)
        return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + b"ccollections\nOrderedDict\n)RtR"

    def plain(self, obj: object) -> bytes:
        """Return the opcodes of a plain value."""
        return pickle.dumps(obj, protocol=2)[2:-1]

    def mapping(self, state: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
        """Return the opcodes of an OrderedDict of tensors."""
        items = b"".join(self.plain(name) + self.tensor(values) for name, values in state.items())
        return b"ccollections\nOrderedDict\n)R(" + items + b"u"


@pytest.fixture
def write_checkpoint() -> Callable[..., None]:
    """Write a state dict, under `entry` if given, or the raw pickle `structure` in its place."""

    def write(
        path: Path,
        state: Mapping[str, np.ndarray[Any, Any]],
        *,
        entry: str = "",
        structure: bytes = b"",
        compression: int = zipfile.ZIP_STORED,
        byteorder: bytes = b"little",
    ) -> None:
        pickler = CheckpointPickler()
        body = pickler.mapping(state)
        if entry:
            body = b"}" + pickler.plain(entry) + body + b"s"
        with zipfile.ZipFile(path, "w", compression) as archive:
            archive.writestr("model/data.pkl", structure or b"\x80\x02" + body + b".")
            archive.writestr("model/byteorder", byteorder)
            for key, values in enumerate(pickler.storages):
                raw = io.BytesIO(np.ascontiguousarray(values).tobytes()).getvalue()
                archive.writestr(f"model/data/{key}", raw)

    return write
