"""Replay of many attempts, in this process or in parallel ones. The results do not depend on where they are computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_verifier.review.replay import Answer, NotReplayed, Replayed
from cameo_verifier.workers.crew import Crew
from cameo_verifier.workers.process import USUAL, ResourceLimits, WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cameo_verifier.review.replay import Material, Replay


def replay_all(
    given: Iterable[Material],
    open_replay: Callable[[], Replay],
    *,
    workers: int = 1,
    apart: bool = False,
    limits: ResourceLimits = USUAL,
) -> Iterator[Replayed | NotReplayed]:
    """Yield the result of each attempt as it is done; with one worker in order and, unless `apart`, in this process.

    Every other process is offline and limited to `limits`, and its answers are data: use `apart` for replays that decode
    recordings.

    Raises:
        ModelKitError: the models cannot be opened.
    """
    if workers == 1 and not apart:
        replay = open_replay()
        yield from (replay(material) for material in given)
        return
    with replaying_crew(open_replay, workers=workers, limits=limits) as crew:
        for material, found in crew.each(given):
            yield NotReplayed(material.attempt_id, str(found)) if isinstance(found, WorkerLostError) else found


def replaying_crew(
    open_replay: Callable[[], Replay], *, workers: int = 1, limits: ResourceLimits = USUAL
) -> Crew[Material, Replayed | NotReplayed]:
    """Start processes that replay."""
    return Crew(_Open(open_replay), workers=workers, records=(Answer, NotReplayed, Replayed), limits=limits)


@dataclass(frozen=True, slots=True)
class _Open:
    """Factory of a replay that ignores cancellation, because whoever started the process ends it."""

    open_replay: Callable[[], Replay]

    def __call__(self) -> Callable[[Material, Callable[[], bool]], Replayed | NotReplayed]:
        run = self.open_replay()
        return lambda material, _cancelled: run(material)
