"""Threads that need one thing at the same moment: none of them is answered before all have asked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Fetching:
    """A fetch that does not end before the other threads wait for it."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._waiting = threading.Semaphore(0)

    def fetch(self, get: Callable[[], T]) -> T:
        """Return what `get` returns once every other thread waits."""
        for _ in range(self._threads - 1):
            assert self._waiting.acquire(timeout=PATIENCE_S)
        self._threads = 1  # a further fetch waits for nobody
        return get()

    def ask(self, ask: Callable[[], T], source: Any) -> list[T]:
        """Return what each thread is answered; those that do not fetch are counted where they wait, in the source's flight."""
        flights = source._flights
        flights._flights = _Noticed(self._waiting.release)
        with ThreadPoolExecutor(self._threads) as pool:
            asked = [pool.submit(ask) for _ in range(self._threads)]
            return [each.result(PATIENCE_S) for each in asked]


class _Noticed(dict[Any, Any]):
    """Flights that say when a thread finds one to wait for."""

    def __init__(self, notice: Callable[[], object]) -> None:
        super().__init__()
        self._notice = notice

    def get(self, name: Any, default: Any = None) -> Any:
        """Return the flight of this name."""
        found = super().get(name, default)
        if found is not None:
            self._notice()
        return found
