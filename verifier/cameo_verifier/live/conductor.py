"""Conductor: decides when each prompt of a live answer is revealed.

A pure state machine: observations and the server's monotonic time go in, what to do comes out. The next prompt is due a random
pause after the current one was said (speech began and ended) or done (the head turned as asked and came back), or its time is
over. The challenge is drawn only when its first prompt is due. Its colours, if it has any, are revealed beside the prompts, each
after a random time; the answer is not over before the last one was shown.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_challenges.model import Say, Turn, TurnHead
from cameo_verifier.live.lights import Lights, Shine
from cameo_verifier.live.observation import Heard, Seen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from cameo_challenges.model import Step
    from cameo_verifier.live.observation import Observation

_STRETCH_S = 0.1
"""Length of one `Heard`."""
_REST_S = 0.4
"""Stretch before a turn is asked whose mean pose is its centre."""
_WAYS = {Turn.LEFT: (0, 1), Turn.RIGHT: (0, -1), Turn.UP: (1, 1), Turn.DOWN: (1, -1)}
"""Index of yaw or pitch, and its sign."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How prompts follow one another; seconds and degrees.

    Attributes:
        answer_s: longest answer with words, from the first prompt.
        wordless_s: longest answer without words.
        pause_min_s, pause_max_s: random pause before each prompt.
        quiet_s: silence that ends what is said.
        word_s: least speech for each word.
        say_s, say_word_s: longest time for words: together, and for each one more.
        turn_s: longest time for a turn.
        gesture_s, blink_s: time for a gesture, and besides for each blink.
        turn_deg: least angle of a turn.
        centre_deg: angle within which the head is back.
        colour_min_s, colour_max_s: time for which a colour is shown.
    """

    answer_s: float
    wordless_s: float
    pause_min_s: float
    pause_max_s: float
    quiet_s: float
    word_s: float
    say_s: float
    say_word_s: float
    turn_s: float
    gesture_s: float
    blink_s: float
    turn_deg: float
    centre_deg: float
    colour_min_s: float
    colour_max_s: float


@dataclass(frozen=True, slots=True)
class Draw:
    """The first prompt is due: draw the challenge, and `take` its steps."""


@dataclass(frozen=True, slots=True)
class Reveal:
    """Show this step now, in place of the one before it."""

    number: int
    step: Step


@dataclass(frozen=True, slots=True)
class Stop:
    """The answer is over."""


Action = Draw | Reveal | Shine | Stop


class Conductor:
    """The prompts of one answer. Times are the server's, in seconds on one monotonic clock."""

    def __init__(self, pacing: Pacing, random: Random, *, now: float) -> None:
        """Begin with the first picture of the answer."""
        self._pacing, self._random = pacing, random
        self._steps: tuple[Step, ...] = ()
        self._colours: tuple[int, ...] = ()
        self._lights = Lights(random, least_s=pacing.colour_min_s, longest_s=pacing.colour_max_s)
        self._number = -1
        self._due: float | None = now + self._pause()
        self._over = self._ends = float("inf")
        self._following: _Saying | _Turning | _Gesturing | None = None
        self._poses: deque[Seen] = deque()
        self._speaking = False
        self.stopped = False

    @property
    def done(self) -> int:
        """The number of prompts that are done, or whose time is over."""
        return max(self._number, 0) + (self._following is None and self._number >= 0)

    @property
    def wakes_at(self) -> float:
        """The time at which `act` has something to do even if nothing is observed before."""
        return min(self._over, self._ends, self._lights.wakes_at, float("inf") if self._due is None else self._due)

    def take(self, steps: Sequence[Step], colours: Sequence[int] = ()) -> None:
        """Take the steps and the colours, sRGB 0xRRGGBB, of the challenge that was drawn."""
        self._steps, self._colours = tuple(steps), tuple(colours)

    def observe(self, observation: Observation, *, now: float) -> None:
        """Take one observation of the answer into account."""
        if isinstance(observation, Seen):
            self._poses.append(observation)
            while self._poses[0].media_s < observation.media_s - _REST_S:
                self._poses.popleft()
        else:
            self._speaking = observation.speech
        if self._following is not None and self._following.ended_by(observation):
            self._ended(now)

    def act(self, *, now: float) -> Action | None:
        """Return what is to be done now; None if nothing is. Call it until it returns None."""
        if self.stopped:
            return None
        if now >= self._ends:
            return self._stop()
        if now >= self._over:
            self._ended(now)
        if (shine := self._lights.act(now=now)) is not None:
            return shine
        return None if self._due is None or now < self._due else self._next(now)

    def _next(self, now: float) -> Action | None:
        if not self._steps:
            return Draw()
        if self._number + 1 < len(self._steps):
            return self._reveal(now)
        if self._lights.shining:
            self._due = self._lights.wakes_at
            return None
        return self._stop()

    def _reveal(self, now: float) -> Reveal:
        pacing = self._pacing
        if self._number < 0:
            spoken = any(isinstance(step, Say) for step in self._steps)
            self._ends = now + (pacing.answer_s if spoken else pacing.wordless_s)
            self._lights.begin(self._colours, now=now)
        self._number, self._due = self._number + 1, None
        step = self._steps[self._number]
        if isinstance(step, Say):
            words = len(step.text.split())
            self._over = now + pacing.say_s + words * pacing.say_word_s
            self._following = _Saying(words * pacing.word_s, pacing.quiet_s, speaking=self._speaking)
        elif isinstance(step, TurnHead):
            self._over = now + pacing.turn_s
            self._following = _Turning(step.turn, _centre(self._poses), pacing)
        else:
            self._over = now + pacing.gesture_s + step.gesture.blinks * pacing.blink_s
            self._following = _Gesturing()
        return Reveal(self._number, step)

    def _ended(self, now: float) -> None:
        self._following, self._over, self._due = None, float("inf"), now + self._pause()

    def _stop(self) -> Stop:
        self.stopped, self._following, self._due = True, None, None
        self._lights.begin((), now=0.0)
        self._over = self._ends = float("inf")
        return Stop()

    def _pause(self) -> float:
        return self._random.uniform(self._pacing.pause_min_s, self._pacing.pause_max_s)


class _Saying:
    """Words that are to be said: they are once enough was spoken and it is quiet. Speech of before does not count."""

    def __init__(self, least_s: float, quiet_s: float, *, speaking: bool) -> None:
        self._least_s, self._quiet_s, self._late = least_s, quiet_s, speaking
        self._spoken_s = self._silent_s = 0.0

    def ended_by(self, observation: Observation) -> bool:
        if not isinstance(observation, Heard):
            return False
        if observation.speech and not self._late:
            self._spoken_s, self._silent_s = self._spoken_s + _STRETCH_S, 0.0
        elif not observation.speech:
            self._late, self._silent_s = False, self._silent_s + _STRETCH_S
        tolerance = _STRETCH_S / 2
        return self._spoken_s > tolerance and all(
            spent >= least - tolerance for spent, least in ((self._spoken_s, self._least_s), (self._silent_s, self._quiet_s))
        )


class _Turning:
    """A turn that is to be made: it is once the head was out that way and came back."""

    def __init__(self, turn: Turn, centre: tuple[float, float], pacing: Pacing) -> None:
        self._index, self._sign = _WAYS[turn]
        self._centre, self._pacing, self._out = centre, pacing, False

    def ended_by(self, observation: Observation) -> bool:
        if not isinstance(observation, Seen) or not observation.faces:
            return False
        offset = observation.yaw - self._centre[0], observation.pitch - self._centre[1]
        self._out = self._out or self._sign * offset[self._index] >= self._pacing.turn_deg
        return self._out and max(map(abs, offset)) <= self._pacing.centre_deg


class _Gesturing:
    """A gesture that is to be made: it has its time, because observations do not tell it from others."""

    def ended_by(self, _observation: Observation) -> bool:
        return False


def _centre(poses: Sequence[Seen]) -> tuple[float, float]:
    seen = [each for each in poses if each.faces]
    if not seen:
        return 0.0, 0.0
    return sum(each.yaw for each in seen) / len(seen), sum(each.pitch for each in seen) / len(seen)
