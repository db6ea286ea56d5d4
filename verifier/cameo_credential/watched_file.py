"""Key files that may change while the process runs: reloaded when they did, and not otherwise."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from cameo_credential.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ValueT = TypeVar("ValueT")


class WatchedFile(Generic[ValueT]):
    """The current value of a file, and of others beside it; thread-safe."""

    def __init__(
        self,
        path: Path,
        read: Callable[[Path], ValueT],
        *,
        report: Callable[[KeyFileError], None],
        beside: Sequence[Path] = (),
    ) -> None:
        """Load the file.

        Args:
            path: the file.
            read: parses the file.
            report: called when the changed file cannot be used; the previous value stays in use.
            beside: further files that `read` parses, present or not.

        Raises:
            KeyFileError: what `read` raises.
        """
        self._path = path
        self._all = (path, *beside)
        self._read = read
        self._report = report
        self._lock = threading.Lock()
        # Stamped before the file is read: a change in between causes another read, and is never missed.
        self._seen = self._stamp()
        self._value = read(path)

    def current(self) -> ValueT:
        """Return the current value: the same object until the file changes."""
        with self._lock:
            if (stamp := self._stamp()) != self._seen:
                self._seen = stamp
                try:
                    self._value = self._read(self._path)
                except KeyFileError as error:
                    self._report(error)
            return self._value

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(_stamp(path) for path in self._all)


def _stamp(path: Path) -> tuple[int, int, int]:
    # A replaced file has another inode. A removed one counts as a change too.
    with suppress(OSError):
        found = os.stat(path)  # noqa: PTH116 - asked at every call, and half the time of the path's own
        return found.st_ino, found.st_mtime_ns, found.st_size
    return (0, 0, 0)
