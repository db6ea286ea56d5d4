"""When to come back: what a server knows of that when its database is away, when it stops, or while a request is being judged.

Nobody knows how long a database will be away. What is known is how long it has been, and as long again is asked for, so that
those who wait come less often the longer it lasts. A server that stops does not know whether it is started again; it says when
that could have happened at the earliest.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cameo.v1 import error_reason_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_S, MOST_S = 1.0, 60.0
_QUIET_S = 5.0
"""An outage is over when nobody met it for twice the delay they were told, and this long."""

AWAY = frozenset(
    {
        error_reason_pb2.ERROR_REASON_EVIDENCE_UNAVAILABLE,
        error_reason_pb2.ERROR_REASON_RELATIONSHIPS_UNAVAILABLE,
        error_reason_pb2.ERROR_REASON_STORE_UNAVAILABLE,
    }
)
"""What depends on something that may be away."""


class Delays:
    """Counts outages, one for each reason, and knows when this server stops."""

    def __init__(self, *, drain_s: float, start_s: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with everything there.

        Args:
            drain_s: how long a stopping server finishes what is under way.
            start_s: returns how long the workers took to start.
            clock: seconds that only ever grow.
        """
        self._drain_s, self._start_s, self._clock = drain_s, start_s, clock
        self._outages: dict[int, tuple[float, float]] = {}
        self._stops_at: float | None = None

    def stop(self) -> None:
        """Note that this server takes nothing new from now on."""
        self._stops_at = self._clock() + self._drain_s

    def of(self, reason: int) -> float | None:
        """Return the seconds after which to come back, where a reason is one of these; somebody is being told so now."""
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
    """Return how long a judging that began so long ago still takes by what is usual; one that is overdue half as long again."""
    return max(LEAST_S, usual_s - age_s, (age_s - usual_s) / 2)
