"""An actor for scripted judges: what a worker would see and hear of a person, without a picture, in place of `LivePerson`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cameo_challenges.model import Say, Turn
from fixtures.studio.live import SLICE_S

if TYPE_CHECKING:
    from cameo_challenges.model import Step

_WAYS = {Turn.LEFT: (20.0, 0.0), Turn.RIGHT: (-20.0, 0.0), Turn.UP: (0.0, 20.0), Turn.DOWN: (0.0, -20.0)}
_STEP_S = 0.12


class Actor:
    """A person whose time passes with each `slice`; the recording ends with what the scripted judge is to do.

    Attributes:
        now_s: end of what was played.
        seen: fields of `Seen` that are other than those of a good picture.
        level_db: of the room.
        trick: put into the next slice: "die" or "damaged".
        script: what the judge does.
    """

    def __init__(self) -> None:
        self.now_s, self.recorded_s, self.level_db = 0.0, 0.0, -55.0
        self.seen: dict[str, Any] = {}
        self.trick, self.script = "", "accept"
        self._speech: list[tuple[float, float]] = []
        self._turns: list[tuple[float, float, tuple[float, float]]] = []

    def record(self) -> None:
        """Begin a recording."""
        self.recorded_s = 0.0

    def answer(self, step: Step) -> None:
        """Do a step that is shown now."""
        begins_s = self.now_s + 0.5
        if isinstance(step, Say):
            self._speech.append((begins_s, begins_s + 0.4 * len(step.text.split())))
        else:
            self._turns.append((begins_s + 0.2, begins_s + 0.8, _WAYS[step.turn]))

    def slice(self) -> bytes:
        """Return what is observed in the next slice."""
        observed: list[list[Any]] = [[self.trick]] if self.trick else []
        for _ in range(round(SLICE_S / _STEP_S)):
            self.now_s, self.recorded_s = self.now_s + _STEP_S, self.recorded_s + _STEP_S
            yaw, pitch = next((way for a, b, way in self._turns if a <= self.now_s < b), (1.0, -2.0))
            speech = any(a <= self.now_s < b for a, b in self._speech)
            good = {"faces": 1, "share": 0.5, "centre": [0.5, 0.5], "luma": 120.0, "yaw": yaw, "pitch": pitch, "fps": 25.0}
            observed.append(["seen", self.recorded_s, *(good | self.seen).values()])
            observed.append(["heard", self.recorded_s, -20.0 if speech else self.level_db, speech])
        return json.dumps(observed).encode() + b"\n"

    def end(self) -> bytes:
        """Return the judge's script."""
        return self.script.encode()
