"""What the runtimes would tell others: switched off in the process, whatever the kernel allows."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import quiet
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit

_METHODS = quiet._FIRST_METHOD * quiet._WORD


def _library() -> ctypes.CDLL:
    from mediapipe.tasks.python.core import mediapipe_c_bindings  # noqa: PLC0415 - loaded by the kit

    library: ctypes.CDLL = mediapipe_c_bindings.load_raw_library()
    return library


def _table(library: ctypes.CDLL, name: str) -> bytes:
    with Path(library._name).open("rb") as file, quiet.mmap.mmap(file.fileno(), 0, access=quiet.mmap.ACCESS_READ) as content:
        found = quiet._symbols(content, (name, quiet._EXPORTED))
    base = (ctypes.cast(library[quiet._EXPORTED], ctypes.c_void_p).value or 0) - found[quiet._EXPORTED][0]
    return ctypes.string_at(base + found[name][0], found[name][1])


def _arithmetic() -> str:
    """Return the path of the C library's arithmetic, which nobody uploads anything with."""
    ctypes.CDLL("libm.so.6")
    return next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libm.so.6" in line)


def test_a_landmarker_logs_to_nobody(kit: ModelKit) -> None:
    """Once one is open, MediaPipe's logger and the client that posts do what its logger of nothing does."""
    with kit.landmarker(max_faces=1, video=False):
        library = _library()
        logger, client, none = (_table(library, name) for name in (quiet._LOGGER, quiet._CLIENT, quiet._NO_LOGGER))
    assert logger[_METHODS:] == none[_METHODS:]
    assert client[_METHODS:] == none[_METHODS:][: quiet._WORD]
    assert logger[:_METHODS] != none[:_METHODS] != client[:_METHODS]


def test_a_library_without_an_upload_client_is_left_alone() -> None:
    """A version that has none, as before 0.10.35, needs nothing."""
    quiet._switch_off(ctypes.CDLL(_arithmetic()))


def test_an_upload_client_that_is_not_known_is_refused(tmp_path: Path) -> None:
    """A version whose client cannot be found is not used: the message names the file and what to install."""
    other = Path(shutil.copy(_arithmetic(), tmp_path / "libother.so"))
    other.write_bytes(other.read_bytes() + quiet._NAME_OF_CLIENT)
    with pytest.raises(ModelKitError, match=r"libother\.so has an upload client that cannot be switched off"):
        quiet._switch_off(ctypes.CDLL(str(other)))


def test_what_is_set_for_an_import_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment and Python's word on IPv6 are the caller's again afterwards, also after an error."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "no")
    before = dict(os.environ), socket.has_ipv6

    def found() -> None:
        with quiet.quiet_import():
            raise ImportError(f"{os.environ['HF_HUB_OFFLINE']} {os.environ['HF_HUB_DISABLE_TELEMETRY']} {socket.has_ipv6}")

    with pytest.raises(ImportError, match="1 1 False"):
        found()
    assert (dict(os.environ), socket.has_ipv6) == before


@pytest.mark.models
@pytest.mark.parametrize("task", ["face_embedder", "presentation_attack", "transcriber"])
def test_no_runtime_makes_out_who_this_machine_is(task: str, tmp_path: Path) -> None:
    """Whichever is opened first, ONNX Runtime makes no identifier of the device, no database at home and no session file."""
    script = (
        "from cameo_verifier.models.kit import ModelKit; from cameo_verifier.settings import Settings\n"
        f"with ModelKit.open(Settings()) as kit: kit.{task}\n"
        "import onnxruntime"
    )
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    own = {"CAMEO_MODELS": str(Settings().models), **dict.fromkeys(("HOME", "XDG_CACHE_HOME", "TMPDIR"), str(tmp_path))}
    own["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    subprocess.run([sys.executable, "-c", script], check=True, env={**kept, **own})
    assert list(tmp_path.rglob("*")) == []
