"""Screen light: measures the colour of points of the skin and of places of the background, picture by picture.

A display at arm's length adds a few per cent to the light of the room on a face, and much less to what is farther behind it.
Exposure scales all channels of the whole picture, and white balance each channel of the whole picture; so the quotients of skin
and background change with the display alone. Points of the skin stay on the same skin while the head moves, and places of the
background on the same background: neither's mean changes by what comes into it. `evidence.light_response` compares them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from cameo_challenges.colours import linear

if TYPE_CHECKING:
    from cameo_verifier.types import F32, U8

_FOREHEAD = (67, 109, 10, 338, 297, 69, 108, 151, 337, 299, 104, 333)
_CHEEKS = ((117, 118, 101, 36, 205, 187, 123, 50), (346, 347, 330, 266, 425, 411, 352, 280))
SKIN = (*_FOREHEAD, *_CHEEKS[0], *_CHEEKS[1])
"""Landmarks of the forehead and both cheeks, clear of eyes, nose and mouth."""
GRID = 12
"""Places of the background across and down the picture."""
PLACES = len(SKIN) + GRID * GRID

_FACE_PX, _BLUR_PX = 32, 3
"""A face is reduced to so many pixels across, and a point of skin is a mean of so many on a side: a tenth of its width."""
_HEAD, _SHOULDERS = (0.9, 1.0, 0.2), 1.4
"""Half axes and height of the ellipse about the face that holds head and hair, and half the breadth of what is below the chin, in
widths and heights of the face."""
_DARKEST, _BRIGHTEST = 5, 248
"""Levels beyond which a channel is black or clipped, and shows no change of light."""
_LINEAR = np.array([linear(level << 8)[1] for level in range(256)], np.float32)


def colours_seen(rgb: U8, landmarks: F32) -> F32:
    """Return the linear red, green and blue, 0..1, of `SKIN` and then of the grid row by row: (PLACES, 3).

    NaN where a place is hidden by the person, outside of the picture, clipped or black.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
        landmarks: (478, 3) of the face, px.
    """
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return np.concatenate([_skin(rgb, landmarks[list(SKIN), :2], low, high), _background(rgb, low, high)])


def _skin(rgb: U8, points: F32, low: F32, high: F32) -> F32:
    size = np.array(rgb.shape[1::-1])
    first = np.clip(np.floor(low).astype(int), 0, size - 1)
    last = np.clip(np.ceil(high).astype(int), first + 1, size)
    crop = rgb[first[1] : last[1], first[0] : last[0]]
    height = max(1, round(_FACE_PX * crop.shape[0] / crop.shape[1]))
    face = cv2.blur(cv2.resize(crop, (_FACE_PX, height), interpolation=cv2.INTER_AREA), (_BLUR_PX, _BLUR_PX))
    at = np.floor((points - first) * (np.array([_FACE_PX, height]) / (last - first))).astype(int)
    inside = ((at >= 0) & (at < (_FACE_PX, height))).all(axis=1)
    x, y = np.clip(at, 0, (_FACE_PX - 1, height - 1)).T
    return _light(np.asarray(face[y, x], np.uint8), inside)


def _background(rgb: U8, low: F32, high: F32) -> F32:
    grid = cv2.resize(rgb, (GRID, GRID), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    centres = (np.arange(GRID) + 0.5) / GRID
    x = ((centres * rgb.shape[1] - (low[0] + high[0]) / 2) / (high[0] - low[0]))[None, :]
    y = (((low[1] + high[1]) / 2 - centres * rgb.shape[0]) / (high[1] - low[1]))[:, None]
    person = ((x / _HEAD[0]) ** 2 + ((y - _HEAD[2]) / _HEAD[1]) ** 2 < 1) | ((np.abs(x) < _SHOULDERS) & (y < -0.5))
    return _light(np.asarray(grid, np.uint8), ~person.ravel())


def _light(levels: U8, seen: npt.NDArray[np.bool_]) -> F32:
    usable = seen & (levels.min(axis=1) >= _DARKEST) & (levels.max(axis=1) <= _BRIGHTEST)
    return np.where(usable[:, None], _LINEAR[levels], np.float32(np.nan))
