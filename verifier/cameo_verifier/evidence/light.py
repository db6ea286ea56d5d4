"""Illumination: estimates how much light falls on a face, independent of skin tone.

The mean luma of a face mixes illumination with skin tone: a dark face in good light has the luma of a light one in a dim room.
The sclera is about equally bright in all people, so the light is taken from whichever of the two is brighter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import F32, U8, FaceTrack

_LIDS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
"""Landmarks of the edges of both eyes' lids."""
_WHITE = 90
"""Percentile of the luma between the lids: above the iris and the lashes, below the reflection of a lamp."""
_LEAST_PX = 8
"""With fewer pixels between the lids no sclera is visible."""


def eye_white(grey: U8, landmarks: F32) -> float:
    """Return the luma of the sclera of the brighter eye, 0..255; NaN where the eyes are shut, hidden or too small.

    Args:
        grey: (h, w) uint8 luma of the picture.
        landmarks: (478, 3) of the face, px.
    """
    return max((_between(grey, landmarks[list(lids), :2]) for lids in _LIDS), key=lambda luma: -1.0 if np.isnan(luma) else luma)


def light(face: FaceTrack) -> float:
    """Return the median, over the frames with a face, of the brighter of face and sclera: luma 0..255."""
    return float(np.nanmedian(np.fmax(face.luma, face.eye_white)))


def _between(grey: U8, lids: F32) -> float:
    height, width = grey.shape
    low = np.clip(np.floor(lids.min(axis=0)).astype(int), 0, (width, height))
    high = np.clip(np.ceil(lids.max(axis=0)).astype(int) + 1, 0, (width, height))
    cut = grey[low[1] : high[1], low[0] : high[0]]
    if not cut.size:
        return float("nan")
    inside = np.zeros(cut.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(lids - low).astype(np.int32)], 1)
    seen = cut[inside > 0]
    return float(np.percentile(seen, _WHITE)) if len(seen) >= _LEAST_PX else float("nan")
