"""Face crops: cut out a face with its surroundings as the kit's networks were trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import F32, U8

WIDE, CLOSE = 2.7, 1.8
"""Scales of the crops of the presentation-attack network relative to the face's box. The close one is head and little else. On
closer crops the network is unreliable: below 1.4 genuine videos fall to 0.04."""

Box = tuple[float, float, float, float]
"""Left, top, width, height in px."""


def face_box(landmarks: F32) -> Box:
    """Return the bounding box of a face's (478, 3) landmarks in px."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def squared(box: Box) -> Box:
    """Return the square around a box's centre with its longer side."""
    left, top, width, height = box
    side = max(width, height)
    return left + (width - side) / 2, top + (height - side) / 2, side, side


def crop_scaled(rgb: U8, box: Box, *, scale: float, side_px: int, interpolation: int = cv2.INTER_AREA) -> U8:
    """Return the crop of `rgb` by a `box` scaled by `scale` about its centre, as (side_px, side_px, 3).

    The scale is limited so that the box fits the picture, and the box is then shifted into it: no border is padded, as in the
    code of minivision's Silent-Face-Anti-Spoofing (to a px at the far edges, by rounding). By default the crop is area-averaged
    rather than sampled: sampling aliases, and the kit's presentation-attack network takes the aliasing of a sharp camera for the
    grid of a screen (lowest median of a genuine video 0.66 sampled, 0.83 averaged, replays alike).
    """
    x, y, new_width, new_height = grown(box, scale=scale, width=rgb.shape[1], height=rgb.shape[0])
    crop = rgb[int(y) : int(y + new_height) + 1, int(x) : int(x + new_width) + 1]
    return np.asarray(cv2.resize(crop, (side_px, side_px), interpolation=interpolation), np.uint8)


def grown(box: Box, *, scale: float, width: int, height: int) -> Box:
    """Return a box scaled by `scale`, or as far as it fits, and shifted into a picture of this size."""
    left, top, box_width, box_height = box
    scale = min(scale, (width - 1) / box_width, (height - 1) / box_height)
    new_width, new_height = box_width * scale, box_height * scale
    x = min(max(left + box_width / 2 - new_width / 2, 0.0), width - 1 - new_width)
    y = min(max(top + box_height / 2 - new_height / 2, 0.0), height - 1 - new_height)
    return x, y, new_width, new_height
