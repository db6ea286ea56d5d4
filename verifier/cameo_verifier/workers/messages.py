"""Worker messages: what the server process sends to a worker, and what the judge there may offer beside judging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.live.observation import Observation


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request to judge a job."""

    number: int
    job: Any


@dataclass(frozen=True, slots=True)
class Look:
    """A request to check whether a job can be judged."""

    number: int
    job: Any


@dataclass(frozen=True, slots=True)
class Live:
    """A request to hold a live session: recordings that are observed while they arrive, then a `Job` of the same number."""

    number: int


@dataclass(frozen=True, slots=True)
class Record:
    """In a live session: a recording begins, and the one before is forgotten.

    number: counted from 1. answer: it is to be judged, and may be analysed for that while it arrives.
    """

    number: int
    answer: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """In a live session: further bytes of the recording."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Cancel:
    """A request to cancel a job, or the live session of that number."""

    number: int


@runtime_checkable
class Looks(Protocol):
    """A judge that can check cheaply, without judging, that a job cannot be judged."""

    def look(self, job: Any, /) -> None:  # noqa: ANN401 - whatever it judges
        """Return, or raise the reason why it cannot be judged."""
        ...


class Watching(Protocol):
    """The observation of a recording that arrives, beside the thread that calls this."""

    def feed(self, chunk: bytes, /) -> None:
        """Append bytes, without waiting for their observation."""
        ...

    def completed(self, job: Any, /) -> Any:  # noqa: ANN401 - whatever the judge judges
        """Return the job with what is known of the recording, all of whose bytes have arrived."""
        ...

    def stop(self) -> None:
        """End it, and wait until nothing more is reported."""
        ...


@runtime_checkable
class Watches(Protocol):
    """A judge that can observe recordings while they arrive."""

    def watch(self, tell: Callable[[Observation | Exception], None], /, *, answer: bool) -> Watching:
        """Begin to observe a recording, an answer or not.

        Every observation, or the error that ends them, is told, from any one thread.
        """
        ...
