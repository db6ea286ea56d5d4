"""Early face detection: finds the faces in the pictures of a recording while its bytes arrive.

Landmarks of every analysed picture are the most of what pictures cost. They do not depend on what follows, whereas the frames for
the costlier networks are spread over the length of the recording. So those run once it is whole: its pictures are decoded again,
and each takes the faces that were found in it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cameo_credential.errors import CameoError

if TYPE_CHECKING:
    from cameo_verifier.types import FaceObservation, Frame

_EVERY_PX = 8


class OtherFramesError(CameoError):
    """The whole recording has other pictures, or at other times, than were read while it arrived."""


@dataclass(slots=True)
class EarlyFaces:
    """The faces in the analysed pictures of one recording, in order."""

    _found: list[tuple[float, int, tuple[FaceObservation, ...]]] = field(default_factory=list)

    def add(self, frame: Frame, faces: tuple[FaceObservation, ...]) -> None:
        """Remember the faces of the next picture, largest first."""
        self._found.append((frame.t_s, _digest(frame), faces))

    def recall(self) -> Recall:
        """Return the faces again, from the first picture on."""
        return Recall(self)

    def of(self, number: int, frame: Frame) -> tuple[FaceObservation, ...]:
        """Return the faces of a picture by its number from 0.

        Raises:
            OtherFramesError: it is not the picture of that number.
        """
        if number < len(self._found):
            t_s, digest, faces = self._found[number]
            if (t_s, digest) == (frame.t_s, _digest(frame)):
                return faces
        raise OtherFramesError(f"picture {number} was not seen while the recording arrived")


class Recall:
    """Detects faces, as a `FaceLandmarker`, by remembering them. It is fed the frames of the recording in order."""

    def __init__(self, early: EarlyFaces) -> None:
        """Begin at the first picture."""
        self._early, self._number = early, 0

    def detect(self, frame: Frame) -> tuple[FaceObservation, ...]:
        """Return the faces of the next picture; errors as `EarlyFaces.of`."""
        self._number += 1
        return self._early.of(self._number - 1, frame)


def _digest(frame: Frame) -> int:
    """Return a checksum of every eighth pixel of every eighth line."""
    return zlib.crc32(frame.rgb[::_EVERY_PX, ::_EVERY_PX].tobytes())
