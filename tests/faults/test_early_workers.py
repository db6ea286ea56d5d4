"""Jobs that an idle worker begins while their data arrives: who has the worker, and what is lost when it goes."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.workers.pool import PoolLimits, StoppingError, WorkerPool
from tests.faults.jobs import Gather, Held, Sleep, hire, hire_gatherer
from tests.patience import PATIENCE_S
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cameo_verifier.workers.pool import Early

pytestmark = pytest.mark.asyncio
Pool = WorkerPool[Gather, str]


@asynccontextmanager
async def pool(*, workers: int = 1) -> AsyncIterator[Pool]:
    running: Pool = WorkerPool(hire_gatherer, PoolLimits(workers=workers, queue=4, grace_s=PATIENCE_S))
    await running.start()
    try:
        yield running
    finally:
        await running.stop(drain_s=0)


async def judged(running: Pool, early: Early[Gather, str] | None = None) -> str:
    """Judge the text "abc", of which the worker has what arrived."""
    async with running.turn(early) as turn:
        return await turn.judge(Gather("" if turn.begun else "abc"))


async def broken_off(running: Pool) -> None:
    async with running.early(Gather()) as early:
        await early.feed(b"left behind")
        raise ConnectionError


async def test_what_arrived_is_judged_by_the_worker_that_began() -> None:
    """Its data is not sent again, and the worker serves the next one."""
    async with pool() as running:
        async with running.early(Gather()) as early:
            for piece in (b"a", b"b", b"c"):
                await early.feed(piece)
            assert await judged(running, early) == f"abc as it arrived in {running.processes[0]}"
        assert await judged(running) == f"abc in {running.processes[0]}"


async def test_whoever_needs_a_worker_takes_it_back() -> None:
    """A job that is whole does not wait for one that arrives, which is then judged from the start."""
    async with pool() as running, running.early(Gather()) as early:
        await early.feed(b"a")
        assert await judged(running) == f"abc in {running.processes[0]}"
        await early.feed(b"b")
        assert await judged(running, early) == f"abc in {running.processes[0]}"


async def test_the_one_that_began_last_is_taken_back_first() -> None:
    """It loses least."""
    async with pool(workers=2) as running, running.early(Gather()) as first, running.early(Gather()) as second:
        await first.feed(b"abc")
        await second.feed(b"abc")
        assert "as it arrived" not in await judged(running)
        assert "as it arrived" in await judged(running, first)
        assert "as it arrived" not in await judged(running, second)


async def test_without_an_idle_worker_nothing_is_begun(tmp_path: Path) -> None:
    """What arrives is judged once it is whole; so it is by judges that begin nothing."""
    async with pool() as running, running.turn() as busy:
        async with running.early(Gather()) as early:
            await early.feed(b"abc")
            assert early.worker is None
        assert "abc" in await busy.judge(Gather("abc"))
    plain = WorkerPool(hire, PoolLimits(workers=1, queue=0))
    await plain.start()
    try:
        async with plain.early(Sleep(0)) as early, plain.turn(early) as turn:
            assert not turn.begun
            assert "held" not in await turn.judge(Sleep(0))
    finally:
        await plain.stop(drain_s=0)
    assert not Held(tmp_path).marks.joinpath("begun").exists()


async def test_an_upload_that_breaks_off_gives_its_worker_back() -> None:
    """So does one that is refused after a look; nothing of it is left in the worker."""
    async with pool() as running:
        with pytest.raises(ConnectionError):
            await broken_off(running)
        assert await judged(running) == f"abc in {running.processes[0]}"
        async with running.early(Gather()) as early:
            await early.feed(b"refuse")
            async with running.turn(early) as turn:
                with pytest.raises(UnjudgeableError, match="refuse as it arrived"):
                    await turn.look(Gather())
        assert await judged(running) == f"abc in {running.processes[0]}"


async def test_a_look_leaves_the_data_for_the_judge() -> None:
    """Both see all of it."""
    async with pool() as running, running.early(Gather()) as early:
        await early.feed(b"abc")
        async with running.turn(early) as turn:
            await turn.look(Gather())
            assert "abc as it arrived" in await turn.judge(Gather())


@pytest.mark.parametrize("by_its_data", [True, False])
async def test_a_worker_that_dies_over_it_loses_nothing(*, by_its_data: bool) -> None:
    """What is still fed goes nowhere, and another worker judges the whole."""
    async with pool() as running, running.early(Gather()) as early:
        before = running.processes
        if by_its_data:
            await early.feed(b"fatal")
        else:
            os.kill(before[0], signal.SIGKILL)
        await until(lambda: running.processes not in {before, ()})
        await early.feed(b"abc")
        assert await judged(running, early) == f"abc in {running.processes[0]}"


async def test_stopping_takes_every_worker_back() -> None:
    """An upload that goes on meanwhile is refused its turn, not left hanging."""
    async with pool() as running, running.early(Gather()) as early:
        await asyncio.gather(early.feed(b"a"), running.stop(drain_s=0))
        await early.feed(b"b")
        with pytest.raises(StoppingError):
            await judged(running, early)
