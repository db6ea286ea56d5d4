"""Limits on concurrent operations that hold much memory or a process of their own."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cameo.v1 import error_reason_pb2
from cameo_verifier.server.delays import LEAST_S
from cameo_verifier.server.wire.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Places:
    """A limit on concurrent operations of one kind. Further ones are refused: a queue here would only grow."""

    def __init__(self, most: int, what: str) -> None:
        """Keep the limit, and the name of the operation for refusals."""
        self._most, self._what = most, what
        self._since: list[float] = []

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place; if there is none, refuse with a retry delay equal to the duration so far of the oldest operation."""
        now = time.monotonic()
        if len(self._since) >= self._most:
            delay_s = max(LEAST_S, now - self._since[0])
            told = f"as many {self._what} as may be at once are under way ({self._most}); try again in {delay_s:.1f} s"
            raise RequestError(error_reason_pb2.ERROR_REASON_OVERLOADED, told, retry_after_s=delay_s)
        self._since.append(now)
        try:
            yield
        finally:
            self._since.remove(now)
