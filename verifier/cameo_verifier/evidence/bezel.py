"""Bezel detection: finds the straight border of a display or a print around a face.

A display or a print that is held before a camera has borders. Door frames, shelves and windows have straight edges as well, but a
person before them occludes their lower edge: an edge that is straight and level *under* a chest, and meets straight edges left
and right of the head, is between the person and the camera, or the person is a picture.

1. Detect line segments in the picture, reduced to `SIDE_PX` (von Gioi et al., LSD: a Line Segment Detector, IPOL 2012). Letterbox
   borders of one colour, which camera software adds, are cropped first.
2. Merge collinear segments into lines and keep the best supported ones left of the face, right of it, and below it, at most
   `TILT_DEG` askew.
3. For each three lines that meet in two corners inside the picture, measure the share of each edge that segments cover: below,
   between the corners; left and right, from the corner up to the top of the face. The least of the three shares is the coverage
   of the border.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from cameo_verifier.types import F32, F64, U8

SIDE_PX = 480
"""The longer side of the analysed picture."""
TILT_DEG = 21.0
_SHORTEST_PX = 14.0
_LINES = 6
"""Lines tried on each side of the face."""
_APART_PX, _APART_RAD = 4.0, 0.09
"""Tolerances in distance and direction within which a segment is collinear with a line."""
_EDGE_PX = 7.0
"""A corner nearer than this to the edge of the picture counts as outside it."""
_OVERLAP = 0.1
"""An edge may reach by this share of the width or height into the bounding box of the landmarks, which ears and hair exceed."""
_ROUNDED = 0.08
"""Share left out at either end of an edge: displays have round corners."""
_PLAIN_LEVELS = 3.0
"""Rows and columns with a smaller standard deviation are a border of one colour."""


class _Line(NamedTuple):
    """A point (2,) of a line in px and its direction (2,), of unit length."""

    point: F64
    along: F64


class Border(NamedTuple):
    """The border of a display or print: coverage 0..1, the least of its three edges, and corners (4, 2) px, NaN without one.

    corners: top left, bottom left, bottom right, top right, the upper two at the height of the top of the face.
    """

    covered: float
    corners: F64


def border(rgb: U8, landmarks: F32) -> Border:
    """Return the best covered border below, left and right of a face.

    Args:
        rgb: (H, W, 3) picture.
        landmarks: (478, 3) px of the face.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE_PX / max(height, width))
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey, corner = _without_border(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
    face = landmarks[:, :2].astype(np.float64) * scale - corner
    segments = _segments(grey)
    best = _best(segments, face.min(axis=0), face.max(axis=0), np.array(grey.shape[::-1], np.float64))
    return best._replace(corners=(best.corners + corner) / scale)


def _without_border(grey: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], F64]:
    """Return the picture without edge rows and columns of one colour, and the origin of what is left, (2,) px."""
    rows = np.flatnonzero(grey.std(axis=1) > _PLAIN_LEVELS)
    columns = np.flatnonzero(grey.std(axis=0) > _PLAIN_LEVELS)
    if not len(rows) or not len(columns):
        return grey, np.zeros(2)
    inner = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(inner), np.array([columns[0], rows[0]], np.float64)


def _segments(grey: npt.NDArray[np.uint8]) -> F64:
    """Return the line segments of a picture, (S, 4) px, x and y of both ends."""
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    segments = np.zeros((0, 4)) if found is None else np.asarray(found, np.float64).reshape(-1, 4)
    return np.asarray(segments[np.hypot(*_spans(segments).T) >= _SHORTEST_PX])


def _best(segments: F64, low: F64, high: F64, size: F64) -> Border:
    """Return the best covered border; `low` and `high` bound the face's box, `size` is that of the picture, all (2,) px."""
    spans, middles = _spans(segments), (segments[:, :2] + segments[:, 2:]) / 2
    askew = np.sin(np.radians(TILT_DEG)) * np.hypot(*spans.T)
    upright, level = np.abs(spans[:, 0]) <= askew, np.abs(spans[:, 1]) <= askew
    reach = _OVERLAP * (high[0] - low[0])
    left = _lines(segments[upright & (middles[:, 0] < low[0] + reach)])
    right = _lines(segments[upright & (middles[:, 0] > high[0] - reach)])
    below = _lines(segments[level & (middles[:, 1] > high[1])])
    beside, lying = segments[upright], segments[level]

    def corner(side: _Line, bottom: _Line, *, of_left: bool) -> F64 | None:
        at = _crossing(side, bottom)
        if at is None or at[1] < high[1] or np.any(at < _EDGE_PX) or np.any(at > size - 1 - _EDGE_PX):
            return None
        outside = at[0] < low[0] + reach if of_left else at[0] > high[0] - reach
        return at if outside else None

    best = Border(0.0, np.full((4, 2), np.nan))
    for bottom in below:
        starts = [(side, at) for side in left if (at := corner(side, bottom, of_left=True)) is not None]
        ends = [(side, at) for side in right if (at := corner(side, bottom, of_left=False)) is not None]
        for (one, start), (other, end) in product(starts, ends):
            under = _covered(lying, start, end)
            if under > best.covered:
                tops = _at_height(one, low[1]), _at_height(other, low[1])
                least = min(under, _covered(beside, start, tops[0]), _covered(beside, end, tops[1]))
                if least > best.covered:
                    best = Border(least, np.stack([tops[0], start, end, tops[1]]))
    return best


def _spans(segments: F64) -> F64:
    return np.asarray(segments[:, 2:] - segments[:, :2])


def _lines(segments: F64) -> list[_Line]:
    """Return the lines that hold most of the segments' length, the best first."""
    lengths = np.hypot(*_spans(segments).T)
    directions = _spans(segments) / np.maximum(lengths, 1e-9)[:, None]
    free = np.ones(len(segments), bool)
    found: list[npt.NDArray[np.bool_]] = []
    for seed in np.argsort(-lengths):
        if not free[seed]:
            continue
        across = np.array([-directions[seed, 1], directions[seed, 0]])
        off = [np.abs((segments[:, end] - segments[seed, :2]) @ across) for end in (slice(0, 2), slice(2, 4))]
        members = (np.maximum(*off) < _APART_PX) & (np.abs(directions @ across) < _APART_RAD)
        free &= ~members
        found.append(members)
    longest = sorted(found, key=lambda members: -float(lengths[members].sum()))[:_LINES]
    return [_fitted(segments[members], lengths[members]) for members in longest]


def _fitted(segments: F64, lengths: F64) -> _Line:
    """Return the least-squares line through the ends of segments, each weighted by its length."""
    ends, weights = segments.reshape(-1, 2), np.repeat(lengths, 2)
    centre = (ends * weights[:, None]).sum(axis=0) / weights.sum()
    along = np.linalg.svd((ends - centre) * np.sqrt(weights)[:, None], full_matrices=False)[2][0]
    return _Line(centre, along)


def _crossing(one: _Line, other: _Line) -> F64 | None:
    """Return the intersection of two lines, (2,) px; `None` for parallels."""
    directions = np.stack([one.along, -other.along], axis=1)
    if abs(np.linalg.det(directions)) < 1e-6:
        return None
    return np.asarray(one.point + np.linalg.solve(directions, other.point - one.point)[0] * one.along)


def _at_height(line: _Line, y: float) -> F64:
    """Return the point (2,) px of an upright line at the height `y`."""
    return np.asarray(line.point + (y - line.point[1]) / line.along[1] * line.along)


def _covered(segments: F64, start: F64, end: F64) -> float:
    """Return the share, 0..1, of the edge from `start` to `end` that segments cover; its rounded ends are left out."""
    start, end = start + _ROUNDED * (end - start), end - _ROUNDED * (end - start)
    length = float(np.hypot(*(end - start)))
    if length < 1.0:
        return 0.0
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    from_start = segments.reshape(-1, 2, 2) - start
    beside = np.all(np.abs(from_start @ across) < _APART_PX, axis=1)
    reaches = np.sort(from_start[beside] @ along, axis=1)
    steps = np.arange(0.0, length)
    covered = (steps >= reaches[:, :1] - 2.0) & (steps <= reaches[:, 1:] + 2.0)
    return float(covered.any(axis=0).mean())
