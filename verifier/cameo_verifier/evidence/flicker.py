"""Flicker detection: measures bands that roll through the picture when light pulses faster than the sensor is read out.

A rolling shutter reads row by row, so light that is on for one row and off for the next leaves bands across the whole picture,
and where pulse and picture rate differ they roll. A display dimmed by pulse-width modulation does this, and so does a lamp on
mains: the bands do not tell which, only that the picture cannot be judged.

Bands are the change from one moment to the next that the left and the right edge of the picture have in common, row by row; a
person who moves, a shadow or noise changes only one of them. A change of the whole picture, as by exposure, does not vary by row
and does not count. Standing bands, as from a pulse at the picture rate, are not detected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.types import F32, F64, U8

_STEP_S = 0.06
"""Least interval between two compared pictures: pictures that a converter duplicated have no change between them."""
_FEWEST = 10
_EDGE = 5
"""The edge is the picture's width divided by this."""
_FLOOR = 8.0
"""Grey levels added before the logarithm, so that noise in the dark counts little."""


def band_depth(t_s: Sequence[float], thumbnails: Sequence[U8]) -> float:
    """Return the depth of rolling bands as a share of the light, 0 where there are none or too few pictures.

    Args:
        t_s: (N,) times in seconds.
        thumbnails: (N) of (H, W) uint8 luma, area-averaged, as the sensor has them or rotated by quarters: both ways are tried.

    Returns:
        Root of the median covariance of both edges' changes, in natural logarithm of the light.
    """
    kept, last_s = [], -np.inf
    for time_s, thumbnail in zip(t_s, thumbnails, strict=True):
        if time_s >= last_s + _STEP_S:
            kept.append(thumbnail)
            last_s = time_s
    if len(kept) < _FEWEST:
        return 0.0
    light = np.log(np.stack(kept).astype(np.float32) + _FLOOR)
    changes = np.diff(light, axis=0)
    common = max(_common(changes), _common(changes.transpose(0, 2, 1)))
    return float(np.sqrt(max(common, 0.0)))


def _common(changes: F32) -> float:
    """Return the median over time of the covariance, row by row, of changes (N, rows, columns) at the left and right edge."""
    edge = max(changes.shape[2] // _EDGE, 1)
    left, right = _rows(changes[:, :, :edge]), _rows(changes[:, :, -edge:])
    return float(np.median((left * right).mean(axis=1)))


def _rows(changes: F32) -> F64:
    rows = changes.mean(axis=2, dtype=np.float64)
    return np.asarray(rows - rows.mean(axis=1, keepdims=True), np.float64)
