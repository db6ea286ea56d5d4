"""Wordless challenges: numbers the sequences of head turns and facial gestures for a person who cannot speak.

A sequence has eight steps, at least two of them turns and at least three gestures. No step repeats the one before it, and no
blinks follow blinks, so that where one step ends and the next begins can be seen.

Eight steps have 23.8 bits, and take about as long as eight words and two turns. Fifteen would have as many bits as speech and
turns have, but take twice the time; so these challenges are issued with colours of the screen, which have the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cameo_challenges.languages import DEFAULT
from cameo_challenges.model import Gesture, MakeGesture, Turn, TurnHead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cameo_challenges.model import Step

_ACTIONS: tuple[Turn | Gesture, ...] = (*Turn, *Gesture)
_After = tuple[int, int, int, Turn | Gesture]
"""Steps, turns and gestures that are left, and the last action."""


@dataclass(frozen=True, slots=True)
class WordlessRecipe:
    """The composition of challenges without words.

    Attributes:
        length: number of steps.
        turns: least number of head turns.
        gestures: least number of facial gestures.
        language: BCP 47 tag of the prompts.
        light_bits: entropy in bits of the colours that its challenges are issued with at least.
    """

    length: int = 8
    turns: int = 2
    gestures: int = 3
    language: str = DEFAULT
    light_bits: float = 0.0

    @property
    def count(self) -> int:
        """The number of challenges."""
        return _count(self.length, self.turns, self.gestures, None)

    def steps(self, number: int) -> tuple[Step, ...]:
        """Return the steps of the challenge of that number, `0 <= number < count`; different numbers differ in their steps."""
        if not 0 <= number < self.count:
            raise ValueError(f"challenge number {number} is not in 0..{self.count - 1}")
        after: tuple[int, int, int, Turn | Gesture | None] = (self.length, self.turns, self.gestures, None)
        steps: list[Step] = []
        while after[0]:
            for following in _next(*after):
                among = _count(*following)
                if number < among:
                    break
                number -= among
            after, action = following, following[-1]
            steps.append(TurnHead(action) if isinstance(action, Turn) else MakeGesture(action))
        return tuple(steps)


@cache
def _count(left: int, turns: int, gestures: int, last: Turn | Gesture | None) -> int:
    """Return the number of ways to add `left` steps, at least so many turns and gestures among them, after the last one."""
    if not left:
        return int(turns <= 0 and gestures <= 0)
    return sum(_count(*following) for following in _next(left, turns, gestures, last))


def _next(left: int, turns: int, gestures: int, last: Turn | Gesture | None) -> Iterator[_After]:
    """Yield what is left after each action that may follow the last one."""
    for action in _ACTIONS:
        blinks_again = isinstance(action, Gesture) and isinstance(last, Gesture) and action.blinks and last.blinks
        if action is last or blinks_again:
            continue
        turn = isinstance(action, Turn)
        yield left - 1, max(turns - turn, 0), max(gestures - (not turn), 0), action
