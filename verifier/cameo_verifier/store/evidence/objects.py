"""Object storage of encrypted evidence: a local folder, or an object store by URL. The content is opaque to this module.

A local object is written to a temporary name, flushed, and then renamed: a reader sees all of it or nothing, also after a kill or
a power cut. The temporary file of a killed writer is not an object, and `clear_unfinished` removes it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cameo_credential import owner_only
from cameo_verifier.store.evidence.errors import EvidenceMissingError, StorageError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from obstore.store import ObjectStore, RetryConfig

_UNFINISHED = ".unfinished-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TRIES_AGAIN, _TRIES_FOR = 3, timedelta(seconds=20)
"""The library's own ten retries and three minutes would keep a person waiting for their verdict."""
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_NO_BUCKET = "NoSuchBucket"


class Objects(Protocol):
    """Objects by name; a name is path segments of letters, digits, `-` and `_`."""

    def put(self, name: str, data: bytes) -> None:
        """Store an object, all of it or nothing.

        Raises:
            StorageFullError: there is no space.
            StorageError: it cannot be written.
        """
        ...

    def get(self, name: str) -> bytes:
        """Return an object.

        Raises:
            EvidenceMissingError: there is none of that name.
            StorageError: it cannot be read.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove an object, if there is one.

        Raises:
            StorageError: it cannot be removed.
        """
        ...

    def names(self, *, written_before: datetime) -> Iterator[str]:
        """Yield the name of every object that was written before a time.

        Raises:
            StorageError: they cannot be listed.
        """
        ...

    def clear_unfinished(self, *, written_before: datetime) -> int:
        """Remove the files of killed writers; return their number.

        Raises:
            StorageError: they cannot be removed.
        """
        ...


def open_objects(place: str) -> Objects:
    """Open a local folder by its path, or an object store by its URL (`s3://bucket/prefix`, or another that obstore supports).

    Raises:
        StorageError: the URL or its configuration is malformed.
    """
    if "://" not in place:
        return LocalFolder(Path(place))
    return RemoteObjects(place)


class LocalFolder:
    """Objects as owner-only files of a folder, which is created with the first one."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, data: bytes) -> None:
        """See `Objects`."""
        path = self._root / name
        with _storage_errors(path.parent):
            owner_only.make_folder(path.parent)
            handle, beside = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    os.fchmod(handle, 0o600)
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(beside).replace(path)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
            _flush(path.parent)

    def get(self, name: str) -> bytes:
        """See `Objects`."""
        try:
            with _storage_errors(self._root):
                return (self._root / name).read_bytes()
        except FileNotFoundError:
            raise EvidenceMissingError(f"{self._root / name} is not there, though nobody removed it") from None

    def delete(self, name: str) -> None:
        """See `Objects`."""
        path = self._root / name
        with _storage_errors(self._root):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                _flush(path.parent)
            # Another object may be there, or is about to be.
            with contextlib.suppress(OSError):
                path.parent.rmdir()

    def names(self, *, written_before: datetime) -> Iterator[str]:
        """See `Objects`."""
        for path in self._files(written_before):
            if not path.name.startswith(_UNFINISHED):
                yield path.relative_to(self._root).as_posix()

    def clear_unfinished(self, *, written_before: datetime) -> int:
        """See `Objects`."""
        left = [path for path in self._files(written_before) if path.name.startswith(_UNFINISHED)]
        with _storage_errors(self._root):
            for path in left:
                path.unlink(missing_ok=True)
        return len(left)

    def _files(self, written_before: datetime) -> Iterator[Path]:
        with _storage_errors(self._root):
            for folder, _, files in os.walk(self._root):
                for name in files:
                    path = Path(folder) / name
                    with contextlib.suppress(FileNotFoundError):
                        if path.stat().st_mtime < written_before.timestamp():
                            yield path


class RemoteObjects:
    """Objects in a store that obstore supports; it writes an object completely or not at all."""

    def __init__(self, url: str) -> None:
        """Open the store at a URL; keys, region and endpoint come from its own environment variables, such as `AWS_…`."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 - only sites with such a store load its library
        from obstore.store import from_url  # noqa: PLC0415 - the same

        self._url = url
        try:
            again: RetryConfig = {"max_retries": _TRIES_AGAIN, "retry_timeout": _TRIES_FOR}
            self._store: ObjectStore = from_url(url, retry_config=again)
        except (BaseError, ValueError) as error:
            raise StorageError(f"the object store {url} cannot be opened: {_told(error)}") from None

    def put(self, name: str, data: bytes) -> None:
        """See `Objects`."""
        try:
            with self._errors():
                self._store.put(name, data)
        except FileNotFoundError as error:
            raise StorageError(f"the object store {self._url} refused: {_told(error)}") from None

    def get(self, name: str) -> bytes:
        """See `Objects`."""
        try:
            with self._errors():
                return bytes(self._store.get(name).bytes())
        except FileNotFoundError:
            raise EvidenceMissingError(f"{name} is not in {self._url}, though nobody removed it") from None

    def delete(self, name: str) -> None:
        """See `Objects`."""
        with contextlib.suppress(FileNotFoundError), self._errors():
            self._store.delete(name)

    def names(self, *, written_before: datetime) -> Iterator[str]:
        """See `Objects`."""
        with self._errors():
            for page in self._store.list():
                yield from (entry["path"] for entry in page if entry["last_modified"] < written_before)

    def clear_unfinished(self, *, written_before: datetime) -> int:  # noqa: ARG002 - see `Objects`
        """Return 0: such a store has no partial objects; its own life cycle rules end abandoned multipart uploads."""
        return 0

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Convert errors, except `FileNotFoundError` if an object is missing, but not if the whole bucket is."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 - see above

        try:
            yield
        except (BaseError, OSError) as error:
            told = _told(error)
            if isinstance(error, FileNotFoundError) and told != _NO_BUCKET:
                raise
            raise StorageError(f"the object store {self._url} refused: {told}") from None


@contextlib.contextmanager
def _storage_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(
                f"the disk of {folder} is full: free some space, or shorten how long evidence is kept"
            ) from None
        raise StorageError(f"{folder} cannot be used: {error.strerror}; check its owner, its mode and the disk") from None


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _told(error: Exception) -> str:
    """Return the store's own error code, such as `SignatureDoesNotMatch`, or else the first line of the error."""
    text = str(error)
    code = _CODE.search(text)
    return code[1] if code else text.partition("\n")[0][:300]
