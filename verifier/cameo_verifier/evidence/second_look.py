"""Small-face detection: searches upscaled crops, so that a small face is asked to come closer instead of being missing.

The detector scales the whole picture to 128 px and finds no face that is less than about a tenth of the longer side. In square
crops of two fifths of that side, which overlap by half, faces down to a twenty-fifth are found. That costs several detections for
each picture, so it is done in few pictures, and only where hardly any picture showed a face: in no ordinary recording.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

import numpy as np

from cameo_verifier.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.models.landmarks import FaceLandmarker
    from cameo_verifier.types import F32, U8, FaceObservation

LOOKS = 6
"""Pictures searched, at most one in each sixth of a recording."""
_SQUARE = 0.4
_CHEEKS = (234, 454)


def face_width_px(face: FaceObservation) -> float:
    """Return the width of a face from cheek to cheek in px."""
    right, left = face.landmarks[_CHEEKS[0], :2], face.landmarks[_CHEEKS[1], :2]
    return float(np.linalg.norm(left - right))


def of_picture(width_px: float, rgb: U8) -> float:
    """Return a width as a share of the longer side of the picture (H, W, 3)."""
    height, width, _ = rgb.shape
    return float(width_px / max(height, width))


class SecondLook:
    """A search of crops of pictures in which no face was found. A context manager: it borrows a landmarker on first use."""

    def __init__(self, kit: ModelKit, duration_s: float) -> None:
        """Allot the searches to `duration_s` seconds."""
        self._kit, self._every_s, self._next_s = kit, duration_s / LOOKS, 0.0
        self._lent = ExitStack()
        self._landmarker: FaceLandmarker | None = None
        self._shares: list[float] = []

    def __enter__(self) -> Self:
        """Return the search itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Return the landmarker to the kit, if one was borrowed."""
        self._lent.close()

    def look(self, frame: Frame) -> None:
        """Search the crops of a picture without a face, unless the slot of its time is used up."""
        if frame.t_s < self._next_s or len(self._shares) >= LOOKS:
            return
        self._next_s = frame.t_s + self._every_s
        if self._landmarker is None:
            self._landmarker = self._lent.enter_context(self._kit.landmarker(max_faces=1, video=False))
        for top, left, square in _squares(frame.rgb):
            if found := self._landmarker.detect(Frame(frame.t_s, square)):
                if _within(found[0].landmarks[:, :2] + (left, top), frame.rgb):
                    self._shares.append(of_picture(face_width_px(found[0]), frame.rgb))
                return

    def shares(self) -> F32:
        """Return (S,) float32 widths of the faces found, as shares of the longer side of the picture."""
        return np.array(self._shares, np.float32)


def _within(points: F32, rgb: U8) -> bool:
    """Whether all of a face is in the picture (H, W, 3): half a face at its edge is not small but outside."""
    height, width, _ = rgb.shape
    return bool((points >= 0).all() and (points <= (width, height)).all())


def _squares(rgb: U8) -> Iterator[tuple[int, int, U8]]:
    """Yield overlapping square crops of a picture with their top and left px, those nearest to its centre first."""
    height, width = rgb.shape[:2]
    side = min(round(_SQUARE * max(height, width)), height, width)
    corners = [(y, x) for y in _starts(height, side) for x in _starts(width, side)]
    for y, x in sorted(corners, key=lambda at: np.hypot(at[0] + (side - height) / 2, at[1] + (side - width) / 2)):
        yield y, x, np.ascontiguousarray(rgb[y : y + side, x : x + side])


def _starts(length: int, side: int) -> list[int]:
    count = max(1, int(np.ceil(2 * (length - side) / side)) + 1)
    return [round(start) for start in np.linspace(0, length - side, count)] if length > side else [0]
