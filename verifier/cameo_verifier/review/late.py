"""Simulation of delays: how often `answered_in_time` asks people again, and how often it accepts answers that came with a delay.

Nobody was recorded for it. Each session draws a person, a device and a line from published distributions (`SOURCES`), plays an
issued challenge on the server's clock, in slices of a recorder, and puts the times to the check as it is. What the onsets are
measured by, sound and picture, has no part in it.

1. A person is as quick as their factor says; each answer varies around it, and a few come after a second look.
2. The server reveals a step, the screen shows it, the person begins, and the camera sees it. A tool that answers in place of the
   person adds its delay there.
3. The recorder cuts slices; each arrives after the encoder and the line, never before the one before it.
4. Once the slice with the answer's end is there, the next step is revealed after a random pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cameo_challenges.issue import RECIPE
from cameo_challenges.model import Challenge, Say
from cameo_verifier.checks.answered_in_time import judge, latencies
from cameo_verifier.live_record import Arrival, LiveRecord, Reveal
from cameo_verifier.reasons import Reason
from cameo_verifier.review.error_rates import Rate, rate
from cameo_verifier.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cameo_verifier.profile import Profile

DELAYS_S = (0.0, 0.3, 0.6, 1.0, 1.1, 1.3, 1.5)
SESSIONS, SEED = 5000, 1

ANSWER_S, PEOPLE_SIGMA = 0.60, 0.20
ANSWER_SIGMA, ANSWER_TAIL = 0.10, 0.15
LEAST_S = 0.25
SECOND_LOOK, SECOND_LOOK_S = 0.03, 1.0
TURN_S = (0.10, 0.25)
ROUND_TRIP_S, ROUND_TRIP_SIGMA = 0.063, 0.7
QUEUE_S = 0.04
UPLINK_BPS, UPLINK_SIGMA, LEAST_UPLINK_BPS, RECORDED_BPS = 15e6, 0.9, 3e6, 2.5e6
SHOW_S, CAMERA_S, ENCODER_S = (0.05, 0.083), (0.03, 0.10), (0.03, 0.10)
SLICE_S, PICTURE_S = 0.25, 1 / 30
SAY_S, TURN_AND_BACK_S, PAUSE_S = 1.6, 1.4, (0.3, 1.0)
QUICKEST_SIGMAS = -1.645
"""Speed of the operator in the best case of an attacker, in deviations of people: one in twenty is quicker."""


class Source(NamedTuple):
    """What is drawn, from which distribution, and where that comes from."""

    what: str
    drawn: str
    source: str


SOURCES = (
    Source(
        "speech onset after reading",
        "log-normal by person, median 0.60 s, 90 % between 0.43 and 0.83 s",
        "to prepare a word takes over 0.6 s (Levinson and Torreira 2015, doi 10.3389/fpsyg.2015.00731), older adults read words "
        "1.5 times as slowly as younger ones (Myerson et al. 1992, doi 10.1037//0882-7974.7.2.257)",
    ),
    Source(
        "one answer of one person",
        "ex-Gaussian around it: 10 % normal, 15 % exponential, at least 0.25 s",
        "the usual form of reaction times (Moret-Tatay et al. 2018, doi 10.3389/fpsyg.2018.00612); the shares are assumed",
    ),
    Source("a second look", "3 % of steps, exponential, 1 s on average", "assumed"),
    Source(
        "head turn",
        "the same person's speed, then 0.10 to 0.25 s to a quarter of the turn",
        "choosing among four slows with age as well (Der and Deary 2006, doi 10.1037/0882-7974.21.1.62), and the head follows "
        "the eyes after 20 to 40 ms (Warabi 1977); the way to a quarter is assumed",
    ),
    Source(
        "round trip",
        "log-normal, median 63 ms, 5 % below 20 ms, 5 % above 0.2 s",
        "5 % of mobile clients are below 20 ms (Rizvi, Heidemann and Plonka 2025, arXiv 2507.18834); the spread is assumed",
    ),
    Source(
        "upload of a slice",
        "250 ms of 2.5 Mbit/s over 15 Mbit/s, log-normal, 5 % below 3.4; a queue, exponential, 40 ms on average",
        "60 % of mobile clients receive less than 50 Mbit/s (the same); upwards it is assumed",
    ),
    Source("display, camera, encoder", "50 to 83 ms, 30 to 100 ms, 30 to 100 ms", "two to four pictures each; assumed"),
    Source("slices of the recorder", "250 ms", "MediaRecorder.start(250), W3C MediaStream Recording"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """Rates at one added delay.

    Attributes:
        delay_s: what is added to each answer, in seconds.
        accepted: sessions that pass, of people at their usual speed and line.
        asked_again: sessions that are asked again.
        accused: sessions that are taken for known before.
        best_case: sessions that pass, of the quickest operator without any transport.
    """

    delay_s: float
    accepted: Rate
    asked_again: Rate
    accused: Rate
    best_case: Rate


def simulate(profile: Profile, *, sessions: int = SESSIONS, seed: int = SEED) -> Iterator[Line]:
    """Yield the rates at each of `DELAYS_S`, in order.

    Args:
        profile: its lines are used.
        sessions: number of sessions a delay.
        seed: of everything that is drawn; the same people meet each delay.
    """
    for delay_s in DELAYS_S:
        yield _line(profile, delay_s, sessions, seed)


def _line(profile: Profile, delay_s: float, sessions: int, seed: int) -> Line:
    usual = [_reason(profile, delay_s, seed, number, best=False) for number in range(sessions)]
    best = [_reason(profile, delay_s, seed, number, best=True) for number in range(sessions)]
    return Line(
        delay_s,
        accepted=rate(usual.count(None), sessions),
        asked_again=rate(usual.count(Reason.ANSWER_TOO_LATE), sessions),
        accused=rate(usual.count(Reason.ANSWER_KNOWN_BEFORE), sessions),
        best_case=rate(best.count(None), sessions),
    )


def _reason(profile: Profile, delay_s: float, seed: int, number: int, *, best: bool) -> Reason | None:
    """Return why one session does not pass; None where it does."""
    draw = np.random.default_rng((seed, number))
    challenge = Challenge(RECIPE.steps(int(draw.integers(RECIPE.count, dtype=np.uint64))))
    live, said, turned = play(challenge, draw, delay_s=delay_s, best=best)
    result = judge(latencies(challenge, live, said, turned), profile)
    return None if result.outcome is Outcome.PASS else result.reason


def play(
    challenge: Challenge, draw: np.random.Generator, *, delay_s: float = 0.0, best: bool = False
) -> tuple[LiveRecord, list[float], list[float]]:
    """Play one session in virtual time.

    Args:
        challenge: its steps.
        draw: where the person, the device and the line come from.
        delay_s: added to each answer.
        best: the quickest operator, without any transport.

    Returns:
        The server's record, the onset of each thing to say and of each turn, in seconds of the recording.
    """
    quick = float(np.exp(PEOPLE_SIGMA * draw.standard_normal()))
    device = _Device.drawn(draw)
    if best:
        quick, device = float(np.exp(QUICKEST_SIGMAS * PEOPLE_SIGMA)), _Device(0.0, 0.0, 0.0, 0.0, PICTURE_S, 0.0)
    record = _Recorder(device, draw)
    prompts: list[Reveal] = []
    onsets: dict[bool, list[float]] = {True: [], False: []}
    sent_s = record.until(float(draw.uniform(*PAUSE_S)))
    for step in challenge.steps:
        says = isinstance(step, Say)
        prompts.append(Reveal(sent_s))
        begun_s = sent_s + device.down_s + device.show_s + _answer_s(draw, quick, turns=not says) + delay_s + device.camera_s
        onsets[says].append(record.media_s(begun_s))
        there_s = record.until(record.media_s(begun_s) + (SAY_S if says else TURN_AND_BACK_S))
        sent_s = there_s + float(draw.uniform(*PAUSE_S))
    return LiveRecord(prompts=tuple(prompts), arrivals=tuple(record.arrivals)), onsets[True], onsets[False]


def _answer_s(draw: np.random.Generator, quick: float, *, turns: bool) -> float:
    """Return the seconds from seeing a step to the onset of its answer."""
    varied = 1.0 - ANSWER_TAIL + ANSWER_SIGMA * draw.standard_normal() + ANSWER_TAIL * draw.standard_exponential()
    looked = SECOND_LOOK_S * draw.standard_exponential() * (draw.random() < SECOND_LOOK)
    return float(max(LEAST_S, ANSWER_S * quick * varied) + looked + turns * draw.uniform(*TURN_S))


@dataclass(frozen=True, slots=True)
class _Device:
    """Delays of one device and its line, in seconds; `queue_s` is the mean of what varies, `up_s` of each slice."""

    down_s: float
    show_s: float
    camera_s: float
    up_s: float
    slice_s: float
    queue_s: float

    @classmethod
    def drawn(cls, draw: np.random.Generator) -> _Device:
        trip_s = ROUND_TRIP_S * float(np.exp(ROUND_TRIP_SIGMA * draw.standard_normal()))
        uplink_bps = max(LEAST_UPLINK_BPS, UPLINK_BPS * float(np.exp(UPLINK_SIGMA * draw.standard_normal())))
        sending_s = SLICE_S * RECORDED_BPS / uplink_bps
        show_s, camera_s, encoder_s = (float(draw.uniform(*span)) for span in (SHOW_S, CAMERA_S, ENCODER_S))
        return cls(trip_s / 2, show_s, camera_s, encoder_s + sending_s + trip_s / 2, SLICE_S, QUEUE_S)


class _Recorder:
    """A recorder whose slices arrive one after another; its first one arrives at 0 on the server's clock."""

    def __init__(self, device: _Device, draw: np.random.Generator) -> None:
        self._device, self._draw = device, draw
        self._began_s = -device.slice_s - device.up_s
        self.arrivals: list[Arrival] = []

    def media_s(self, at_s: float) -> float:
        """Return the time of the recording at a time of the server's clock."""
        return at_s - self._began_s

    def until(self, media_s: float) -> float:
        """Send slices until one holds that time of the recording; return when it arrived."""
        while not self.arrivals or self.arrivals[-1].media_s < media_s:
            end_s = (len(self.arrivals) + 1) * self._device.slice_s
            there_s = self._began_s + end_s + self._device.up_s
            there_s += self._device.queue_s * float(self._draw.standard_exponential()) * bool(self.arrivals)
            last_s = self.arrivals[-1].arrived_s if self.arrivals else 0.0
            self.arrivals.append(Arrival(end_s - min(PICTURE_S, self._device.slice_s), max(there_s, last_s)))
        return self.arrivals[-1].arrived_s
