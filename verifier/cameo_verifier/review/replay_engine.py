"""Many replays, in this process or side by side in several. What comes out does not depend on where it was computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_verifier.review.replay import Answer, NotReplayed, Replayed
from cameo_verifier.workers.crew import Crew
from cameo_verifier.workers.process import USUAL, Rights, WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cameo_verifier.review.replay import Material, Replay


def replay_all(
    given: Iterable[Material],
    open_replay: Callable[[], Replay],
    *,
    workers: int = 1,
    apart: bool = False,
    rights: Rights = USUAL,
) -> Iterator[Replayed | NotReplayed]:
    """Yield what comes of each attempt as it is done; with one worker in order and, unless `apart`, in this process.

    Every other process is offline and held to `rights`, and what it says is data: `apart` is for what decodes recordings.

    Raises:
        ModelKitError: the models cannot be opened.
    """
    if workers == 1 and not apart:
        replay = open_replay()
        yield from (replay(material) for material in given)
        return
    with replaying_crew(open_replay, workers=workers, rights=rights) as crew:
        for material, found in crew.each(given):
            yield NotReplayed(material.attempt_id, str(found)) if isinstance(found, WorkerLostError) else found


def replaying_crew(
    open_replay: Callable[[], Replay], *, workers: int = 1, rights: Rights = USUAL
) -> Crew[Material, Replayed | NotReplayed]:
    """Start processes that replay."""
    return Crew(_Open(open_replay), workers=workers, records=(Answer, NotReplayed, Replayed), rights=rights)


@dataclass(frozen=True, slots=True)
class _Open:
    """Opens a replay where whoever started the process ends it, so that nobody is asked whether to go on."""

    open_replay: Callable[[], Replay]

    def __call__(self) -> Callable[[Material, Callable[[], bool]], Replayed | NotReplayed]:
        run = self.open_replay()
        return lambda material, _cancelled: run(material)
