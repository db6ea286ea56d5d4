"""Turn: a worker that is reserved for one caller."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cameo_verifier.workers.process import JobT, ResultT, Worker, WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from cameo_verifier.workers.pool import PoolLimits

AnswerT = TypeVar("AnswerT")


class Turn(Generic[JobT, ResultT]):
    """A worker that is reserved for one job."""

    def __init__(self, worker: Worker[JobT, ResultT], limits: PoolLimits, *, took: Callable[[float], None]) -> None:
        """Made by `WorkerPool.turn`; `took` is called with the seconds of a completed judgement."""
        self.worker = worker
        self.under_way: asyncio.Task[Any] | None = None
        self.limits = limits
        self._record = took
        self._used = False

    async def knock(self) -> None:
        """Return once the worker has answered a ping.

        Raises:
            WorkerLostError: it ended, or does not answer within the grace time.
        """
        await self._within(self.limits.grace_s, self.begin(self.worker.knock()))

    async def look(self, job: JobT) -> None:
        """Return once the worker has checked that `job` can be judged, without a verdict.

        Raises:
            CameoError: raised by the judge's check.
            WorkerLostError: the process died or exceeded its time limit.
        """
        await self._within(self.limits.look_s, self.begin(self.worker.look(job)))

    async def judge(self, job: JobT) -> ResultT:
        """Have `job` judged; to be called at most once. Cancelling this frees the worker.

        Raises:
            CameoError: raised by the judge.
            WorkerLostError: the process died or exceeded its time limit.
        """
        if self._used:
            raise RuntimeError("a turn is for one job")
        self._used = True
        return await self.judged(self.begin(self.worker.judge(job)))

    def begin(self, work: Coroutine[None, None, AnswerT]) -> asyncio.Task[AnswerT]:
        """Have the worker do something that is not cancelled with its caller."""
        under_way = asyncio.get_running_loop().create_task(work)
        # When the caller has disconnected nobody awaits the task; the code that frees the worker has handled its error by then.
        under_way.add_done_callback(lambda task: task.cancelled() or task.exception())
        self.under_way = under_way
        return under_way

    async def judged(self, under_way: asyncio.Task[ResultT]) -> ResultT:
        """Wait for a judgement and record how long that takes; errors as `judge`."""
        started = time.monotonic()
        result = await self._within(self.limits.judge_s, under_way)
        self._record(time.monotonic() - started)
        return result

    async def _within(self, limit_s: float, under_way: asyncio.Task[AnswerT]) -> AnswerT:
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.shield(under_way)
        except TimeoutError:
            raise WorkerLostError(f"the worker took longer than {limit_s:g} s") from None
