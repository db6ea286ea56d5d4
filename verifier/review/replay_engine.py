"""Many replays, in this process or side by side in several. What comes out does not depend on where it was computed.

A worker that is killed takes its process pool with it; what was not answered yet is then tried again in a new one, and an
attempt that takes down its worker again and again is reported as not replayed. So none is lost, and none is reported twice.
"""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING

from verifier.review.replay import NotReplayed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from verifier.review.replay import Material, OpenReplay, Replay, Replayed

ATTEMPTS = 3
"""How often an attempt may be under way in a pool that breaks; the first time it may be another's fault."""


def replay_all(given: Iterable[Material], open_replay: OpenReplay, *, workers: int = 1) -> Iterator[Replayed | NotReplayed]:
    """Yield what comes of each attempt as it is done; with one worker in this process and in order.

    Raises:
        ModelKitError: the models cannot be opened.
    """
    if workers == 1:
        replay = open_replay()
        yield from (replay(material) for material in given)
        return
    waiting: deque[Material] = deque()
    broke: Counter[str] = Counter()
    source = iter(given)
    while True:
        under_way: dict[Future[Replayed | NotReplayed], Material] = {}
        try:
            with ProcessPoolExecutor(
                workers, mp_context=get_context("spawn"), initializer=_Process.open, initargs=(open_replay,)
            ) as pool:
                while True:
                    # Few at once: what is under way is in memory, and is what a broken pool makes do again. What was under way
                    # in a pool that broke goes alone, so that it is known whose worker died.
                    while len(under_way) < (1 if waiting else workers + 1):
                        material = waiting.popleft() if waiting else next(source, None)
                        if material is None:
                            break
                        under_way[pool.submit(_Process.replay, material)] = material
                    if not under_way:
                        return
                    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        found = future.result()
                        del under_way[future]
                        yield found
        except BrokenProcessPool:
            yield from _again(under_way, waiting, broke)


def gave_up(attempt_id: str) -> NotReplayed:
    """Return what is said of an attempt that takes down its worker again and again."""
    return NotReplayed(attempt_id, f"its worker died {ATTEMPTS} times")


def _again(
    under_way: dict[Future[Replayed | NotReplayed], Material], waiting: deque[Material], broke: Counter[str]
) -> Iterator[Replayed | NotReplayed]:
    """Yield what was done before the pool broke and what is given up, and put the rest back."""
    for future, material in under_way.items():
        if future.done() and future.exception() is None:
            yield future.result()
            continue
        broke[material.attempt_id] += 1
        if broke[material.attempt_id] < ATTEMPTS:
            waiting.append(material)
        else:
            yield gave_up(material.attempt_id)


class _Process:
    """What a worker process keeps between two attempts."""

    run: Replay

    @classmethod
    def open(cls, open_replay: OpenReplay) -> None:
        """Load what replays."""
        cls.run = staticmethod(open_replay())

    @classmethod
    def replay(cls, material: Material) -> Replayed | NotReplayed:
        """Replay one attempt."""
        return cls.run(material)
