"""Evaluation of screen light: how well the response to a display's colours tells people from attacks, in simulated light.

Nobody was filmed before such a display. Pictures of genuine recordings are relit (`review.relighting`), in every condition of
`CONDITIONS`; the check's own evidence is measured on what the codec leaves, with the landmarks of the recording as it was.

1. Each recording is played to and fro for as long as seven colours take, which are shown for 0.475 to 1.175 s each.
2. Delays are drawn as `SOURCES` says, in slices of a recorder; the check gets what the server's clock would say.
3. Attacks: no light on the face; a display that lights face and background alike; the light of another sequence; the right light,
   later by `LATE_S`. Where it is later by less than what a slow line is allowed, it passes, and counts in no error rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cameo_challenges import colours
from cameo_verifier.evidence.light_response import Answers, Response
from cameo_verifier.evidence.screen_light import colours_seen
from cameo_verifier.live_record import Arrival, LiveRecord, Reveal
from cameo_verifier.media import open_recording
from cameo_verifier.review.relighting import Filmed, Room, recoded, relit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.settings import Settings
    from cameo_verifier.types import F32, F64

USUAL = Room(share=0.1)
CONDITIONS = {
    "screen 30 % of the room's light": replace(USUAL, share=0.3),
    "10 %": USUAL,
    "5 %": replace(USUAL, share=0.05),
    "2 %": replace(USUAL, share=0.02),
    "10 %, quick exposure and white balance": replace(USUAL, exposure_s=0.3, white_balance_s=1.0),
    "10 %, warm lamps": replace(USUAL, cast=(0.6, 1.0, 1.8)),
    "10 %, wall behind": replace(USUAL, background=0.3),
    "10 %, H.264": replace(USUAL, codec="libx264"),
    "10 %, 0.1 bits a pixel": replace(USUAL, bits_per_pixel=0.1),
}
"""Light, camera and codec of simulated sessions, by name."""
GENUINE, UNLIT, FLAT, ORDER, LATE = "genuine", "no light on the face", "flat", "another sequence", "late"
LATE_S = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5)
ORDERS = 20
"""Other sequences that are compared with the light of one session."""
SEED = 19

_SUFFIXES = frozenset({".mov", ".mp4", ".mpg"})
_SIDE_PX, _LONGEST_S, _LEAST_FPS, _LEAST_S = 400, 4.0, 10.0, 2.0
_FPS = 15.0
_BEFORE_S, _EXTRA_S = (0.6, 0.9), 0.7
_ROUND_TRIP_S, _ROUND_TRIP_SIGMA = 0.063, 0.7
_SHOW_S, _CAMERA_S, _ENCODER_S = (0.05, 0.083), (0.03, 0.10), (0.03, 0.10)
_QUEUE_S, _SLICE_S = 0.04, 0.25


class Source(NamedTuple):
    """What is drawn, from which distribution, and where that comes from."""

    what: str
    drawn: str
    source: str


SOURCES = (
    Source(
        "round trip",
        "log-normal, median 63 ms, 5 % below 20 ms, 5 % above 0.2 s; 40 ms on average for the queue of a slice",
        "5 % of mobile clients are below 20 ms (Rizvi, Heidemann and Plonka 2025, arXiv 2507.18834); the spread is assumed",
    ),
    Source("display, camera, encoder", "50 to 83 ms, 30 to 100 ms, 30 to 100 ms", "two to four pictures each; assumed"),
    Source("slices of the recorder", "250 ms", "MediaRecorder.start(250), W3C MediaStream Recording"),
    Source(
        "bit rate",
        "0.25 bits a pixel, VP8 in real time",
        "the default of Chromium, 2.5 Mbit/s, at 640x480 and 30 pictures a second",
    ),
)


@dataclass(frozen=True, slots=True)
class Take:
    """A genuine recording, ready to be relit."""

    name: str
    filmed: Filmed


@dataclass(frozen=True, slots=True)
class Presented:
    """One simulated session: the recording, its condition, what was presented (late: by `late_s`), and the measured response."""

    take: str
    condition: str
    kind: str
    response: Response
    late_s: float = 0.0


def recordings(given: Path) -> tuple[Path, ...]:
    """Return the genuine recordings of a folder of development recordings, or the one recording given."""
    if given.is_file():
        return (given,)
    folders = (given / "bonafide", given / "bonafide" / "talkers", given / "headturn")
    return tuple(path for folder in folders for path in sorted(folder.glob("*")) if path.suffix in _SUFFIXES)


def read_take(path: Path, kit: ModelKit, settings: Settings) -> Take | None:
    """Read the first seconds of a recording; None where it has too few pictures a second, or hardly a face."""
    seen = []
    with open_recording(path, limits=settings.media) as source, kit.landmarker(max_faces=1, video=True) as landmarker:
        for frame in source.frames(max_fps=_FPS, max_side_px=_SIDE_PX):
            if frame.t_s > _LONGEST_S:
                break
            found = landmarker.detect(frame)
            seen += [(frame, found[0].landmarks)] if found else []
    if len(seen) < 2 or seen[-1][0].t_s < _LEAST_S or len(seen) < _LEAST_FPS * seen[-1][0].t_s:
        return None
    pictures, landmarks = [frame.rgb for frame, _ in seen], [points for _, points in seen]
    return Take(path.name, Filmed.of(np.stack(pictures), np.stack(landmarks)))


def present(take: Take, condition: str) -> Iterator[Presented]:
    """Yield a genuine session of a recording in a condition, and the attacks on it; alone, where it shows too little."""
    random = Random(f"{SEED} {take.name} {condition}")  # noqa: S311 - a simulation repeats itself
    room = CONDITIONS[condition]
    asked = colours.sequence(random.randrange(colours.COUNT))
    session = _Session.drawn(random)
    lit, landmarks = session.filmed(take, asked, room, random)

    def answers(seen: F32) -> Answers:
        return Answers(session.t_s, seen, landmarks, session.record)

    person = answers(lit)
    genuine = Presented(take.name, condition, GENUINE, person.to(asked))
    yield genuine
    if math.isnan(genuine.response.match):
        return
    for late_s in LATE_S:
        late = replace(genuine.response, delay_s=genuine.response.delay_s + late_s)
        yield Presented(take.name, condition, LATE, late, late_s)
    for _ in range(ORDERS):
        other = colours.sequence(random.randrange(colours.COUNT))
        yield Presented(take.name, condition, ORDER, person.to(other))
    for kind, dimmed, flat in ((UNLIT, replace(room, share=0.0), False), (FLAT, room, True)):
        seen = session.filmed(take, asked, dimmed, random, flat=flat)[0]
        yield Presented(take.name, condition, kind, answers(seen).to(asked))


@dataclass(frozen=True, slots=True)
class _Session:
    """The times of one session: of pictures, of colours on the display in the recording, and of the server."""

    t_s: F64
    shown_s: tuple[float, ...]
    sent_s: tuple[float, ...]
    arrivals: tuple[Arrival, ...]

    @classmethod
    def drawn(cls, random: Random) -> _Session:
        trip_s = _ROUND_TRIP_S * float(np.exp(_ROUND_TRIP_SIGMA * random.gauss(0, 1)))
        show_s, camera_s, encoder_s = (random.uniform(*span) for span in (_SHOW_S, _CAMERA_S, _ENCODER_S))
        began_s = -_SLICE_S - encoder_s - trip_s / 2
        sent_s = [random.uniform(*_BEFORE_S)]
        while len(sent_s) < colours.LENGTH:
            sent_s.append(sent_s[-1] + colours.LEAST_S + random.uniform(0, _EXTRA_S))
        # A colour is held up on its way as slices are.
        shown_s = [sent + trip_s / 2 + show_s + camera_s - began_s + random.expovariate(1 / _QUEUE_S) for sent in sent_s]
        t_s = np.arange(int((shown_s[-1] + 1.0) * _FPS)) / _FPS
        arrivals: list[Arrival] = []
        while not arrivals or arrivals[-1].media_s < t_s[-1]:
            end_s = (len(arrivals) + 1) * _SLICE_S
            there_s = began_s + end_s + encoder_s + trip_s / 2 + (random.expovariate(1 / _QUEUE_S) if arrivals else 0.0)
            arrivals.append(Arrival(end_s, max(there_s, arrivals[-1].arrived_s if arrivals else 0.0)))
        return cls(t_s, tuple(shown_s), tuple(sent_s), tuple(arrivals))

    def filmed(self, take: Take, shown: Sequence[int], room: Room, random: Random, *, flat: bool = False) -> tuple[F32, F32]:
        """Return the colours measured in every picture, and the landmarks of the head in it."""
        count = len(take.filmed.linear)
        to_and_fro = [*range(count), *range(count - 2, 0, -1)]
        first = random.randrange(len(to_and_fro))
        rows = [to_and_fro[(first + place) % len(to_and_fro)] for place in range(len(self.t_s))]
        rng = np.random.default_rng(random.getrandbits(32))
        pictures = recoded(relit(take.filmed, rows, self.t_s, shown, self.shown_s, room, rng, flat=flat), _FPS, room)
        landmarks = take.filmed.landmarks[rows]
        return np.stack([colours_seen(*each) for each in zip(pictures, landmarks, strict=True)]), landmarks

    @property
    def record(self) -> LiveRecord:
        """What the server knows."""
        return LiveRecord(colours=tuple(Reveal(sent) for sent in self.sent_s), arrivals=self.arrivals)
