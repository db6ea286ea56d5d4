"""Many replays, in this process or side by side in several. What comes out does not depend on where it was computed.

Each worker is a process pool of one: a worker that is killed takes down nothing but its own attempt, which is then tried again in
a new one, and an attempt that takes down its worker again and again is reported as not replayed. So none is lost, and none is
reported twice.
"""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING

from verifier import offline
from verifier.review.replay import NotReplayed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from verifier.review.replay import Material, Replay, Replayed

TRIES = 3
"""How often an attempt may take down its worker; the first time something else may have killed it."""


def replay_all(
    given: Iterable[Material], open_replay: Callable[[], Replay], *, workers: int = 1, apart: bool = False
) -> Iterator[Replayed | NotReplayed]:
    """Yield what comes of each attempt as it is done; with one worker in order and, unless `apart`, in this process.

    Every other process is offline: `apart` is for what opens models beside a store that is reached over the network.

    Raises:
        ModelKitError: the models cannot be opened.
    """
    if workers == 1 and not apart:
        replay = open_replay()
        yield from (replay(material) for material in given)
        return
    waiting: deque[Material] = deque()
    source = iter(given)
    died: Counter[str] = Counter()
    under_way: dict[Future[Replayed | NotReplayed], tuple[Material, ProcessPoolExecutor]] = {}
    idle = deque(_worker(open_replay) for _ in range(workers))
    try:
        while True:
            while idle and (material := waiting.popleft() if waiting else next(source, None)) is not None:
                worker = idle.popleft()
                under_way[worker.submit(_Process.replay, material)] = material, worker
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                material, worker = under_way.pop(future)
                idle.append(worker if future.exception() is None else _worker(open_replay))
                try:
                    yield future.result()
                except BrokenProcessPool:
                    worker.shutdown(wait=False)
                    died[material.attempt_id] += 1
                    if died[material.attempt_id] == TRIES:
                        yield gave_up(material.attempt_id)
                    else:
                        waiting.append(material)
    finally:
        for worker in (*idle, *(worker for _, worker in under_way.values())):
            worker.shutdown(cancel_futures=True)


def _worker(open_replay: Callable[[], Replay]) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_Process.open, initargs=(open_replay,))


def gave_up(attempt_id: str) -> NotReplayed:
    """Return what is said of an attempt that takes down its worker again and again."""
    return NotReplayed(attempt_id, f"its worker died {TRIES} times")


class _Process:
    """What a worker process keeps between two attempts."""

    open_replay: Callable[[], Replay]
    run: Replay | None = None

    @classmethod
    def open(cls, open_replay: Callable[[], Replay]) -> None:
        """Say what to load; an error here would only end the process, and nobody would be told why."""
        offline.go_offline()
        cls.open_replay = staticmethod(open_replay)

    @classmethod
    def replay(cls, material: Material) -> Replayed | NotReplayed:
        """Replay one attempt, the first after loading what replays."""
        run = cls.run or cls.open_replay()
        cls.run = staticmethod(run)
        return run(material)
