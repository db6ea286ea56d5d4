"""The grid of a display beating against that of the sensor: moire.

A display is a grid of luminous points, filming it samples that grid again, and unless the lens blurs it away the two beat:
stripes of one spacing lie over everything in the picture, the face as well as what is around it. Nothing live has that. Skin is
not periodic; cloth, blinds and tiles are, but not the face before them; a codec's blocks and a camera's sharpening leave nothing
that stands out of the spectrum (measured, see docs/calibration.md).

The measure is by how many nats a spatial frequency stands out of the spectrum around it:

1. In the median square of the face and in that of its surroundings: noise, edges and texture differ from square to square.
2. In the mean over the frames looked at: what is there by chance differs from frame to frame, a display's grid stays.
3. Less by what the mirrored frequency stands out. The lattices of a codec's blocks, of a sensor and of enlarging lie square to
   the picture and are the same in the mirror; a display is held, and a degree askew turns its beat by some ten.
4. On the face as well as, at the same frequency within a step, around it; the frequency where that is most.

What a display's maker or the distance keeps too fine for the sensor is not seen, nor what a codec took away, nor a display that
is as square to the picture as the codec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from verifier.types import F32, I32, U8

SIDE_PX = 64
"""Side of the squares: a tenth of a common picture, eight periods of the finest grid a codec keeps."""
_STEP_PX = 24
_FACE_SQUARES, _OTHER_SQUARES = 32, 48
_FEWEST_FACE, _FEWEST_OTHER = 3, 6
_INSIDE, _OUTSIDE = 0.8, 1.3
"""A square belongs to the face if its middle lies in the oval at this size, to the surroundings if beyond it at that."""
_OVAL: tuple[int, ...] = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

_LOWEST, _HIGHEST = 0.07, 0.45
"""Cycles a pixel. Below lie the features of a face, above the traces of colour filters."""
_LEVEL = 10
"""Brows, eyes, mouth, collars and shoulders are level stripes: upright frequencies below this many cycles a square do not count.
A display has two directions, so that one is left."""
_FLOOR = 1e-3
"""Of squared grey levels: keeps a spectrum that a codec emptied finite."""
_HALF = 4
"""Reach of the spectrum around a frequency, in steps; its middle three by three are the frequency itself."""


def _around() -> F32:
    kernel = np.ones((2 * _HALF + 1, 2 * _HALF + 1), np.float32)
    kernel[_HALF - 1 : _HALF + 2, _HALF - 1 : _HALF + 2] = 0
    return np.asarray(kernel / kernel.sum(), np.float32)


_AROUND = _around()
_FX = np.arange(SIDE_PX // 2 + 1)[None, :]
_FY = np.abs(np.arange(SIDE_PX) - SIDE_PX // 2)[:, None]
_BAND = (np.hypot(_FX, _FY) >= _LOWEST * SIDE_PX) & (np.maximum(_FX, _FY) <= _HIGHEST * SIDE_PX)
_BAND &= (_FX > 1) | (_FY >= _LEVEL)
_WINDOW = np.outer(np.hanning(SIDE_PX + 2)[1:-1], np.hanning(SIDE_PX + 2)[1:-1]).astype(np.float32)


class GridSearch:
    """Adds up what the frames of one recording show of a grid."""

    def __init__(self) -> None:
        """Begin with no frame."""
        self._frames = 0
        self._on_face = np.zeros((SIDE_PX, SIDE_PX // 2 + 1), np.float32)
        self._around = np.zeros_like(self._on_face)

    def add(self, rgb: U8, landmarks: F32) -> float:
        """Add a frame and return how far a grid stands out in the face and surroundings of all so far, in nats of power.

        Args:
            rgb: (H, W, 3), the picture, at the size it was recorded or near to it.
            landmarks: (478, 3) px of its face.

        Returns:
            0.2 to 0.8 over eight frames where nothing is periodic, 1.2 and more for a grid; NaN where this frame's face or
            surroundings are too small to say, which then does not count.
        """
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        face, other = _squares(grey.shape[0], grey.shape[1], landmarks)
        if len(face) < _FEWEST_FACE or len(other) < _FEWEST_OTHER:
            return float("nan")
        self._frames += 1
        self._on_face += _standing_out(grey, _spread(face, _FACE_SQUARES))
        self._around += _standing_out(grey, _spread(other, _OTHER_SQUARES))
        around = cv2.dilate(_askew(self._around / np.float32(self._frames)), np.ones((3, 3), np.uint8))
        return float(np.minimum(_askew(self._on_face / np.float32(self._frames)), around)[_BAND].max())


def _askew(nats: F32) -> F32:
    """Return nats (SIDE_PX, SIDE_PX / 2 + 1), upright frequencies rising from -SIDE_PX / 2, less what the mirrored one has."""
    mirrored = np.roll(nats[::-1], 1, axis=0)
    return np.asarray(nats - np.maximum(mirrored, 0), np.float32)


def _squares(height: int, width: int, landmarks: F32) -> tuple[I32, I32]:
    """Return the top left corners (n, 2), row and column, of the squares in the face and of those around it."""
    rows = np.arange(0, height - SIDE_PX + 1, _STEP_PX, dtype=np.int32)
    columns = np.arange(0, width - SIDE_PX + 1, _STEP_PX, dtype=np.int32)
    corners = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    oval = landmarks[list(_OVAL), :2]
    middle = oval.mean(axis=0)
    inside, outside = np.zeros((2, height, width), np.uint8)
    cv2.fillPoly(inside, [np.round((oval - middle) * _INSIDE + middle).astype(np.int32)], (1,))
    cv2.fillPoly(outside, [np.round((oval - middle) * _OUTSIDE + middle).astype(np.int32)], (1,))
    at = corners + SIDE_PX // 2
    return corners[inside[at[:, 0], at[:, 1]] > 0], corners[outside[at[:, 0], at[:, 1]] == 0]


def _spread(corners: I32, most: int) -> I32:
    return np.asarray(corners[np.linspace(0, len(corners) - 1, min(most, len(corners))).astype(int)], np.int32)


def _standing_out(grey: U8, corners: I32) -> F32:
    """Return by how many nats each frequency stands out of those around it, in the median square.

    The result is (SIDE_PX, SIDE_PX / 2 + 1), upright frequencies rising from -SIDE_PX / 2, level ones from 0.
    """
    squares = np.stack([grey[y : y + SIDE_PX, x : x + SIDE_PX] for y, x in corners]).astype(np.float32)
    squares -= squares.mean(axis=(1, 2), keepdims=True)
    power = np.square(np.abs(np.fft.rfft2(squares * _WINDOW))).astype(np.float32)
    nats = np.log(power + _FLOOR)
    nats -= nats.mean(axis=(1, 2), keepdims=True)
    return _whitened(np.asarray(np.median(nats, axis=0), np.float32))


def _whitened(spectrum: F32) -> F32:
    """Return a log spectrum (SIDE_PX, SIDE_PX / 2 + 1) less the mean of what is around each frequency, rows in rising order."""
    shifted = np.fft.fftshift(spectrum, axes=0)
    # A spectrum goes on over its edges: rows come round, columns mirror with the rows reversed.
    wrapped = np.pad(shifted, ((_HALF, _HALF), (0, 0)), mode="wrap")
    mirrored = np.roll(wrapped[::-1], 1, axis=0)
    full = np.concatenate([mirrored[:, _HALF:0:-1], wrapped, mirrored[:, -2 : -_HALF - 2 : -1]], axis=1)
    return np.asarray(shifted - cv2.filter2D(full, -1, _AROUND)[_HALF:-_HALF, _HALF:-_HALF], np.float32)
