"""Lights: decide when each colour of a challenge is shown. A pure state machine on the server's monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Shine:
    """Show this colour now, sRGB 0xRRGGBB, in place of the one before it."""

    number: int
    rgb: int


class Lights:
    """The colours of one answer, each for a random time.

    Attributes:
        wakes_at: when `act` has something to do; never before `begin`, and after the last colour had its time.
    """

    def __init__(self, random: Random, *, least_s: float, longest_s: float) -> None:
        """Begin with none. least_s, longest_s: time of each colour in seconds."""
        self._random, self._least_s, self._longest_s = random, least_s, longest_s
        self._colours: tuple[int, ...] = ()
        self._number = 0
        self.wakes_at = _NEVER

    @property
    def shining(self) -> bool:
        """Whether a colour is shown, or still to come."""
        return self.wakes_at < _NEVER

    def begin(self, colours: Sequence[int], *, now: float) -> None:
        """Show these colours from now on."""
        self._colours = tuple(colours)
        self.wakes_at = now if colours else _NEVER

    def act(self, *, now: float) -> Shine | None:
        """Return the next colour if it is due."""
        if now < self.wakes_at:
            return None
        number, self._number = self._number, self._number + 1
        if number == len(self._colours):
            self.wakes_at = _NEVER
            return None
        self.wakes_at = now + self._random.uniform(self._least_s, self._longest_s)
        return Shine(number, self._colours[number])
