"""Guidance: reports what is wrong with the picture or the sound of a preparation, with hysteresis.

A pure state machine over observations, on the clock of the recording. A defect is reported once it has lasted for 0.3 s, and
cleared once it has been gone for 0.3 s; the person is ready when none was seen for 0.5 s.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cameo_verifier.live.observation import Heard, Seen

if TYPE_CHECKING:
    from cameo_verifier.live.observation import Observation

LASTING_S = 0.3
"""Time that a defect lasts before it is reported, and is gone before it is cleared: no text on the screen flickers."""
READY_S = 0.5
"""Time for which all must be right."""
_HEARD_S = 0.5
"""Stretch of sound that tells a silent microphone, or loud surroundings."""


class Defect(StrEnum):
    """A defect that the person can mend, worst first; the names are those of `cameo.v1.GuidanceCode`."""

    NO_FACE = "NO_FACE"
    SEVERAL_FACES = "SEVERAL_FACES"
    TOO_FEW_PICTURES = "TOO_FEW_PICTURES"
    TOO_DARK = "TOO_DARK"
    TOO_BRIGHT = "TOO_BRIGHT"
    COME_CLOSER = "COME_CLOSER"
    MOVE_BACK = "MOVE_BACK"
    CENTRE_FACE = "CENTRE_FACE"
    LOOK_STRAIGHT = "LOOK_STRAIGHT"
    SILENT_MICROPHONE = "SILENT_MICROPHONE"
    TOO_LOUD = "TOO_LOUD"


_OF_SOUND = frozenset({Defect.SILENT_MICROPHONE, Defect.TOO_LOUD})


@dataclass(frozen=True, slots=True)
class GuidanceLimits:
    """Thresholds of guidance.

    Attributes:
        face_min, face_max: height of the face over that of the picture.
        off_centre_max: distance of its centre from the picture's, over width and height.
        straight_deg: yaw and pitch.
        luma_min, luma_max: of the skin, 0 to 255.
        fps_min: pictures a second.
        silent_db, loud_db: levels of sound, in dB relative to full scale.
    """

    face_min: float
    face_max: float
    off_centre_max: float
    straight_deg: float
    luma_min: float
    luma_max: float
    fps_min: float
    silent_db: float
    loud_db: float


class Guide:
    """The guidance of one preparation; `told` is the defects that the person sees now."""

    def __init__(self, limits: GuidanceLimits, *, sound: bool = True) -> None:
        """Begin with nothing seen. sound: False for people who do not speak: their microphone does not matter."""
        self._limits, self._sound = limits, sound
        self._now_s, self._seen = 0.0, False
        self._levels: deque[Heard] = deque()
        self._wrong: frozenset[Defect] = frozenset()
        self._since: dict[Defect, float] = {}
        """Since when each defect is what it is now, there or not."""
        self._right_since: float | None = None
        self.told: tuple[Defect, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether nothing was wrong for 0.5 s, and no defect is reported."""
        return not self.told and self._right_since is not None and self._now_s - self._right_since >= READY_S

    def observe(self, observation: Observation) -> None:
        """Take one observation into account."""
        self._now_s = max(self._now_s, observation.media_s)
        if isinstance(observation, Seen):
            self._seen = True
            wrong = self._wrong & _OF_SOUND | self._of_picture(observation)
        else:
            self._levels.append(observation)
            wrong = self._wrong
        if self._sound:
            wrong = wrong - _OF_SOUND | self._of_sound()
        self._note(wrong)

    def _note(self, wrong: frozenset[Defect]) -> None:
        now_s = self._now_s
        for defect in wrong ^ self._wrong:
            self._since[defect] = now_s
        self._wrong = wrong
        told = set(self.told)
        for defect in wrong ^ told:
            if now_s - self._since.get(defect, now_s) >= LASTING_S:
                told ^= {defect}
        self.told = tuple(defect for defect in Defect if defect in told)
        if wrong or not self._seen or (self._sound and not self._levels):
            self._right_since = None
        elif self._right_since is None:
            self._right_since = now_s

    def _of_picture(self, seen: Seen) -> frozenset[Defect]:
        limits = self._limits
        few = {Defect.TOO_FEW_PICTURES} if seen.media_s >= 1.0 and seen.fps < limits.fps_min else set()
        light = (
            {Defect.TOO_DARK} if seen.luma < limits.luma_min else {Defect.TOO_BRIGHT} if seen.luma > limits.luma_max else set()
        )
        if seen.faces != 1:
            # Without a face, the light of the picture may be why.
            return frozenset({Defect.SEVERAL_FACES if seen.faces else Defect.NO_FACE} | few | (set() if seen.faces else light))
        away = max(abs(place - 0.5) for place in seen.centre)
        place = {
            Defect.COME_CLOSER: seen.face_share < limits.face_min,
            Defect.MOVE_BACK: seen.face_share > limits.face_max,
            Defect.CENTRE_FACE: away > limits.off_centre_max,
            Defect.LOOK_STRAIGHT: max(abs(seen.yaw), abs(seen.pitch)) > limits.straight_deg,
        }
        return frozenset({defect for defect, there in place.items() if there} | few | light)

    def _of_sound(self) -> frozenset[Defect]:
        while self._levels and self._levels[0].media_s <= self._now_s - _HEARD_S:
            self._levels.popleft()
        if self._now_s < _HEARD_S:
            return frozenset()
        levels = [heard.level_db for heard in self._levels]
        if max(levels, default=-120.0) <= self._limits.silent_db:
            return frozenset({Defect.SILENT_MICROPHONE})
        return frozenset({Defect.TOO_LOUD} if min(levels) > self._limits.loud_db else ())
