"""Arriving bytes: the bytes of a recording that is still being received.

One thread appends bytes (`Arriving.feed`, then `Arriving.end`), another decodes. Each read of the decoder waits for the bytes it
asks for, so that what it reads depends on the bytes and never on how they were split.
"""

from __future__ import annotations

import threading

from cameo_verifier.errors import AbandonedError


class Arriving:
    """The bytes of one recording, appended by one thread and read by others."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self._data = bytearray()
        self._changed = threading.Condition()
        self._ended = self._stopped = False

    def feed(self, chunk: bytes) -> None:
        """Append what was received.

        Raises:
            RuntimeError: the end was announced.
        """
        with self._changed:
            if self._ended:
                raise RuntimeError("bytes after the end of the recording")
            self._data += chunk
            self._changed.notify_all()

    def end(self) -> None:
        """Announce that all bytes are received."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Announce that the rest never comes: whoever waits for it gets `AbandonedError`."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def stopped(self) -> bool:
        """Return whether the rest never comes."""
        return self._stopped

    def ended(self) -> bool:
        """Return whether all bytes are received."""
        return self._ended

    def whole(self) -> bytes:
        """Wait for the end and return all bytes.

        Raises:
            AbandonedError: the rest never comes.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._stopped)
            self._require_going_on()
            return bytes(self._data)

    def between(self, start: int, end: int) -> bytes:
        """Wait for the bytes from `start` to before `end`, and return what of them the recording has.

        Raises:
            AbandonedError: the rest never comes.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._stopped or len(self._data) >= end)
            self._require_going_on()
            return bytes(memoryview(self._data)[start:end])

    def _require_going_on(self) -> None:
        if self._stopped:
            raise AbandonedError("the rest of the recording never comes")
