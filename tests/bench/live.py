"""What is left to do after the last byte of an answer that arrives as it is made: `make bench-live`.

1. A 10 s clip of 1280x720 at 30 fps is made from a fixture, in Matroska.
2. Its bytes are sent in slices of 250 ms, in real time, to live workers, by one session and by three at once; each session has a
   worker process, and there is one more.
3. Measured is the time from the last byte to the judgement; beside it, the same worker judging the whole clip at once.

Each figure is taken over `--rounds`; nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier import profiles
from cameo_verifier.settings import Settings
from cameo_verifier.workers.judge import OpenJudge, Response
from cameo_verifier.workers.pool import PoolLimits, WorkerPool
from fixtures.manifest import load as load_fixtures
from tests.bench.cost import CLIP_S, clip_of

if TYPE_CHECKING:
    from cameo_challenges.model import Challenge
    from cameo_verifier.types import Judgement

SLICE_S = 0.25
SESSIONS = (1, 3)
JUDGE_S = 600.0
CORES = os.cpu_count() or 1


async def whole(pool: WorkerPool[Response, Judgement], clip: bytes, challenge: Challenge) -> float:
    """Return the seconds of judging the clip once all of it is there."""
    async with pool.turn() as turn:
        began = perf_counter()
        await turn.judge(Response(clip, challenge))
        return perf_counter() - began


async def live(pool: WorkerPool[Response, Judgement], clip: bytes, challenge: Challenge) -> float:
    """Send the clip in real time; return the seconds from its last byte to the judgement."""
    slices = round(CLIP_S / SLICE_S)
    size = -(-len(clip) // slices)
    async with pool.live() as worker:
        await worker.begin(answer=True)
        began = perf_counter()
        for number in range(slices):
            await asyncio.sleep(max(0.0, began + (number + 1) * SLICE_S - perf_counter()))
            await worker.feed(clip[number * size : (number + 1) * size])
        ended = perf_counter()
        await worker.judge(Response(clip, challenge))
        return perf_counter() - ended


async def measured(clip: bytes, challenge: Challenge, rounds: int) -> Table:
    """Return the table of all figures."""
    table = Table("path", "P50 s", "P95 s", "n", title=f"last byte to judgement, {CLIP_S} s of 720p30, {CORES} cores")

    def add(name: str, times_s: list[float]) -> None:
        table.add_row(name, *(f"{np.percentile(times_s, share):.2f}" for share in (50, 95)), str(len(times_s)))

    workers, settings = max(SESSIONS) + 1, Settings(workers=CORES)
    pool = WorkerPool(
        OpenJudge(settings, profiles.load()),
        PoolLimits(workers=workers, queue=max(SESSIONS), threads=settings.threads, judge_s=JUDGE_S),
    )
    await pool.start()
    try:
        for _ in range(workers):
            await whole(pool, clip, challenge)
        add("whole clip", [await whole(pool, clip, challenge) for _ in range(rounds)])
        for sessions in SESSIONS:
            times_s: list[float] = []
            for _ in range(rounds):
                times_s += await asyncio.gather(*(live(pool, clip, challenge) for _ in range(sessions)))
            add(f"live, {sessions} at once", times_s)
    finally:
        await pool.stop(drain_s=0)
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    fixture = next(each for each in load_fixtures() if each.id == "astronaut_bona_fide")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip.mkv")
        clip_of(fixture.file, path)
        Console().print(asyncio.run(measured(path.read_bytes(), fixture.challenge, rounds)))


if __name__ == "__main__":
    main()
