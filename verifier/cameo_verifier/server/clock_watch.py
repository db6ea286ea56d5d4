"""Clock watch: detects jumps of the wall clock, so that no data is deleted early because the clock is wrong.

Two readings of the wall clock are compared with the kernel's boot-time clock, which cannot be set and which goes on during sleep.
The first reading of a process is compared with the last one of the process before, from a file in the data folder. A clock that
went back, or ahead by more than the limits, is not trusted until it is right again; to declare it right, remove that file and
restart the server.
"""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from cameo_credential import owner_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BACK = timedelta(minutes=1)
"""Maximum step back, as of a clock that is corrected in small steps."""
AHEAD = timedelta(hours=1)
"""Maximum step ahead."""
AWAY = timedelta(days=14)
"""Maximum step ahead since the process before: while no server runs nothing measures the elapsed time."""
_SAID_AGAIN_S = 3600.0

log = structlog.get_logger(__name__)


def since_boot() -> float:
    """Return the seconds on the kernel's boot-time clock, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockWatch:
    """Watches a clock; thread-safe."""

    def __init__(self, file: Path, clock: Callable[[], datetime], *, elapsed: Callable[[], float] = since_boot) -> None:
        """Keep the clocks.

        Args:
            file: has the last reading; created with the first one, together with its folder.
            clock: the time in UTC.
            elapsed: seconds of a monotonic clock that includes sleep.
        """
        self._file, self._clock, self._elapsed = file, clock, elapsed
        self._lock = Lock()
        self._last: tuple[datetime, float] | None = None
        self._allowed = AWAY
        self._said_at: float | None = None

    def look(self) -> datetime | None:
        """Return the time; None while the clock is not trusted, which is logged at once and then every hour."""
        with self._lock:
            now, ticks = self._clock(), self._elapsed()
            if self._last is None and (kept := _read(self._file)) is not None:
                self._last = kept, ticks
            if self._last is not None:
                jump = now - self._last[0] - timedelta(seconds=ticks - self._last[1])
                if not -BACK <= jump <= self._allowed:
                    self._say(jump, now, ticks)
                    return None
            if self._said_at is not None:
                log.info("the clock is right again: what has had its time is deleted again", now=now.isoformat())
            self._last, self._allowed, self._said_at = (now, ticks), AHEAD, None
            _write(self._file, now)
            return now

    def _say(self, jump: timedelta, now: datetime, ticks: float) -> None:
        if self._said_at is not None and ticks - self._said_at < _SAID_AGAIN_S:
            return
        self._said_at = ticks
        log.error(
            "the clock jumped: NOTHING is deleted for its age until it is right; if it is right, remove the file and start again",
            jump_s=round(jump.total_seconds()),
            now=now.isoformat(),
            file=str(self._file),
        )


def _read(file: Path) -> datetime | None:
    try:
        at = datetime.fromisoformat(file.read_text("ascii").strip())
    except (OSError, ValueError):
        return None
    return at if at.tzinfo else None


def _write(file: Path, now: datetime) -> None:
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        owner_only.make_folder(file.parent)
        # A leftover of a killed process with the same id.
        beside.unlink(missing_ok=True)
        if (made := owner_only.make_file(beside)) is not None:
            with os.fdopen(made, "w", encoding="ascii") as writing:
                writing.write(f"{now.isoformat()}\n")
            beside.replace(file)
    except OSError as error:
        log.warning("the last look at the clock could not be kept", error=error.strerror)
