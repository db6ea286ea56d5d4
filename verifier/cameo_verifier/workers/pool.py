"""Worker pool: runs a fixed number of worker processes behind a bounded queue.

Invariants: at most `workers` jobs run and at most `queue` wait; a request beyond that is refused at once. A worker serves one
turn, or one live session, at a time. Turns and sessions wait in one queue; live sessions hold at most all workers but one, where
there are several, so that one is always left for recordings that were uploaded whole, and none for longer than `live_s`. A worker
that dies is replaced. A caller that disconnects frees its worker: first by cancellation, and when that has no effect within the
grace time, by ending the process.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

import structlog

from cameo_credential.errors import CameoError
from cameo_verifier.errors import OverloadedError
from cameo_verifier.workers.live import LiveWorker
from cameo_verifier.workers.process import JobT, ResourceLimits, ResultT, Worker, WorkerLostError, thread_environment
from cameo_verifier.workers.promises import LEAST_DELAY_S, Promises
from cameo_verifier.workers.turn import Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

log = structlog.get_logger(__name__)


class StoppingError(CameoError):
    """The pool is stopping and accepts no more work."""


class NoWorkersError(OverloadedError):
    """No worker is running; one may be after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        """Store the delay in seconds."""
        super().__init__(retry_after_s)
        self.args = (f"nothing can be judged just now; try again in {retry_after_s:.1f} s",)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Concurrency and time limits of a pool.

    Attributes:
        workers: number of processes.
        queue: number of jobs that may wait.
        threads: threads per model in each process.
        ready_s: longest start of a process.
        judge_s: longest judgement, after which the process is ended.
        look_s: longest check of a recording's headers.
        grace_s: how long a cancelled job may continue before its process is ended.
        live_s: longest live session before its judgement, after which the process is ended. Who holds the session ends it long
            before by the recording's clock; this frees the worker of one that does not.
        memory_bytes: memory that each process may write to.
    """

    workers: int
    queue: int
    threads: int = 1
    ready_s: float = 120.0
    judge_s: float = 90.0
    look_s: float = 10.0
    grace_s: float = 3.0
    live_s: float = 300.0
    memory_bytes: int = 4 * 2**30


_REMEMBERED = 16
_REMEMBERED_S = 600.0
_LEAST_GUESS_S, _USUAL_GUESS_S = 1.0, 8.0
"""Duration of a judgement before one was measured: a lower bound, and that for 10 s of 640x480."""
_USUAL_LIVE_S = 40.0
"""Duration of a live session before one was measured: preparation and an answer of 15 s."""
_USUAL_START_S = 5.0
"""Duration of a worker's start before one was measured."""
_RESTART_DELAY_S = 1.0
_LONGEST_RESTART_DELAY_S = 30.0


class WorkerPool(Generic[JobT, ResultT]):
    """A pool of worker processes. Use `turn` for each job, between `start` and `stop`."""

    def __init__(self, factory: Callable[[], Callable[[JobT, Callable[[], bool]], ResultT]], limits: PoolLimits) -> None:
        """Store the `factory` (see `Worker.start`) and the `limits`; nothing starts yet."""
        self._factory = factory
        self._limits = limits
        # Each worker needs one thread to read an answer and one to write a cancellation meanwhile.
        self._threads = ThreadPoolExecutor(max_workers=2 * limits.workers, thread_name_prefix="worker-pipe")
        self._idle: deque[Worker[JobT, ResultT]] = deque()
        self._waiting: deque[asyncio.Future[Worker[JobT, ResultT]]] = deque()
        self._turns = 0
        self._no_turns = asyncio.Event()
        self._no_turns.set()
        self._stopping = False
        self._alive: set[Worker[JobT, ResultT]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._durations: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self._promised, self._promised_live = Promises(), Promises()
        self._lives: list[float] = []
        """When each live session began."""
        self._live_durations: deque[float] = deque(maxlen=_REMEMBERED)
        self._start_s = _USUAL_START_S
        self._back_at = 0.0

    async def start(self) -> None:
        """Start all workers and wait until each has loaded its models.

        Raises:
            CameoError: what the factory raised in one of them; the others are ended.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._limits.workers):
                    group.create_task(self._hire())
        except BaseException as error:
            # Also when the server is stopped meanwhile: some may be running already.
            await self.stop(drain_s=0)
            if isinstance(error, ExceptionGroup):
                raise error.exceptions[0] from None
            raise

    @property
    def processes(self) -> tuple[int, ...]:
        """Process ids of the running workers."""
        return tuple(sorted(worker.pid for worker in self._alive))

    @property
    def lives(self) -> bool:
        """Whether any worker is running."""
        return any(worker.alive for worker in self._alive)

    @property
    def start_s(self) -> float:
        """The last start time of a worker, loading its models, in seconds."""
        return self._start_s

    def none_lives(self) -> NoWorkersError:
        """Return the error with the time until a worker should be running again."""
        return NoWorkersError(max(LEAST_DELAY_S, self._back_at - time.monotonic()))

    @property
    def full(self) -> bool:
        """Whether a new turn would be refused now."""
        return self._turns >= self._limits.workers + self._limits.queue

    def refusal(self) -> OverloadedError:
        """Return the error with a caller's retry delay: at the rate of recent judgements, after earlier refused callers.

        It counts from the usual end of a live session where such sessions hold every worker.
        """
        workers = self._limits.workers - len(self._lives)
        return self._promised.refusal(
            self.usual_s / max(1, workers),
            most=self._limits.workers + self._limits.queue,
            after_s=0.0 if workers else self._until_live_s(),
        )

    @property
    def live_full(self) -> bool:
        """Whether a new live session would be refused now."""
        return self.full or len(self._lives) >= self._most_lives

    def live_refusal(self) -> OverloadedError:
        """Return the error with the retry delay of who wants a live session: at the usual length of one, as `refusal`."""
        most = self._most_lives
        if len(self._lives) < most:
            return self.refusal()
        return self._promised_live.refusal(self._usual_live_s() / most, most=most, after_s=self._until_live_s(), first_s=0.0)

    @property
    def _most_lives(self) -> int:
        return max(1, self._limits.workers - 1)

    def _usual_live_s(self) -> float:
        return statistics.median(self._live_durations) if self._live_durations else _USUAL_LIVE_S

    def _until_live_s(self) -> float:
        """Return the time until the first of the running live sessions should have ended."""
        return max(0.0, min(self._lives) + self._usual_live_s() - time.monotonic())

    @property
    def needed_s(self) -> float:
        """The least time until an answer: the shortest recent judgement, once for each round of the queue before it.

        A lower bound on purpose: it serves to refuse a deadline that cannot be met before the challenge is spent.
        """
        rounds = 1 + self._turns // self._limits.workers
        return rounds * min(self._recent(), default=_LEAST_GUESS_S)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn[JobT, ResultT]]:
        """Wait for a worker and reserve it; nothing is judged before `Turn.judge` is called.

        Raises:
            OverloadedError: the queue is full.
            NoWorkersError: the awaited worker does not start.
            StoppingError: the pool is stopping.
        """
        if self._stopping:
            raise StoppingError("the server is stopping; try again in a moment")
        if self.full:
            raise self.refusal()
        async with self._reserved() as turn:
            yield turn

    @asynccontextmanager
    async def live(self) -> AsyncIterator[LiveWorker[JobT, ResultT]]:
        """Wait for a worker and hold it for one live session; its judge `Watches`. Leaving this frees the worker.

        Raises:
            OverloadedError: the queue is full, or as many live sessions run as may.
            NoWorkersError: the awaited worker does not start.
            StoppingError: the pool is stopping.
        """
        if self._stopping:
            raise StoppingError("the server is stopping; try again in a moment")
        if self.live_full:
            raise self.live_refusal()
        began = time.monotonic()
        self._lives.append(began)
        try:
            async with self._reserved() as turn:
                live = LiveWorker(turn)
                try:
                    yield live
                finally:
                    live.close()
        finally:
            self._lives.remove(began)
            self._live_durations.append(time.monotonic() - began)

    @asynccontextmanager
    async def _reserved(self) -> AsyncIterator[Turn[JobT, ResultT]]:
        self._turns += 1
        self._no_turns.clear()
        try:
            turn = await self._open()
            try:
                yield turn
            finally:
                self._settle(turn)
        finally:
            self._turns -= 1
            if not self._turns:
                self._no_turns.set()

    async def stop(self, *, drain_s: float) -> None:
        """Refuse new turns, wait up to `drain_s` for running ones, then end the workers."""
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                await self._no_turns.wait()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(StoppingError("the server is stopping; try again in a moment"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in self._alive:
            worker.kill()
            await worker.ended()
        self._alive.clear()
        self._idle.clear()
        await asyncio.to_thread(self._threads.shutdown)

    async def _hire(self) -> None:
        """Start a worker, add it to the pool, and schedule its replacement."""
        began = time.monotonic()
        worker: Worker[JobT, ResultT] = await Worker.start(
            self._factory,
            environment=thread_environment(self._limits.threads),
            threads=self._threads,
            ready_s=self._limits.ready_s,
            # Picture and sound of one recording may be judged in parallel.
            limits=ResourceLimits(memory_bytes=self._limits.memory_bytes, job_cpu_s=2 * self._limits.judge_s),
        )
        self._start_s = time.monotonic() - began
        self._alive.add(worker)
        self._keep(self._replace(worker))
        self._hand_over(worker)

    async def _replace(self, worker: Worker[JobT, ResultT]) -> None:
        await worker.ended()
        self._alive.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        delay_s = _RESTART_DELAY_S
        while not self._stopping:
            log.warning("worker ended; starting another", pid=worker.pid)
            self._back_at = time.monotonic() + self._start_s
            try:
                await self._hire()
            except CameoError as error:
                log.error("worker did not start", error=str(error), retry_in_s=delay_s)  # noqa: TRY400 - the message says it all
                self._back_at = time.monotonic() + delay_s + self._start_s
                if not self.lives:
                    self._fail_waiting()
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, _LONGEST_RESTART_DELAY_S)
            else:
                return

    def _fail_waiting(self) -> None:
        """Fail the waiting callers with a retry delay; no challenge of theirs is spent."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(self.none_lives())

    async def _open(self) -> Turn[JobT, ResultT]:
        """Return a turn whose worker has just answered, so that no challenge is spent on one that died while it was idle."""
        while True:
            turn = Turn(await self._take(), self._limits, took=self._record)
            try:
                await turn.knock()
            except WorkerLostError:
                self._settle(turn)
            except BaseException:
                self._settle(turn)
                raise
            else:
                return turn

    async def _take(self) -> Worker[JobT, ResultT]:
        while self._idle:
            worker = self._idle.popleft()
            if worker.alive:
                return worker
        waiter: asyncio.Future[Worker[JobT, ResultT]] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and not waiter.exception():
                self._hand_over(waiter.result())
            raise
        finally:
            with suppress(ValueError):
                self._waiting.remove(waiter)

    def _hand_over(self, worker: Worker[JobT, ResultT]) -> None:
        """Give the worker to the first waiting caller; `_replace` handles a dead one."""
        if not worker.alive:
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(worker)
                return
        self._idle.append(worker)

    def _settle(self, turn: Turn[JobT, ResultT]) -> None:
        """Return the worker to the pool, at once when it is free, otherwise as soon as it has been freed."""
        if turn.under_way is None or turn.under_way.done():
            self._hand_over(turn.worker)
        else:
            self._keep(self._free(turn.worker, turn.under_way))

    async def _free(self, worker: Worker[JobT, ResultT], under_way: asyncio.Task[Any]) -> None:
        with suppress(WorkerLostError, TimeoutError):
            async with asyncio.timeout(self._limits.grace_s):
                await worker.cancel()
                await asyncio.wait({under_way})
        if not under_way.done():
            log.warning("worker did not stop in time; ending it", pid=worker.pid)
            worker.kill()
        with suppress(CameoError):
            await under_way
        self._hand_over(worker)

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _record(self, duration_s: float) -> None:
        self._durations.append((time.monotonic(), duration_s))

    def _recent(self) -> list[float]:
        since = time.monotonic() - _REMEMBERED_S
        return [duration for moment, duration in self._durations if moment >= since]

    @property
    def usual_s(self) -> float:
        """The median duration of recent judgements, in seconds."""
        recent = self._recent()
        return statistics.median(recent) if recent else _USUAL_GUESS_S
