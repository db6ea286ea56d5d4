"""Live worker: a worker process that is held for one live session, and observes its recordings while they arrive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic

import structlog

from cameo_credential.errors import CameoError
from cameo_verifier.redaction import redacted
from cameo_verifier.workers.process import JobT, ResultT
from cameo_verifier.workers.wire import WorkerFaultError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cameo_verifier.live.observation import Observation
    from cameo_verifier.workers.turn import Turn
    from cameo_verifier.workers.wire import Observed

log = structlog.get_logger(__name__)


class LiveWorker(Generic[JobT, ResultT]):
    """The worker of one live session: any number of recordings, of which the last is judged.

    Every method raises `WorkerLostError` once the process has ended, or was ended because the session overran
    `PoolLimits.live_s`.
    """

    def __init__(self, turn: Turn[JobT, ResultT]) -> None:
        """Made by `WorkerPool.live`."""
        self._turn = turn
        self._opened = asyncio.Event()
        self._under_way = turn.begin(turn.worker.live(self._hear, self._opened))
        self._under_way.add_done_callback(self._ended)
        self._recording = 0
        self._inbox: asyncio.Queue[Observation | CameoError | None] = asyncio.Queue()
        self._unreadable = False
        self._closes = asyncio.get_running_loop().call_later(turn.limits.live_s, self._overrun)

    async def begin(self, *, answer: bool = False) -> None:
        """Begin a new recording; what came before is forgotten, and its `observations` end.

        Args:
            answer: it is to be judged, so that its pictures are analysed for that while it arrives.
        """
        await self._opened.wait()
        self._require_held()
        self._inbox.put_nowait(None)
        self._inbox, self._unreadable = asyncio.Queue(), False
        self._recording += 1
        await self._turn.worker.record(self._recording, answer=answer)

    async def feed(self, chunk: bytes) -> None:
        """Append bytes to the recording, without waiting for their analysis.

        The worker keeps at most the site's limit on the size of a recording; after an error of `observations` nothing is sent.
        """
        self._require_held()
        if not self._unreadable:
            await self._turn.worker.feed(chunk)

    async def observations(self) -> AsyncIterator[Observation]:
        """Yield what the current recording shows and sounds like, in order, until `begin`, `judge` or the end of the session.

        Raises:
            UnjudgeableError: the recording cannot be read while it arrives, or is too large; `begin` another.
            WorkerFaultError: the code that observes has a bug.
            WorkerLostError: the process ended.
        """
        inbox = self._inbox
        while not isinstance(what := await inbox.get(), CameoError | None):
            yield what
        inbox.put_nowait(what)
        if what is not None:
            raise what

    async def judge(self, job: JobT) -> ResultT:
        """Have the recording judged, which `job` holds too; to be called at most once. Cancelling this frees the worker.

        Raises:
            CameoError: raised by the judge.
            WorkerLostError: the process died or exceeded its time limit.
        """
        await self._opened.wait()
        self._require_held()
        self.close()
        await self._turn.worker.complete(job)
        return await self._turn.judged(self._under_way)

    def close(self) -> None:
        """End the observations; the pool frees the worker."""
        self._closes.cancel()
        self._inbox.put_nowait(None)

    def _hear(self, observed: Observed) -> None:
        if observed.recording == self._recording:
            self._unreadable = isinstance(observed.what, CameoError)
            self._inbox.put_nowait(observed.what)

    def _ended(self, under_way: asyncio.Task[ResultT]) -> None:
        self._opened.set()
        error = None if under_way.cancelled() else under_way.exception()
        if error is not None and not isinstance(error, CameoError):
            log.error("what a worker observed could not be read", error=redacted(error))
            error = WorkerFaultError(redacted(error))
        self._inbox.put_nowait(error)

    def _require_held(self) -> None:
        if self._under_way.done():
            self._under_way.result()
            raise RuntimeError("a live session is judged once")

    def _overrun(self) -> None:
        log.warning("live session took too long; ending its worker", pid=self._turn.worker.pid)
        self._turn.worker.kill()
