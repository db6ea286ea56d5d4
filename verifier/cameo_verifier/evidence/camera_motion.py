"""Camera-motion compensation: subtracts consecutive pictures after registering one to the other.

A hand that jerks shifts, rotates and scales the whole picture at once, and at a low frame rate the whole of the jerk lies in one
step. That affine motion is estimated (enhanced correlation coefficient, Evangelidis and Psarakis, 2008) and undone. A cut leaves
a head, a mouth and a background that no single affine motion registers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import F32

_FASTEST = 1.0
"""Widths of the picture that a hand-held camera moves in a second: 60 degrees in a common lens."""
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-4)


def remainder(before: F32, after: F32, step_s: float) -> F32:
    """Return the residual `after` - `before` (H, W), in levels, with one affine camera motion undone; 0 at the uncovered border.

    A motion faster than a hand-held camera could make in `step_s` seconds is not undone.
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
