from __future__ import annotations

import os
import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.convert.torch_checkpoint import load_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Writer = Callable[..., None]

STATE: dict[str, np.ndarray[Any, Any]] = {
    "layer.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "layer.bias": np.array([1.5, -2.5], np.float32),
    "layer.num_batches_tracked": np.array(7, np.int64),
}


@pytest.mark.parametrize("entry", ["", "model_state_dict"])
def test_state_comes_back(tmp_path: Path, write_checkpoint: Writer, entry: str) -> None:
    """Every tensor comes back with its name, shape, type and values."""
    write_checkpoint(tmp_path / "a.pth", STATE, entry=entry)
    state = load_state(tmp_path / "a.pth", entry)

    assert list(state) == list(STATE)
    for name, values in STATE.items():
        assert state[name].dtype == values.dtype
        np.testing.assert_array_equal(state[name], values)


class _Hostile:
    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self._reduced = call, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self._reduced


@pytest.mark.parametrize("call", [os.system, eval, getattr, __import__, bytearray])
def test_hostile_pickle_is_refused(tmp_path: Path, write_checkpoint: Writer, call: Callable[..., object]) -> None:
    """A pickle that names anything but the parts of a state dict is refused before the thing is even looked up."""
    mark = tmp_path / "ran"
    arguments = (f"touch {mark}",) if call is os.system else ("1",)
    write_checkpoint(tmp_path / "a.pth", {}, structure=pickle.dumps({"model": _Hostile(call, *arguments)}, protocol=2))

    with pytest.raises(ModelKitError, match=r"asks for \S+, which no state dict needs"):
        load_state(tmp_path / "a.pth", "model")
    assert not mark.exists()


def test_storage_type_cannot_be_called(tmp_path: Path, write_checkpoint: Writer) -> None:
    """Naming an allowed storage class and calling it, as a pickle could to allocate memory, is refused."""
    write_checkpoint(tmp_path / "a.pth", {}, structure=b"\x80\x02ctorch\nFloatStorage\n(J\xff\xff\xff\x7ftR.")

    with pytest.raises(ModelKitError, match="not a PyTorch checkpoint"):
        load_state(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("shape", "strides", "message"),
    [
        ((2, 4), (4, 1), "impossible shape"),
        ((4,), (2,), "past its storage"),
        ((6,), (-1,), "impossible shape"),
        ((1 << 40,), (0,), "impossible shape"),
        ((2, 3), (1,), "impossible shape"),
    ],
)
def test_tensor_stays_inside_its_storage(
    tmp_path: Path, write_checkpoint: Writer, shape: tuple[int, ...], strides: tuple[int, ...], message: str
) -> None:
    """A tensor whose shape or strides leave its six stored values is refused, and nothing large is allocated."""
    write_checkpoint(tmp_path / "a.pth", {"w": np.zeros(6, np.float32)})
    honest = pickle.dumps((6,), protocol=2)[2:-1] + pickle.dumps((1,), protocol=2)[2:-1]
    forged = pickle.dumps(shape, protocol=2)[2:-1] + pickle.dumps(strides, protocol=2)[2:-1]
    with zipfile.ZipFile(tmp_path / "a.pth") as archive:
        structure = archive.read("model/data.pkl")
        assert honest in structure
    write_checkpoint(tmp_path / "b.pth", {"w": np.zeros(6, np.float32)}, structure=structure.replace(honest, forged))

    with pytest.raises(ModelKitError, match=message):
        load_state(tmp_path / "b.pth")


def test_storage_of_another_size_is_refused(tmp_path: Path, write_checkpoint: Writer) -> None:
    """A storage file shorter than the structure says is refused."""
    write_checkpoint(tmp_path / "long.pth", {"w": np.zeros(6, np.float32)})
    with zipfile.ZipFile(tmp_path / "long.pth") as archive:
        structure = archive.read("model/data.pkl")
    write_checkpoint(tmp_path / "short.pth", {"w": np.zeros(5, np.float32)}, structure=structure)

    with pytest.raises(ModelKitError, match="20 bytes, not 24"):
        load_state(tmp_path / "short.pth")


def test_compressed_entries_are_refused(tmp_path: Path, write_checkpoint: Writer) -> None:
    """A compressed entry, which could unpack to any size, is refused."""
    write_checkpoint(tmp_path / "a.pth", STATE, compression=zipfile.ZIP_DEFLATED)

    with pytest.raises(ModelKitError, match="is compressed"):
        load_state(tmp_path / "a.pth")


def test_big_endian_is_refused(tmp_path: Path, write_checkpoint: Writer) -> None:
    """A checkpoint from a big-endian machine is refused instead of read wrongly."""
    write_checkpoint(tmp_path / "a.pth", STATE, byteorder=b"big")

    with pytest.raises(ModelKitError, match="not little-endian"):
        load_state(tmp_path / "a.pth")


def test_wrong_entry_is_refused(tmp_path: Path, write_checkpoint: Writer) -> None:
    """The error names the entry that holds no state dict."""
    write_checkpoint(tmp_path / "a.pth", STATE, entry="optimizer")

    with pytest.raises(ModelKitError, match="no state dict under 'model_state_dict'"):
        load_state(tmp_path / "a.pth", "model_state_dict")


@pytest.mark.parametrize("content", [b"", b"not a zip", pickle.dumps({"w": 1})])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no zip at all, the pickles of old included, is refused."""
    (tmp_path / "a.pth").write_bytes(content)

    with pytest.raises(ModelKitError, match="not a PyTorch checkpoint"):
        load_state(tmp_path / "a.pth")


def test_missing_file_names_the_command(tmp_path: Path) -> None:
    """A missing checkpoint says which file and what to run."""
    with pytest.raises(ModelKitError, match=r"a\.pth is missing; run: cameo models pull"):
        load_state(tmp_path / "a.pth")
