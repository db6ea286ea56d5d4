"""Whether the clock can be believed: what is deleted because its time is over is deleted by nobody's mistake about the time.

Two readings of the clock are compared with the time that the kernel counts between them, which nobody sets and which goes on
while the machine sleeps. Before the first look of a process there is the last one of the process before, from a file of the data
folder. A clock that went back, or ahead by more than it may, is not believed until it is right again; its owner can say that it
is right by removing that file and starting the server anew.
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
"""How far a clock that is set right by small steps may go back."""
AHEAD = timedelta(hours=1)
"""How much more may pass on the clock than truly did."""
AWAY = timedelta(days=14)
"""How long no server may have run: without one nobody knows how much time truly passed."""
_SAID_AGAIN_S = 3600.0

log = structlog.get_logger(__name__)


def since_boot() -> float:
    """Return the seconds that the kernel has counted, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockWatch:
    """Looks at a clock; may be asked from several threads."""

    def __init__(self, file: Path, clock: Callable[[], datetime], *, elapsed: Callable[[], float] = since_boot) -> None:
        """Set what is watched.

        Args:
            file: holds the last look; made with the first one, together with its folder.
            clock: the time in UTC.
            elapsed: seconds since some moment, which nobody sets.
        """
        self._file, self._clock, self._elapsed = file, clock, elapsed
        self._lock = Lock()
        self._last: tuple[datetime, float] | None = None
        self._allowed = AWAY
        self._said_at: float | None = None

    def look(self) -> datetime | None:
        """Return the time; None while the clock cannot be believed, which is logged at once and then every hour."""
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
        # One of a process of this number that was killed.
        beside.unlink(missing_ok=True)
        if (made := owner_only.make_file(beside)) is not None:
            with os.fdopen(made, "w", encoding="ascii") as writing:
                writing.write(f"{now.isoformat()}\n")
            beside.replace(file)
    except OSError as error:
        log.warning("the last look at the clock could not be kept", error=error.strerror)
