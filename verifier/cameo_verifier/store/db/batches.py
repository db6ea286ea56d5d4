"""Group commit: many small transactions, one flush to disk.

A commit waits for the disk. `Batches` has one thread: work that arrives while it is busy is batched in the next transaction, each
piece behind a savepoint of its own, so that a refused one does not affect the others. If the last piece of work was batched with
others, the next lingers for others too, as with PostgreSQL's `commit_delay`. No future completes before the commit that includes
its work. Concurrent pieces have no order.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from cameo_verifier.errors import StoreConflictError, StoreError
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection, Engine

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

AT_ONCE = 64
"""Maximum number of pieces in one transaction: some 50 ms, so that other processes can write between."""
LINGER_S = 0.002
"""Time that work lingers, if the previous batch had several pieces: a transaction costs as much as ten pieces of work."""

Together: TypeAlias = "Callable[[Connection, Sequence[ItemT]], Sequence[ResultT | Exception]]"
"""A batched operation, with fewer statements than one by one: a result for each item, or the error of one that did nothing."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Work to do: alone, or batched with all pieces of the same `together`."""

    work: Callable[[Connection], Any]
    together: Together[Any, Any] | None
    item: Any
    answer: asyncio.Future[Any]


_Done = list[tuple["asyncio.Future[Any]", Any]]


class Batches:
    """Runs batched work on a thread of its own; see the module. Close it before the engine."""

    def __init__(self, engine: Engine, *, at_once: int = AT_ONCE, linger_s: float = LINGER_S) -> None:
        """Keep the engine (see `engine.writing` for work that writes) and start the thread."""
        self._engine = engine
        self._at_once = at_once
        self._linger_s = linger_s
        self._waiting: deque[_Piece] = deque()
        self._there_is_work = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-batches", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], ResultT]) -> asyncio.Future[ResultT]:
        """Run `work` in a transaction; the future has its result once that is committed, or its exception, with nothing done.

        Call it where an event loop runs. Work that is cancelled before it starts is not done.

        Raises (from the future):
            StoreError: the database failed, or the store is closed.
        """
        return self._submit(work, None, None)

    def submit_among(self, together: Together[ItemT, ResultT], item: ItemT) -> asyncio.Future[ResultT]:
        """Run `together` for `item`, batched with other waiting items of the same `together`; otherwise as `submit`."""

        def alone(connection: Connection) -> ResultT:
            [result] = together(connection, [item])
            if isinstance(result, Exception):
                raise result
            return result

        return self._submit(alone, together, item)

    def close(self) -> None:
        """Finish the submitted work, then end the thread."""
        with self._there_is_work:
            self._closed = True
            self._there_is_work.notify()
        self._thread.join()

    def _submit(
        self, work: Callable[[Connection], Any], together: Together[Any, Any] | None, item: object
    ) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        with self._there_is_work:
            if self._closed:
                answer.set_exception(StoreError("the store is closed"))
            else:
                self._waiting.append(_Piece(work, together, item, answer))
                self._there_is_work.notify()
        return answer

    def _run(self) -> None:
        in_company = False
        while True:
            with self._there_is_work:
                self._there_is_work.wait_for(lambda: self._waiting or self._closed)
                linger = in_company and not self._closed and len(self._waiting) < self._at_once
            if linger:
                # Not a wait on the condition, which would wake this thread for each piece.
                time.sleep(self._linger_s)
            with self._there_is_work:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._at_once))]
            if not batch:
                return
            in_company = len(batch) > 1
            self._do([piece for piece in batch if not piece.answer.cancelled()])

    def _do(self, batch: list[_Piece]) -> None:
        groups = _groups(batch)
        # On a database server other processes write concurrently and wait for the rows locked here: rows locked in one
        # transaction in no particular order could cause a deadlock.
        together = [groups] if self._engine.dialect.name == "sqlite" else [[pieces] for pieces in groups]
        done = [answer for some in together for answer in self._committed(some)]
        by_loop: dict[asyncio.AbstractEventLoop, _Done] = defaultdict(list)
        for answer, result in done:
            by_loop[answer.get_loop()].append((answer, result))
        for loop, answers in by_loop.items():
            # Nobody awaits the futures of a loop that has ended.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(tell, answers)

    def _committed(self, groups: list[list[_Piece]]) -> _Done:
        done: _Done = []
        try:
            with store_errors(), self._engine.begin() as connection:
                for pieces in groups:
                    done += _done(connection, pieces)
        except Exception as error:  # noqa: BLE001 - nothing was committed: everyone learns so
            return [(piece.answer, error) for pieces in groups for piece in pieces]
        return done


def _groups(batch: list[_Piece]) -> list[list[_Piece]]:
    """Return the groups: single pieces one each, then those that are batched."""
    alone = [[piece] for piece in batch if piece.together is None]
    together: dict[Together[Any, Any], list[_Piece]] = defaultdict(list)
    for piece in batch:
        if piece.together is not None:
            together[piece.together].append(piece)
    return [*alone, *together.values()]


def _done(connection: Connection, pieces: list[_Piece]) -> _Done:
    together = pieces[0].together
    if together is not None and len(pieces) > 1:
        results = _behind_savepoint(connection, lambda: together(connection, [piece.item for piece in pieces]))
        # If the batch failed as a whole, each piece is tried alone.
        if not isinstance(results, Exception):
            return [(piece.answer, result) for piece, result in zip(pieces, results, strict=True)]
    return [(piece.answer, _tried_twice(connection, partial(piece.work, connection))) for piece in pieces]


def _tried_twice(connection: Connection, work: Callable[[], ResultT]) -> ResultT | Exception:
    """Return the result or the exception of `work`; after a conflict with another server it is tried once more."""
    result = _behind_savepoint(connection, work)
    return _behind_savepoint(connection, work) if isinstance(result, StoreConflictError) else result


def _behind_savepoint(connection: Connection, work: Callable[[], ResultT]) -> ResultT | Exception:
    """Return the result of `work`, or its exception after a rollback. An error of the savepoint itself ends the transaction."""
    connection.exec_driver_sql("SAVEPOINT work")
    try:
        with store_errors():
            result: ResultT | Exception = work()
    except Exception as error:  # noqa: BLE001 - it is passed to whoever submitted the work
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT work")
        result = error
    connection.exec_driver_sql("RELEASE SAVEPOINT work")
    return result


def tell(answers: Iterable[tuple[asyncio.Future[Any], Any]]) -> None:
    """Set the result or the exception of each future that is not cancelled."""
    for answer, result in answers:
        if answer.cancelled():
            continue
        if isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result)
