"""Rate limits per caller by the generic cell rate algorithm (ITU-T I.371), a leaky bucket without a timer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cameo.v1 import error_reason_pb2
from cameo_verifier.server.wire.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.server.auth.caller import Caller

AT_ONCE_S = 10
"""The burst, in seconds of the rate."""
_REMEMBERED = 4096


class Rate:
    """A rate limit of one kind of answers, per caller, in this server's memory."""

    def __init__(self, a_second: float, *, limit: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow `a_second`, and ten seconds' worth at once; `limit` is the setting's name, `clock` tells monotonic seconds."""
        self._each_s, self._limit, self._clock = 1 / a_second, limit, clock
        self._burst_s = max(AT_ONCE_S, self._each_s)
        self._full_until: dict[tuple[str, str], float] = {}

    def require(self, caller: Caller) -> None:
        """Check that a caller may have one more answer.

        Raises:
            RequestError: `TOO_MANY_CHECKS`, with the delay after which there is room for one.
        """
        wait_s = self._after_one_more(caller) - self._clock() - self._burst_s
        # What rounding leaves of a difference is no wait.
        if wait_s > 1e-6:
            raise RequestError(
                error_reason_pb2.ERROR_REASON_TOO_MANY_CHECKS,
                f"this caller has asked too often; try again in {wait_s:.3f} s",
                metadata={"limit": self._limit},
                retry_after_s=wait_s,
            )

    def count(self, caller: Caller) -> None:
        """Count one answer of a caller."""
        if len(self._full_until) >= _REMEMBERED:
            now = self._clock()
            self._full_until = {key: until for key, until in self._full_until.items() if until > now}
        self._full_until[caller.role, caller.id] = self._after_one_more(caller)

    def _after_one_more(self, caller: Caller) -> float:
        return max(self._full_until.get((caller.role, caller.id), 0.0), self._clock()) + self._each_s
