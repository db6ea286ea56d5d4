"""A standard error that never makes this process wait: a log that nobody reads loses lines, the server goes on.

A pipe and a terminal are opened again, so that only this process and its children write to them without waiting, and whoever else
holds the other end of the same description is left alone; that holds for what libraries written in C print as well. A socket, as
service managers give one, cannot be opened again: it is written to without waiting. Files never make anybody wait.
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
    """Writes to a descriptor what it takes at once; the rest is dropped and counted, and told when it takes some again."""

    def __init__(self, descriptor: int) -> None:
        """Write to `descriptor`, which must not block, or be a socket."""
        super().__init__()
        self._descriptor = descriptor
        self._socket = socket.socket(fileno=os.dup(descriptor)) if stat.S_ISSOCK(os.fstat(descriptor).st_mode) else None
        self._writing = threading.Lock()
        self._rest = b""
        self._dropped = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """Whether a person reads it."""
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def write(self, data: Buffer, /) -> int:
        """Take a line, whatever becomes of it."""
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
        """Return how many bytes were taken."""
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT) if self._socket else os.write(self._descriptor, data)
        except OSError:
            # Full, or nobody is there any more.
            return 0


def unblock_stderr() -> None:
    """Have standard error never wait from here on, for Python and for everything else in this process and its children."""
    mode = os.fstat(_STDERR).st_mode
    if stat.S_ISFIFO(mode) or os.isatty(_STDERR):
        try:
            again = os.open(f"/proc/self/fd/{_STDERR}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            # No /proc, or no right to open it: as it was.
            return
        os.dup2(again, _STDERR)
        os.close(again)
    elif not stat.S_ISSOCK(mode):
        return
    sys.stderr = io.TextIOWrapper(Unblocked(_STDERR), "utf-8", "backslashreplace", write_through=True)
