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

    def of_one(self) -> OwnTime:
        """Return the time of one of several who play at once: it passes for all of them together, not for each again."""
        return OwnTime(self)


class OwnTime(VirtualTime):
    """The time of one player."""

    def __init__(self, shared: VirtualTime) -> None:
        super().__init__()
        self._shared, self._now_s = shared, shared.monotonic()

    def advance(self, seconds: float) -> None:
        """Let one's own time pass, and the server's where nobody was as far."""
        super().advance(seconds)
        self._shared.advance(max(0.0, self._now_s - self._shared.monotonic()))
