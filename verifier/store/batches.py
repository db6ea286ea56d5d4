"""Many small transactions, one flush.

A commit waits for the disk. `Batches` keeps one thread and one connection: work that arrives while it is busy is done together in
the next transaction, each piece behind a savepoint of its own, so that one that is refused takes nothing of the others with it.
Nobody is answered before the commit that holds their work.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from verifier.errors import StoreError
from verifier.store.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

ResultT = TypeVar("ResultT")
_Work = tuple["Callable[[Connection], Any]", "Future[Any]"]

AT_ONCE = 64
"""Pieces of work in one transaction at most: some 50 ms, so that other processes get their turn."""


class Batches:
    """Runs work on a thread of its own; see the module. Close it before the engine."""

    def __init__(self, engine: Engine, *, at_once: int = AT_ONCE) -> None:
        """Keep the engine (see `engine.writing` for work that writes) and start the thread."""
        self._engine = engine
        self._at_once = at_once
        self._waiting: deque[_Work] = deque()
        self._there_is_work = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-batches", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], ResultT]) -> Future[ResultT]:
        """Run `work` in a transaction; the future has its result once that is committed, or what it raised, with nothing done.

        Raises (from the future):
            StoreError: the database could not do it, or the store is closed.
        """
        future: Future[ResultT] = Future()
        with self._there_is_work:
            if self._closed:
                future.set_exception(StoreError("the store is closed"))
            else:
                self._waiting.append((work, future))
                self._there_is_work.notify()
        return future

    def close(self) -> None:
        """Finish what was submitted, then end the thread."""
        with self._there_is_work:
            self._closed = True
            self._there_is_work.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._there_is_work:
                self._there_is_work.wait_for(lambda: self._waiting or self._closed)
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._at_once))]
            if not batch:
                return
            self._do(batch)

    def _do(self, batch: list[_Work]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        begun = [(work, future) for work, future in batch if future.set_running_or_notify_cancel()]
        try:
            with store_errors(), self._engine.begin() as connection:
                for work, future in begun:
                    connection.exec_driver_sql("SAVEPOINT work")
                    try:
                        with store_errors():
                            result = work(connection)
                    except Exception as error:  # noqa: BLE001 - it is handed to whoever submitted the work
                        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT work")
                        done.append((future, error))
                    else:
                        done.append((future, result))
                    connection.exec_driver_sql("RELEASE SAVEPOINT work")
        except Exception as error:  # noqa: BLE001 - nothing was committed: everyone learns so
            for _, future in begun:
                future.set_exception(error)
            return
        for future, result in done:
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
