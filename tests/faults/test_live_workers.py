"""Workers that are held for live sessions, with a small judge in place of the models: what each ends, and who gets the worker."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import OverloadedError, UnjudgeableError
from cameo_verifier.reasons import Reason
from cameo_verifier.workers import wire
from cameo_verifier.workers.pool import PoolLimits, StoppingError, WorkerPool
from cameo_verifier.workers.process import WorkerLostError
from cameo_verifier.workers.wire import WorkerFaultError
from tests.faults.jobs import Die, Held, Job, Sleep, hire, hire_watcher
from tests.patience import PATIENCE_S
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cameo_verifier.workers.live import LiveWorker

pytestmark = pytest.mark.asyncio
Pool = WorkerPool[Job, str]


@asynccontextmanager
async def pool(
    *, workers: int = 1, queue: int = 4, live_s: float = PATIENCE_S, grace_s: float = PATIENCE_S
) -> AsyncIterator[Pool]:
    running: Pool = WorkerPool(hire_watcher, PoolLimits(workers=workers, queue=queue, live_s=live_s, grace_s=grace_s))
    await running.start()
    try:
        yield running
    finally:
        await running.stop(drain_s=0)


async def ask(running: Pool, job: Job) -> str:
    async with running.turn() as turn:
        return await turn.judge(job)


async def observed(worker: LiveWorker[Job, str], number: int) -> bytes:
    """Return the next observations, each of which is a byte that was fed."""
    source = worker.observations()
    found = bytes([int((await anext(source)).media_s) for _ in range(number)])
    await source.aclose()  # type: ignore[attr-defined]
    return found


async def rest(worker: LiveWorker[Job, str]) -> bytes:
    """Return all further observations, to their end."""
    return bytes([int(each.media_s) async for each in worker.observations()])


async def test_each_recording_is_observed_and_the_last_is_judged() -> None:
    """What is fed is observed in order; a new recording ends the observations of the one before, and so does the judgement."""
    async with pool() as running, running.live() as worker:
        await worker.begin()
        await worker.feed(b"ab")
        await worker.feed(b"c")
        assert await observed(worker, 3) == b"abc"
        before = asyncio.create_task(rest(worker))
        await asyncio.sleep(0)
        await worker.begin()
        assert await before == b""
        await worker.feed(b"de")
        assert await observed(worker, 2) == b"de"
        judged = await worker.judge(Sleep(0))
        assert judged == f"slept in {running.processes[0]}"
        assert await rest(worker) == b""
        with pytest.raises(RuntimeError, match="once"):
            await worker.begin()


async def test_after_a_session_the_worker_serves_the_next() -> None:
    """Judged or left in the middle: the same process answers, and nothing of the session is left."""
    async with pool() as running:
        before = running.processes
        async with running.live() as worker:
            await worker.begin()
            await worker.feed(b"abc")
        assert await ask(running, Sleep(0)) == f"slept in {before[0]}"
        async with running.live() as worker:
            await worker.begin()
            await worker.feed(b"x")
            assert await observed(worker, 1) == b"x"
            await worker.judge(Sleep(0))
        async with running.live():
            pass
        assert await ask(running, Sleep(0)) == f"slept in {before[0]}"
        assert running.processes == before


async def test_a_damaged_recording_ends_its_observations_and_not_the_session() -> None:
    """What is fed on goes nowhere; the next recording of the same session is observed, and a bug is reported without its data."""
    async with pool() as running, running.live() as worker:
        await worker.begin()
        await worker.feed(b"a")
        await worker.feed(b"damaged")
        assert await observed(worker, 1) == b"a"
        for _ in range(2):
            with pytest.raises(UnjudgeableError, match="begin another") as refused:
                await rest(worker)
            assert refused.value.reason is Reason.CORRUPT_MEDIA
        await worker.feed(b"b")
        await worker.begin()
        await worker.feed(b"c")
        assert await observed(worker, 1) == b"c"
        await worker.feed(b"stumble")
        with pytest.raises(WorkerFaultError, match=r"ValueError") as fault:
            await rest(worker)
        assert "0.123" not in str(fault.value)
        await worker.begin()
        assert "slept" in await worker.judge(Sleep(0))


@pytest.mark.parametrize("by_its_bytes", [True, False])
async def test_a_worker_that_dies_ends_its_session(*, by_its_bytes: bool) -> None:
    """Whoever waits for observations learns it, and whatever is called then; another process takes its place."""
    async with pool() as running:
        before = running.processes
        async with running.live() as worker:
            await worker.begin()
            await worker.feed(b"a")
            assert await observed(worker, 1) == b"a"
            if by_its_bytes:
                await worker.feed(b"die")
            else:
                os.kill(before[0], signal.SIGKILL)
            with pytest.raises(WorkerLostError):
                await rest(worker)
            for late in (worker.begin(), worker.feed(b"b"), worker.judge(Sleep(0))):
                with pytest.raises(WorkerLostError):
                    await late
        await until(lambda: running.processes not in {before, ()})
        assert await ask(running, Sleep(0)) == f"slept in {running.processes[0]}"


async def test_an_observation_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours ends the observations with an error, and not as if the recording were over."""
    async with pool() as running, running.live() as worker:
        await worker.begin()

        def unreadable(*_: object) -> None:
            raise SystemError("AST constructor recursion depth mismatch")

        monkeypatch.setattr(wire, "heard", unreadable)
        await worker.feed(b"ab")
        with pytest.raises(WorkerFaultError, match="SystemError"):
            await rest(worker)


async def test_a_worker_that_dies_over_the_judgement_ends_its_session() -> None:
    """As for a recording that was uploaded."""
    async with pool() as running, running.live() as worker:
        await worker.begin()
        with pytest.raises(WorkerLostError):
            await worker.judge(Die())


async def test_a_caller_that_leaves_during_the_judgement_frees_the_worker(tmp_path: Path) -> None:
    """The judgement is cancelled, and the same process serves the next."""
    held = Held(tmp_path)

    async def session(running: Pool) -> None:
        async with running.live() as worker:
            await worker.begin()
            await worker.judge(held)

    async with pool() as running:
        before = running.processes
        leaving = asyncio.create_task(session(running))
        await held.begun()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert await ask(running, Sleep(0)) == f"slept in {before[0]}"


async def test_a_worker_that_does_not_listen_is_ended() -> None:
    """One that hangs over the bytes of a session that was left is replaced after the grace time."""
    async with pool(grace_s=1.0) as running:
        before = running.processes
        async with running.live() as worker:
            await worker.begin()
            await worker.feed(b"hang")
        assert await ask(running, Sleep(0)) == f"slept in {running.processes[0]}"
        assert running.processes != before


async def test_a_session_that_overruns_is_ended() -> None:
    """Who prepares without end does not keep the worker."""
    async with pool(live_s=0.5) as running:
        async with running.live() as worker:
            await worker.begin()
            with pytest.raises(WorkerLostError):
                await rest(worker)
        assert "slept" in await ask(running, Sleep(0))


async def test_two_sessions_do_not_see_each_other() -> None:
    """Each is observed in its own process."""
    async with pool(workers=3) as running, running.live() as one, running.live() as other:
        for worker in (one, other):
            await worker.begin()
        for byte in b"abcdef":
            await one.feed(bytes([byte]))
            await other.feed(bytes([byte - 32]))
        assert await observed(one, 6) == b"abcdef"
        assert await observed(other, 6) == b"ABCDEF"
        assert await one.judge(Sleep(0)) != await other.judge(Sleep(0))


async def test_live_sessions_leave_one_worker_to_uploads() -> None:
    """One more session than that is refused, with the time until one of them usually ends; an upload is judged meanwhile."""
    async with pool(workers=2) as running, running.live() as worker:
        await worker.begin()
        assert running.live_full
        delays = []
        for _ in range(3):
            with pytest.raises(OverloadedError) as refused:
                async with running.live():
                    pass
            delays.append(refused.value.retry_after_s)
        assert 1 <= delays[0] <= 40
        assert delays[0] + 30 < delays[1] <= 80
        assert delays[1] == pytest.approx(delays[2], abs=5)
        assert "slept" in await ask(running, Sleep(0))
        await worker.feed(b"a")
        assert await observed(worker, 1) == b"a"


async def test_a_session_waits_for_a_worker_in_the_same_queue(tmp_path: Path) -> None:
    """Uploads before it come first, and those after it do not overtake it; beyond the queue both are refused."""
    held = Held(tmp_path)
    order = []

    async def session(running: Pool) -> None:
        async with running.live() as worker:
            order.append("session")
            await worker.begin()
            assert "slept" in await worker.judge(Sleep(0))

    async def upload(running: Pool) -> None:
        await ask(running, Sleep(0))
        order.append("upload")

    async with pool(workers=1, queue=2) as running:
        busy = asyncio.create_task(ask(running, held))
        await held.begun()
        waiting = [asyncio.create_task(session(running))]
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(upload(running)))
        await until(lambda: running.full)
        for refused in (ask(running, Sleep(0)), session(running)):
            with pytest.raises(OverloadedError):
                await refused
        held.go()
        await asyncio.gather(busy, *waiting)
        assert order == ["session", "upload"]


async def test_with_one_worker_an_upload_waits_for_the_end_of_the_session() -> None:
    """The delay of who is refused meanwhile counts from there."""
    async with pool(workers=1, queue=0) as running:
        async with running.live() as worker:
            await worker.begin()
            assert running.refusal().retry_after_s > 35
        assert running.refusal().retry_after_s < 35
        assert "slept" in await ask(running, Sleep(0))


async def test_a_pool_that_stops_refuses_sessions_and_ends_those_that_run() -> None:
    """After the time for draining."""
    async with pool() as running:
        async with running.live() as worker:
            await worker.begin()
            await running.stop(drain_s=0)
            with pytest.raises(WorkerLostError):
                await rest(worker)
        with pytest.raises(StoppingError):
            async with running.live():
                pass


async def test_a_judge_that_does_not_watch_holds_no_session() -> None:
    """It says so."""
    plain: Pool = WorkerPool(hire, PoolLimits(workers=1, queue=0))
    await plain.start()
    try:
        async with plain.live() as worker:
            with pytest.raises(WorkerFaultError, match="observes no recordings"):
                await rest(worker)
    finally:
        await plain.stop(drain_s=0)
