"""Promises: the retry delays of refused callers, in the order of their refusals."""

from __future__ import annotations

import time

from cameo_verifier.errors import OverloadedError

LEAST_DELAY_S = 1.0


class Promises:
    """A queue of the refused callers that have not retried yet.

    Each is remembered until its time, and no more of them than fit: a place is free for one of them at a time, and nobody can
    delay the others without end.
    """

    def __init__(self) -> None:
        self._moments: list[float] = []

    def refusal(self, each_s: float, *, most: int, after_s: float = 0.0, first_s: float | None = None) -> OverloadedError:
        """Return the error for one more: a place is free every `each_s` seconds, the first after `after_s`."""
        now = time.monotonic()
        self._moments = [moment for moment in self._moments if moment > now][-most:]
        delay_s = max(LEAST_DELAY_S, after_s + len(self._moments) * each_s + (each_s if first_s is None else first_s))
        self._moments.append(now + delay_s)
        return OverloadedError(delay_s)
