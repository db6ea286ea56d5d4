"""Inline batches: short SQLite transactions of one kind, run on the event loop's own thread.

SQLite's driver releases the interpreter lock at every row, so a transaction on another thread switches a hundred times while
calls come in, which costs more than its statements. What reads and writes a few rows by their keys is therefore run inline,
batched with what arrived meanwhile. It never blocks on a lock: if another writer has it, or the batch fails as a whole, the work
goes to `Batches`, which can wait and retries one by one. Commits run inline while they take under `QUICK_S`, otherwise in a
thread.
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
"""Seconds for which a commit may block the loop: about as long as a call takes anyway."""

_Asked = list[tuple[ItemT, "asyncio.Future[ResultT]"]]


class InlineBatches(Generic[ItemT, ResultT]):
    """Runs one kind of work; see the module. For one event loop; close it before `otherwise` and the engine."""

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
            together: the batched operation.
            otherwise: runs work that cannot be run inline.
            at_once: maximum number of items in one transaction.
            linger_s: seconds that an item lingers if the previous batch had several.

        Raises:
            StoreError: the database could not be opened.
        """
        self._together = together
        self._otherwise = otherwise
        self._at_once = at_once
        self._linger_s = linger_s
        self._waiting: deque[tuple[ItemT, asyncio.Future[ResultT]]] = deque()
        self._several = False
        self._disk_is_quick = True
        self._running: asyncio.Task[None] | None = None
        with store_errors():
            self._connection = engine.connect()
            # Detached from the pool: only this connection does not wait.
            self._connection.detach()
            with self._connection.begin():
                self._connection.exec_driver_sql("PRAGMA busy_timeout = 0")

    def submit(self, item: ItemT) -> asyncio.Future[ResultT]:
        """Run the work for `item`; the future is that of `Batches.submit_among`."""
        answer: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return answer

    async def close(self) -> None:
        """Finish the submitted work and close the connection."""
        if self._running is not None:
            await self._running
        await asyncio.to_thread(self._connection.close)

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._linger_s if self._several else 0)
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._at_once))]
            self._several = len(batch) > 1
            if asked := [(item, answer) for item, answer in batch if not answer.cancelled()]:
                await self._do(asked)

    async def _do(self, batch: _Asked[ItemT, ResultT]) -> None:
        try:
            transaction, results = self._decided([item for item, _ in batch])
        except Exception:  # noqa: BLE001 - it occurs again there, and is reported
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
                # A failed commit counts as ended here, but perhaps not in the database.
                transaction.rollback()
                self._connection.connection.rollback()
                raise


def _pass_on(answer: asyncio.Future[Any], done: asyncio.Future[Any]) -> None:
    tell([(answer, done.exception() or done.result())])
