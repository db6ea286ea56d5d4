"""Key files: owner-only, written atomically, never overwritten by accident.

A secret file is written to a temporary name, flushed to disk and then linked to its own name, so that a reader sees all of it or
nothing, and of several processes that start at once exactly one creates the key. A file that is meant to change is replaced in
the same way, under a lock that every writer takes.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cameo_credential import owner_only
from cameo_credential.encoding import from_base64url, from_json, to_base64url, to_json
from cameo_credential.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KeyT = TypeVar("KeyT")

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_json(path: Path, *, secret: bool) -> dict[str, Any]:
    """Return the JSON object in a key file.

    Args:
        path: the file.
        secret: refuse the file when anyone but its owner may read or write it.

    Raises:
        KeyFileError: missing, unreadable, not JSON, or open to others; the message names the file and what to do.
    """
    try:
        return from_json(_read(path, secret=secret))
    except ValueError as error:
        raise KeyFileError(f"{path} is not a JSON key file: {error}") from None


def read_text(path: Path) -> str:
    """Return the ASCII text in a secret file.

    Raises:
        KeyFileError: missing, unreadable, not ASCII, or open to others; the message names the file and what to do.
    """
    try:
        return _read(path, secret=True).decode("ascii")
    except UnicodeDecodeError:
        raise KeyFileError(f"{path} is not a text of ASCII characters") from None


def _read(path: Path, *, secret: bool) -> bytes:
    try:
        with path.open("rb") as file:
            if secret and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                raise KeyFileError(f"{path} holds a secret and others may access it: run `chmod 600 {path}`, and replace the key")
            return file.read()
    except FileNotFoundError:
        raise KeyFileError(f"no key file {path}") from None
    except OSError as error:
        raise KeyFileError(f"cannot read key file {path}: {error.strerror}") from None


def create_json(path: Path, document: dict[str, Any], *, secret: bool) -> bool:
    """Create a key file; return False, and change nothing, if it exists already.

    Args:
        path: the file; missing folders are created, for the owner only.
        document: the content.
        secret: mode 0600 instead of 0644.

    Raises:
        KeyFileError: the folder cannot be written.
    """
    try:
        owner_only.make_folder(path.parent)
        beside = _write_beside(path, document, mode=0o600 if secret else 0o644)
        try:
            os.link(beside, path)
        except FileExistsError:
            return False
        finally:
            beside.unlink()
        flush_folder(path.parent)
    except OSError as error:
        raise KeyFileError(f"cannot write key file {path}: {error.strerror}") from None
    return True


def replace_json(path: Path, document: dict[str, Any]) -> None:
    """Replace an existing secret file atomically; its lock (`locked`) must be held since before it was read.

    Raises:
        KeyFileError: the folder cannot be written; the file is unchanged.
    """
    try:
        beside = _write_beside(path, document, mode=0o600)
        try:
            beside.replace(path)
        except OSError:
            beside.unlink()
            raise
        flush_folder(path.parent)
    except OSError as error:
        raise KeyFileError(f"cannot write key file {path}: {error.strerror}") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file, across processes; the lock file beside it remains.

    Raises:
        KeyFileError: the folder cannot be written.
    """
    try:
        lock = path.with_name(f".{path.name}.lock")
        made = owner_only.make_file(lock)
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC) if made is None else made
    except OSError as error:
        raise KeyFileError(f"cannot lock key file {path}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_beside(path: Path, document: dict[str, Any], *, mode: int) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(to_json(document) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)


def open_secret(path: Path, size: int, make: Callable[[bytes], KeyT], *, kind: str) -> KeyT:
    """Return the key in an owner-only JWK file of type `oct`, which is created with fresh random bytes on first use.

    Args:
        path: the file.
        size: bytes of a fresh secret.
        make: builds the key from the secret; refuses with `ValueError`.
        kind: name of the key in error messages.

    Raises:
        KeyFileError: the file is malformed, open to others, or cannot be written.
    """
    if not path.exists():
        create_json(path, {"kty": "oct", "k": to_base64url(secrets.token_bytes(size))}, secret=True)
    return read_secret(path, make, kind=kind)


def read_secret(path: Path, make: Callable[[bytes], KeyT], *, kind: str) -> KeyT:
    """Return the key in an existing file; arguments and errors as for `open_secret`."""
    document = read_json(path, secret=True)
    try:
        if document["kty"] != "oct":
            raise ValueError("'kty' is not 'oct'")  # noqa: TRY301 - reported like every other malformation
        return make(from_base64url(document["k"]))
    except (KeyError, TypeError, ValueError) as error:
        raise KeyFileError(f"{path} is not a {kind}: {error}") from None


def flush_folder(folder: Path) -> None:
    """Flush a folder's entries to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
