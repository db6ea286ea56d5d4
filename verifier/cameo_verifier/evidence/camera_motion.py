"""What is left of the step from one picture to the next once the movement of the camera is taken off.

A hand that jerks shifts, turns and enlarges all of a picture as one, and with few pictures a second the whole of the jerk lies in
one step. Such a movement is fitted (enhanced correlation coefficient, Evangelidis and Psarakis, 2008) and undone. A cut leaves a
head, a mouth and a background that do not fit one another, however the picture is laid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import F32

_FASTEST = 1.0
"""Widths of the picture that a camera in a hand moves in a second: 60 degrees in a common lens."""
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-4)


def remainder(before: F32, after: F32, step_s: float) -> F32:
    """Return `after` less `before` (H, W), in levels, with one movement of the camera undone; 0 where that uncovers the border.

    What no camera in a hand could have done in `step_s` seconds is not undone.
    """
    step: F32 = after - before
    move = np.eye(2, 3, dtype=np.float32)
    try:
        _, move = cv2.findTransformECC(after, before, move, cv2.MOTION_AFFINE, _STOP, None, 1)
    except cv2.error:
        return step
    height, width = after.shape
    corners = np.array([[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1]], np.float32)
    shifted = np.abs(corners @ move.T - corners[:, :2]) / (width, height)
    if shifted.mean(axis=0).max() > _FASTEST * step_s:
        return step
    size, sample = (width, height), cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(before, move, size, flags=sample | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones_like(before), move, size, flags=sample | cv2.INTER_LINEAR) > 0.99
    return np.where(inside, after - laid, np.float32(0))
