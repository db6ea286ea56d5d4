"""Square-free crops around a face, as the training code of the kit's networks made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from verifier.types import F32, U8

Box = tuple[float, float, float, float]
"""Left, top, width, height in px."""


def face_box(landmarks: F32) -> Box:
    """Return the bounding box of a face's (478, 3) landmarks in px."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def scaled_crop(rgb: U8, box: Box, scale: float) -> U8:
    """Return what a `box` enlarged by `scale` about its centre covers of `rgb`.

    The scale is limited so that the box fits the picture, and the box is then shifted into it: no border is ever made up.
    """
    height, width = rgb.shape[:2]
    left, top, box_width, box_height = box
    scale = min(scale, (width - 1) / box_width, (height - 1) / box_height)
    new_width, new_height = box_width * scale, box_height * scale
    x = min(max(left + box_width / 2 - new_width / 2, 0.0), width - 1 - new_width)
    y = min(max(top + box_height / 2 - new_height / 2, 0.0), height - 1 - new_height)
    return np.ascontiguousarray(rgb[int(y) : int(y + new_height) + 1, int(x) : int(x + new_width) + 1])
