"""Live record: when each prompt and colour was revealed, and when the bytes of each moment of the recording arrived.

Times of the server are seconds on its own monotonic clock, from the arrival of the answer's first bytes; a client's times are its
own statements, and bound nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reveal:
    """One prompt or colour that was revealed.

    Attributes:
        sent_s: when it left the server.
        shown_media_s: the moment of the recording at which the client says it was on the screen; None where it did not say.
    """

    sent_s: float
    shown_media_s: float | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of the recording that arrived together.

    Attributes:
        end: number of bytes that had arrived with them.
        arrived_s: when they arrived at the server.
    """

    end: int
    arrived_s: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """The bytes that hold a moment of the recording.

    Attributes:
        media_s: the time up to which every packet of picture and sound is in them and in the bytes before.
        arrived_s: when they arrived at the server.
    """

    media_s: float
    arrived_s: float


@dataclass(frozen=True, slots=True)
class LiveRecord:
    """The times of one live session.

    Attributes:
        prompts: one reveal for each step of the challenge, in order.
        colours: one reveal for each colour of the challenge, in order.
        chunks: in the order of their arrival.
        arrivals: in order of both clocks; what the chunks held, as the judge finds it.
    """

    prompts: tuple[Reveal, ...] = ()
    colours: tuple[Reveal, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
