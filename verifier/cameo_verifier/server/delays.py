"""Retry delays: when a caller should retry if the database is down, the server stops, or a request is being judged.

The end of an outage is unknown. The delay equals its duration so far, so that callers retry less often the longer it lasts. A
server that stops does not know whether it will be restarted; its delay is the earliest time at which it could be back.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cameo.v1 import error_reason_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_S, MOST_S = 1.0, 60.0
_QUIET_S = 5.0
"""An outage is over if no call met it for twice the last delay plus this long."""

AWAY = frozenset(
    {
        error_reason_pb2.ERROR_REASON_EVIDENCE_UNAVAILABLE,
        error_reason_pb2.ERROR_REASON_RELATIONSHIPS_UNAVAILABLE,
        error_reason_pb2.ERROR_REASON_STORE_UNAVAILABLE,
    }
)
"""Reasons that depend on something that may be down."""


class Delays:
    """Tracks outages, one per reason, and whether this server stops."""

    def __init__(self, *, drain_s: float, start_s: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        """Start without outages.

        Args:
            drain_s: seconds in which a stopping server finishes calls in progress.
            start_s: returns the seconds that the workers took to start.
            clock: seconds of a monotonic clock.
        """
        self._drain_s, self._start_s, self._clock = drain_s, start_s, clock
        self._outages: dict[int, tuple[float, float]] = {}
        self._stops_at: float | None = None

    def stop(self) -> None:
        """Record that this server accepts nothing new from now on."""
        self._stops_at = self._clock() + self._drain_s

    def of(self, reason: int) -> float | None:
        """Return the retry delay in seconds for a reason, None if it has none; each call counts as a sign of the outage."""
        if reason == error_reason_pb2.ERROR_REASON_SERVER_STOPPING:
            rest_s = self._drain_s if self._stops_at is None else max(0.0, self._stops_at - self._clock())
            return max(LEAST_S, rest_s + self._start_s())
        return self._away(reason) if reason in AWAY else None

    def _away(self, reason: int) -> float:
        now = self._clock()
        since, until = self._outages.get(reason, (now, now))
        if now > until:
            since = now
        delay_s = min(MOST_S, max(LEAST_S, now - since))
        self._outages[reason] = since, now + 2 * delay_s + _QUIET_S
        return delay_s


def rest_s(age_s: float, usual_s: float) -> float:
    """Return the estimated remaining seconds of a judgement, by its age and the usual duration; half the overrun if overdue."""
    return max(LEAST_S, usual_s - age_s, (age_s - usual_s) / 2)
