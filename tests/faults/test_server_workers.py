"""The worker pool, with small real judges in place of the models: its failures."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import ModelKitError, OverloadedError, UnjudgeableError
from cameo_verifier.reasons import Reason
from cameo_verifier.workers.pool import PoolLimits, StoppingError, WorkerPool
from cameo_verifier.workers.process import ResourceLimits, Worker, WorkerLostError, thread_environment
from cameo_verifier.workers.wire import WorkerFaultError
from tests import started
from tests.faults.jobs import (
    Burn,
    Confess,
    Die,
    Held,
    Hoard,
    Job,
    Refuse,
    Report,
    Sleep,
    Smuggle,
    Stumble,
    hire,
    judge,
    refuse_to_start,
)
from tests.patience import PATIENCE_S
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def pool(
    *, workers: int = 1, queue: int = 0, grace_s: float = 2.0, judge_s: float = 60.0
) -> AsyncIterator[WorkerPool[Job, str]]:
    running = WorkerPool(hire, PoolLimits(workers=workers, queue=queue, threads=1, grace_s=grace_s, judge_s=judge_s))
    await running.start()
    try:
        yield running
    finally:
        await running.stop(drain_s=0)


async def ask(running: WorkerPool[Job, str], job: Job) -> str:
    async with running.turn() as turn:
        return await turn.judge(job)


async def replaced(running: WorkerPool[Job, str], old: tuple[int, ...]) -> None:
    await until(lambda: len(running.processes) == len(old) and set(running.processes) != set(old))


async def test_refuses_at_once_when_workers_and_queue_are_full(tmp_path: Path) -> None:
    """One runs, one waits, the third is told when to come back."""
    held = Held(tmp_path)
    async with pool(workers=1, queue=1) as running:
        busy = [asyncio.create_task(ask(running, held)) for _ in range(2)]
        await until(lambda: running.full)
        with pytest.raises(OverloadedError) as refused:
            await ask(running, Sleep(0))
        assert refused.value.retry_after_s >= 1
        held.go()
        assert len(set(await asyncio.gather(*busy))) == 1
        assert "slept" in await ask(running, Sleep(0))


async def test_the_delay_is_the_measured_time_of_those_before() -> None:
    """Each who is refused is told to come after the one refused before, at the pace of the judgings that were measured."""
    async with pool(workers=1, queue=1) as running:
        assert "slept" in await ask(running, Sleep(2.0))
        busy = [asyncio.create_task(ask(running, Sleep(2.0))) for _ in range(2)]
        await asyncio.sleep(0)
        delays = [running.refusal().retry_after_s for _ in range(5)]
        assert delays[0] >= 2.0
        assert [round(delay / delays[0], 3) for delay in delays] == [1.0, 2.0, 3.0, 3.0, 3.0]
        await asyncio.gather(*busy)


async def test_two_workers_work_side_by_side() -> None:
    """Two jobs at once, with nobody in the queue, are done in two processes."""
    async with pool(workers=2, queue=0) as running:
        answers = await asyncio.gather(ask(running, Sleep(0)), ask(running, Sleep(0)))
        assert len(set(answers)) == 2


async def test_a_refusal_keeps_its_reason_across_processes() -> None:
    """What the judge raises arrives with its reason, and the worker goes on."""
    async with pool() as running:
        before = running.processes
        with pytest.raises(UnjudgeableError, match="send it again") as refused:
            await ask(running, Refuse())
        assert refused.value.reason is Reason.CORRUPT_MEDIA
        assert "slept" in await ask(running, Sleep(0))
        assert running.processes == before


async def test_a_bug_is_reported_without_what_it_was_raised_with() -> None:
    """The report of a bug names its type and place; data in the message stays in the worker."""
    async with pool() as running:
        with pytest.raises(WorkerFaultError, match=r"ValueError at .*jobs\.py") as fault:
            await ask(running, Stumble("0.123, 0.456"))
        assert "0.123" not in str(fault.value)


async def test_a_worker_that_dies_is_replaced() -> None:
    """The job that killed it is lost with a clear error; the next one is judged by another process."""
    async with pool() as running:
        before = running.processes
        with pytest.raises(WorkerLostError):
            await ask(running, Die())
        assert str(before[0]) not in await ask(running, Sleep(0))


async def test_a_worker_that_dies_idle_is_replaced() -> None:
    """A process killed between jobs costs no job."""
    async with pool() as running:
        before = running.processes
        os.kill(before[0], signal.SIGKILL)
        assert str(before[0]) not in await ask(running, Sleep(0))


async def test_a_cancelled_job_frees_its_worker_without_a_restart(tmp_path: Path) -> None:
    """The same process takes the next job, though the cancelled one would never have ended."""
    held = Held(tmp_path)
    async with pool(grace_s=PATIENCE_S) as running:
        before = running.processes
        abandoned = asyncio.create_task(ask(running, held))
        await held.begun()
        abandoned.cancel()
        with pytest.raises(asyncio.CancelledError):
            await abandoned
        assert str(before[0]) in await ask(running, Sleep(0))
        assert running.processes == before


async def test_a_cancelled_job_that_does_not_listen_loses_its_process(tmp_path: Path) -> None:
    """After the grace time the process is ended and another takes over."""
    held = Held(tmp_path, deaf=True)
    async with pool(grace_s=0.2) as running:
        before = running.processes
        abandoned = asyncio.create_task(ask(running, held))
        await held.begun()
        abandoned.cancel()
        await replaced(running, before)
        assert "slept" in await ask(running, Sleep(0))


async def test_a_job_without_end_is_ended() -> None:
    """A judging beyond the limit is reported as lost and its process ended."""
    async with pool(grace_s=0.1, judge_s=0.3) as running:
        before = running.processes
        with pytest.raises(WorkerLostError, match="longer than"):
            await ask(running, Sleep(30, deaf=True))
        await replaced(running, before)


async def test_leaving_the_queue_gives_the_place_away(tmp_path: Path) -> None:
    """A caller that goes away while it waits leaves room for another."""
    held = Held(tmp_path)
    async with pool(workers=1, queue=1) as running:
        first = asyncio.create_task(ask(running, held))
        await held.begun()
        waiting = asyncio.create_task(ask(running, Sleep(0)))
        await until(lambda: running.full)
        waiting.cancel()
        await until(lambda: not running.full)
        another = asyncio.create_task(ask(running, Sleep(0)))
        await until(lambda: running.full)
        held.go()
        assert "slept" in await another
        await first


async def test_stopping_finishes_what_is_under_way_and_takes_nothing_new(tmp_path: Path) -> None:
    """A job within the drain time is answered; a new one is refused."""
    held = Held(tmp_path)
    async with pool() as running:
        under_way = asyncio.create_task(ask(running, held))
        await held.begun()
        stop = asyncio.create_task(running.stop(drain_s=PATIENCE_S))
        await asyncio.sleep(0)
        with pytest.raises(StoppingError):
            await ask(running, Sleep(0))
        held.go()
        assert "held" in await under_way
        await stop
        assert running.processes == ()


async def test_stopping_ends_what_takes_too_long(tmp_path: Path) -> None:
    """A job beyond the drain time is lost, whoever waits is told, and no process is left."""
    held = Held(tmp_path)
    async with pool(workers=1, queue=1) as running:
        pids = running.processes
        under_way, waiting = (asyncio.create_task(ask(running, held)) for _ in range(2))
        await held.begun()
        await running.stop(drain_s=0.1)
        with pytest.raises(WorkerLostError):
            await under_way
        with pytest.raises(StoppingError):
            await waiting
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


async def test_a_worker_that_cannot_start_says_why() -> None:
    """A missing model file ends the start with the message that names it."""
    with pytest.raises(ModelKitError, match="cameo models pull"):
        await WorkerPool(refuse_to_start, PoolLimits(workers=2, queue=0)).start()


async def test_workers_are_held_to_their_threads() -> None:
    """A worker starts with the thread counts of the limits, the parent keeps its own."""
    before = dict(os.environ)
    async with pool() as running:
        assert await ask(running, Report("OMP_NUM_THREADS")) == "1"
    assert dict(os.environ) == before


async def test_the_environment_of_a_worker_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this process's variables it gets what interpreter and libraries need, and of the site's the limits of recordings."""
    for name in ("CAMEO_OPENID_CLIENT_SECRET", "CAMEO_DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "SOMETHING"):
        monkeypatch.setenv(name, "not-for-workers")
    monkeypatch.setenv("CAMEO_MEDIA_MAX_S", "20")
    async with pool() as running:
        told = json.loads(await ask(running, Confess()))
        assert "not-for-workers" not in told["environment"]
        assert await ask(running, Report("CAMEO_MEDIA_MAX_S")) == "20"
        assert await ask(running, Report("PATH")) == os.environ["PATH"]


async def test_the_kernel_holds_a_worker_to_its_limits() -> None:
    """No core dumps, few files, bounded memory, a bounded time of the processor for each job, and no way to more rights."""
    async with pool(judge_s=50.0) as running:
        told = json.loads(await ask(running, Confess()))
        assert (told["CORE"], told["NOFILE"], told["DATA"], told["NoNewPrivs"]) == (0, 256, 4 * 2**30, "1")
        assert 100 < told["CPU"] < 110


async def worker(limits: ResourceLimits, threads: ThreadPoolExecutor) -> Worker[Job, str]:
    return await Worker.start(hire, environment=thread_environment(1), threads=threads, ready_s=PATIENCE_S, limits=limits)


async def test_a_job_that_fills_the_memory_fails_alone() -> None:
    """What is over the limit is refused by the kernel; the process says so and goes on."""
    with ThreadPoolExecutor(2) as threads:
        held = await worker(ResourceLimits(memory_bytes=2**30), threads)
        try:
            with pytest.raises(WorkerFaultError, match="MemoryError"):
                await held.judge(Hoard(2**31))
            assert await held.judge(Hoard(2**20)) == str(2**20)
        finally:
            held.kill()
            await held.ended()


async def test_a_job_that_burns_the_processor_is_ended_by_the_kernel() -> None:
    """Nobody here need be listening, and the time of earlier jobs does not count."""
    with ThreadPoolExecutor(2) as threads:
        held = await worker(ResourceLimits(job_cpu_s=1.0), threads)
        try:
            assert "slept" in await held.judge(Sleep(0))
            with pytest.raises(WorkerLostError):
                await held.judge(Burn())
        finally:
            held.kill()
            await held.ended()


async def test_what_a_worker_says_is_read_as_data(tmp_path: Path) -> None:
    """A pickle that would make its reader act does nothing; whoever sent it is ended, and another takes over."""
    async with pool() as running:
        before = running.processes
        with pytest.raises(WorkerLostError):
            await ask(running, Smuggle(str(tmp_path / "owned")))
        await replaced(running, before)
        assert "slept" in await ask(running, Sleep(0))
    assert not (tmp_path / "owned").exists()


def stop_when_one_is_up(marks: Path) -> Callable[[Job, Callable[[], bool]], str]:
    """The first to come is up at once, the second never."""
    try:
        marks.mkdir()
    except FileExistsError:
        time.sleep(PATIENCE_S)
    return judge


async def test_a_start_that_is_given_up_leaves_no_worker(tmp_path: Path) -> None:
    """Neither the one that is up nor the one that is still loading outlives it: they hear no signal but the last."""
    starting = WorkerPool(partial(stop_when_one_is_up, tmp_path / "up"), PoolLimits(workers=2, queue=0))
    start = asyncio.create_task(starting.start())
    await until(lambda: bool(starting.processes))
    assert len(started.judging()) == 2
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert starting.processes == ()
    assert started.judging() == set()
