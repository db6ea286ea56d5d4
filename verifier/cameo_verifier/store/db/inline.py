"""Short work of one kind on SQLite, done on the event loop's own thread.

SQLite's driver gives the interpreter away at every row, so a transaction on another thread is passed to and fro a hundred times
while calls come in, and that costs more than its statements. What reads and writes a few rows by their keys is therefore done
where it was asked for, together with all that came in meanwhile. A lock is never waited for here: where somebody else writes, or
the work fails as a whole, it goes on to `Batches`, which can wait and tries one by one. A disk is waited for while it is quick:
after a slow commit the next is handed to a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cameo_verifier.store.db.batches import AT_ONCE, LINGER_S, tell
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine
    from sqlalchemy.engine import Transaction

    from cameo_verifier.store.db.batches import Batches, Together

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

QUICK_S = 0.005
"""What a commit may hold up everyone else: what a call takes anyway."""

_Asked = list[tuple[ItemT, "asyncio.Future[ResultT]"]]


class InlineBatches(Generic[ItemT, ResultT]):
    """Does one kind of work; see the module. To be used by one event loop, and closed before `otherwise` and the engine."""

    def __init__(
        self,
        engine: Engine,
        together: Together[ItemT, ResultT],
        *,
        otherwise: Batches,
        at_once: int = AT_ONCE,
        linger_s: float = LINGER_S,
    ) -> None:
        """Keep the parts and a connection.

        Args:
            engine: SQLite's; see `engine.writing` for work that writes.
            together: does the work: few statements for many items.
            otherwise: does it where this cannot.
            at_once: items in one transaction at most.
            linger_s: how long, in seconds, an item waits for company where those before had some.

        Raises:
            StoreError: the database could not be opened.
        """
        self._together = together
        self._otherwise = otherwise
        self._at_once = at_once
        self._linger_s = linger_s
        self._waiting: deque[tuple[ItemT, asyncio.Future[ResultT]]] = deque()
        self._in_company = False
        self._disk_is_quick = True
        self._running: asyncio.Task[None] | None = None
        with store_errors():
            self._connection = engine.connect()
            # Not the pool's any more: it alone does not wait.
            self._connection.detach()
            with self._connection.begin():
                self._connection.exec_driver_sql("PRAGMA busy_timeout = 0")

    def submit(self, item: ItemT) -> asyncio.Future[ResultT]:
        """Do the work for `item`; the future is that of `Batches.submit_among`."""
        answer: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return answer

    async def close(self) -> None:
        """Finish what was submitted and close the connection."""
        if self._running is not None:
            await self._running
        await asyncio.to_thread(self._connection.close)

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._linger_s if self._in_company else 0)
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._at_once))]
            self._in_company = len(batch) > 1
            if asked := [(item, answer) for item, answer in batch if not answer.cancelled()]:
                await self._do(asked)

    async def _do(self, batch: _Asked[ItemT, ResultT]) -> None:
        try:
            transaction, results = self._decided([item for item, _ in batch])
        except Exception:  # noqa: BLE001 - what it was is found again there, and told
            for item, answer in batch:
                self._otherwise.submit_among(self._together, item).add_done_callback(partial(_pass_on, answer))
            return
        try:
            began = time.perf_counter()
            if self._disk_is_quick:
                self._commit(transaction)
            else:
                await asyncio.to_thread(self._commit, transaction)
            self._disk_is_quick = time.perf_counter() - began < QUICK_S
        except Exception as error:  # noqa: BLE001 - nothing was committed: everyone learns so
            results = [error] * len(batch)
        tell((answer, result) for (_, answer), result in zip(batch, results, strict=True))

    def _decided(self, items: Sequence[ItemT]) -> tuple[Transaction, Sequence[ResultT | Exception]]:
        with store_errors():
            transaction = self._connection.begin()
            try:
                return transaction, self._together(self._connection, items)
            except BaseException:
                transaction.rollback()
                raise

    def _commit(self, transaction: Transaction) -> None:
        with store_errors():
            try:
                transaction.commit()
            except BaseException:
                # What could not be committed counts as ended here, and perhaps not in the database.
                transaction.rollback()
                self._connection.connection.rollback()
                raise


def _pass_on(answer: asyncio.Future[Any], done: asyncio.Future[Any]) -> None:
    tell([(answer, done.exception() or done.result())])
