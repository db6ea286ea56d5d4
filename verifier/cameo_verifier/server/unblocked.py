"""A standard error that never blocks this process: while nobody reads the log, lines are dropped and the server goes on.

A pipe and a terminal are opened again, so that only this process and its children write to them without blocking, and other
holders of the same file description are unaffected; this includes output of C libraries. A socket, as service managers provide
one, cannot be opened again: it is written to without blocking. Files never block.
"""

from __future__ import annotations

import io
import os
import socket
import stat
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

_STDERR = 2
_NOTICE = b'{"event": "log lines were dropped: nobody read them", "level": "warning", "lines": %d}\n'


class Unblocked(io.RawIOBase):
    """A stream that writes what its descriptor accepts at once; other lines are dropped, counted, and reported later."""

    def __init__(self, descriptor: int) -> None:
        """Write to `descriptor`, which must be non-blocking, or a socket."""
        super().__init__()
        self._descriptor = descriptor
        self._socket = socket.socket(fileno=os.dup(descriptor)) if stat.S_ISSOCK(os.fstat(descriptor).st_mode) else None
        self._writing = threading.Lock()
        self._rest = b""
        self._dropped = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def write(self, data: Buffer, /) -> int:
        """Write a line, or drop it."""
        line = bytes(data)
        with self._writing:
            first = self._rest + (_NOTICE % self._dropped if self._dropped else b"")
            if first and (taken := self._put(first)):
                self._dropped, self._rest = 0, first[taken:]
            if self._rest or self._dropped:
                self._dropped += 1
                return len(line)
            taken = self._put(line)
            self._rest, self._dropped = (line[taken:], 0) if taken else (b"", 1)
        return len(line)

    def _put(self, data: bytes) -> int:
        """Return the number of bytes written."""
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT) if self._socket else os.write(self._descriptor, data)
        except OSError:
            # Full, or without a reader.
            return 0


def unblock_stderr() -> None:
    """Make standard error non-blocking from here on, for Python and for everything else in this process and its children."""
    mode = os.fstat(_STDERR).st_mode
    if stat.S_ISFIFO(mode) or os.isatty(_STDERR):
        try:
            again = os.open(f"/proc/self/fd/{_STDERR}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            # No /proc, or no permission: it stays as it was.
            return
        os.dup2(again, _STDERR)
        os.close(again)
    elif not stat.S_ISSOCK(mode):
        return
    sys.stderr = io.TextIOWrapper(Unblocked(_STDERR), "utf-8", "backslashreplace", write_through=True)
