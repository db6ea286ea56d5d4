"""PyTorch checkpoints: read their tensors without PyTorch and without running any code of the file.

A `.pth` file since PyTorch 1.6 is an uncompressed zip: `data.pkl`, a pickle of the structure, beside one raw little-endian file
per storage. A pickle can call any importable function, so this reader allows exactly the handful of names a state dict needs (see
`_ALLOWED`) and refuses the file at any other. Sizes are checked before anything is allocated.
"""

from __future__ import annotations

import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cameo_verifier.errors import ModelKitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Tensor = npt.NDArray[np.float32] | npt.NDArray[np.int64]

_MAX_PICKLE_BYTES = 16 * 1024 * 1024


def load_state(path: Path, entry: str = "") -> dict[str, Tensor]:
    """Return the state dict of a checkpoint, parameter name -> array.

    Args:
        path: the checkpoint.
        entry: the key of the state dict, e.g. `"model_state_dict"`; empty if it is the whole content.

    Raises:
        ModelKitError: the file is no checkpoint, names a type that a state dict does not need, has inconsistent sizes, or has no
            state dict of tensors there.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            checkpoint = _read(archive)
    except ModelKitError:
        raise
    except FileNotFoundError:
        raise ModelKitError(f"checkpoint {path} is missing; run: cameo models pull") from None
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise ModelKitError(f"{path} is not a PyTorch checkpoint: {error}") from error
    state = checkpoint.get(entry) if entry and isinstance(checkpoint, Mapping) else checkpoint
    if not isinstance(state, Mapping) or not all(isinstance(tensor, np.ndarray) for tensor in state.values()):
        raise ModelKitError(f"{path} holds no state dict" + (f" under {entry!r}" if entry else ""))
    return dict(state)


@dataclass(frozen=True, slots=True)
class _StorageType:
    """A placeholder of a class such as `torch.FloatStorage`; it cannot be called."""

    dtype: np.dtype[Any]


def _rebuild_tensor(
    storage: npt.NDArray[Any], offset: int, size: Sequence[int], stride: Sequence[int], *_: object
) -> npt.NDArray[Any]:
    """Rebuild a tensor as `torch._utils._rebuild_tensor_v2` does, as a copy; gradients and hooks are left out."""
    count = math.prod(size)
    if len(size) != len(stride) or min((offset, *size, *stride)) < 0 or count > storage.size:
        raise ModelKitError("a tensor in the checkpoint has an impossible shape")
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if count and last >= storage.size:
        raise ModelKitError("a tensor in the checkpoint reaches past its storage")
    if not count:
        return np.zeros(size, storage.dtype)
    strides = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, strides, writeable=False).copy()


_ALLOWED: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): _StorageType(np.dtype("<f4")),
    ("torch", "LongStorage"): _StorageType(np.dtype("<i8")),
}


class _StateUnpickler(pickle.Unpickler):
    """Unpickles state dicts and nothing else."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(BytesIO(_entry(archive, f"{root}/data.pkl")))
        self._archive = archive
        self._root = root
        self._storages: dict[str, npt.NDArray[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - the base class's own signature
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise ModelKitError(f"the checkpoint asks for {module}.{name}, which no state dict needs") from None

    def persistent_load(self, pid: Any) -> npt.NDArray[Any]:  # noqa: ANN401 - the base class's own signature
        match pid:
            case ("storage", _StorageType(dtype=dtype), str(key), str(), int(count)) if key.isdecimal():
                if key not in self._storages:
                    raw = _entry(self._archive, f"{self._root}/data/{key}")
                    if len(raw) != count * dtype.itemsize:
                        raise ModelKitError(f"storage {key} of the checkpoint has {len(raw)} bytes, not {count * dtype.itemsize}")
                    self._storages[key] = np.frombuffer(raw, dtype)
                return self._storages[key]
        raise ModelKitError("the checkpoint refers to something other than a float or integer storage")


def _read(archive: zipfile.ZipFile) -> object:
    roots = [name.removesuffix("/data.pkl") for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(roots) != 1:
        raise ModelKitError("a checkpoint has exactly one data.pkl")
    [root] = roots
    if archive.getinfo(f"{root}/data.pkl").file_size > _MAX_PICKLE_BYTES:
        raise ModelKitError("the structure of the checkpoint is implausibly large")
    byteorder = f"{root}/byteorder"
    if byteorder in archive.namelist() and _entry(archive, byteorder) != b"little":
        raise ModelKitError("the checkpoint is not little-endian")
    return _StateUnpickler(archive, root).load()


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    # PyTorch stores without compression; a compressed entry could unpack to any size.
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ModelKitError(f"{name} of the checkpoint is compressed")
    return archive.read(name)
