"""Virtual time: the clocks of a server, which pass when a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_BEGAN = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


class VirtualTime:
    """Both clocks of a server in one."""

    def __init__(self) -> None:
        self._now_s = 1000.0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += seconds

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return self._now_s

    def utc(self) -> datetime:
        """Return the time in UTC."""
        return _BEGAN + timedelta(seconds=self._now_s)
