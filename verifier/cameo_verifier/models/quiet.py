"""Telemetry: disables the network access of model runtimes, on import and in MediaPipe's client that uploads usage.

`offline` has the kernel refuse sockets; this holds in every process that opens a model, also where the kernel refuses
nothing, so that no call waits for an answer that a firewall drops.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_verifier.errors import ModelKitError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = threading.RLock()

_ENVIRONMENT = {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GOOGLE_SANDBOX_NO_NETWORK": "1",
}
"""ONNX Runtime (1.32's Privacy.md): no identifier of the device is made, no events are kept in the home folder and posted.
huggingface_hub, which faster-whisper imports: nothing is looked up or counted. libmediapipe: no socket to try IPv4 with."""

_LOGGING = "_ZTVN9mediapipe5tasks4core7logging"
_CLIENT = f"{_LOGGING}15google_internal10CurlClientE"
_LOGGER = f"{_LOGGING}15google_internal21TasksStatsProtoLoggerE"
_NO_LOGGER = f"{_LOGGING}16TasksDummyLoggerE"
"""Virtual tables: of the client that posts, of the logger that feeds it, and of the logger that logs nothing."""
_EXPORTED = "MpFaceLandmarkerCreate"
_NAME_OF_CLIENT = _CLIENT.removeprefix("_ZTV").encode()
_FIRST_METHOD = 4
"""Words of a virtual table before its methods: the offset to the top, the type, two destructors (Itanium C++ ABI, 2.5.3)."""
_WORD = ctypes.sizeof(ctypes.c_void_p)


@contextmanager
def quiet_import() -> Iterator[None]:
    """Import a vendor's library inside this context: it opens no socket and, once imported, keeps the settings against it.

    urllib3, which insightface imports through requests, opens a socket to detect IPv6, unless Python reports none.
    """
    with _LOCK:
        before = {name: os.environ.get(name) for name in _ENVIRONMENT}
        had_ipv6 = socket.has_ipv6
        os.environ.update(_ENVIRONMENT)
        socket.has_ipv6 = False
        try:
            yield
        finally:
            socket.has_ipv6 = had_ipv6
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class _Library:
    """The path and address of the loaded libmediapipe."""

    quiet = False


def quiet_mediapipe() -> None:
    """Load MediaPipe with its usage telemetry replaced by its own dummy logger.

    MediaPipe gives each task a logger that collects usage and posts it, with no option against it. It also has a logger that does
    nothing, of the same interface: its methods overwrite those of the other, and the posting itself.

    Raises:
        ModelKitError: this version's client is not the one known here; such a version is not used.
    """
    with _LOCK:
        if _Library.quiet:
            return
        with quiet_import():
            from mediapipe.tasks.python.core import mediapipe_c_bindings  # noqa: PLC0415 - a second, only for a process with models

            library = mediapipe_c_bindings.load_raw_library()
        _switch_off(library)
        _Library.quiet = True


def _switch_off(library: Any) -> None:  # noqa: ANN401 - a ctypes.CDLL
    path = Path(library._name)  # noqa: SLF001 - ctypes has no other name for it
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        symbols = _symbols(content, (_CLIENT, _LOGGER, _NO_LOGGER, _EXPORTED))
        if not symbols.keys() & {_CLIENT, _LOGGER} and content.find(_NAME_OF_CLIENT) < 0:
            return  # a version without one
    try:
        client, logger, none = (symbols[name] for name in (_CLIENT, _LOGGER, _NO_LOGGER))
        base = (ctypes.cast(library[_EXPORTED], ctypes.c_void_p).value or 0) - symbols[_EXPORTED][0]
    except KeyError:
        raise _unknown(path) from None
    if logger[1] != none[1] or client[1] != (_FIRST_METHOD + 1) * _WORD:
        raise _unknown(path)
    methods = ctypes.string_at(base + none[0], none[1])[_FIRST_METHOD * _WORD :]
    _overwrite(base + logger[0] + _FIRST_METHOD * _WORD, methods)
    # The client's one method posts; any dummy method accepts the same arguments and returns.
    _overwrite(base + client[0] + _FIRST_METHOD * _WORD, methods[:_WORD])


def _unknown(path: Path) -> ModelKitError:
    return ModelKitError(f"{path} has an upload client that cannot be switched off; install the version in requirements.lock")


def _symbols(content: mmap.mmap, names: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Return address and size of each symbol that is in the symbol table of a 64-bit ELF file; {} where there is no table."""
    sections_at, entry, count = *struct.unpack_from("<Q", content, 40), *struct.unpack_from("<HH", content, 58)
    headers = [struct.unpack_from("<IIQQQQII", content, sections_at + entry * at) for at in range(count)]
    table = next((header for header in headers if header[1] == 2), None)  # SHT_SYMTAB
    if content[:6] != b"\x7fELF\x02\x01" or table is None:
        return {}
    fields = [("name", "<u4"), ("kind", "<u1"), ("other", "<u1"), ("section", "<u2"), ("address", "<u8"), ("size", "<u8")]
    rows = np.frombuffer(content, np.dtype(fields), table[5] // 24, table[4]).copy()
    names_at, length = headers[table[6]][4:6]
    found = {}
    for name in names:
        at = content.find(b"\0" + name.encode() + b"\0", names_at, names_at + length)
        matching = rows[rows["name"] == at + 1 - names_at]
        if at >= 0 and len(matching):
            found[name] = int(matching[0]["address"]), int(matching[0]["size"])
    return found


def _overwrite(address: int, words: bytes) -> None:
    """Write into a loaded library, also where the loader has made the page read-only, and leave the page as it was."""
    start = address - address % mmap.PAGESIZE
    length = address + len(words) - start
    was = _protection(address)
    _protect(start, length, mmap.PROT_READ | mmap.PROT_WRITE)
    ctypes.memmove(address, words, len(words))
    _protect(start, length, was)


def _protection(address: int) -> int:
    for line in Path("/proc/self/maps").read_text("ascii", "replace").splitlines():
        first, last = (int(bound, 16) for bound in line.split(maxsplit=1)[0].split("-"))
        if first <= address < last:
            return mmap.PROT_READ | (mmap.PROT_WRITE if line.split()[1][1] == "w" else 0)
    raise ModelKitError("the upload client of MediaPipe cannot be switched off: it is not where its library was loaded")


def _protect(start: int, length: int, protection: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(start), ctypes.c_size_t(length), protection):
        raise ModelKitError(f"the upload client of MediaPipe cannot be switched off: {os.strerror(ctypes.get_errno())}")
