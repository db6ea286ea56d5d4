"""Skin tracking: follows skin texture by optical flow between frames with the head at different angles.

Each frame's face is aligned to one size and kept for two seconds. When the pose differs by some degrees from that of a kept
frame, the points of `SKIN` are tracked from there by pyramidal Lucas-Kanade optical flow, with a forward-backward check: a point
that does not return to its origin is lost. Nothing is tracked while the head is at rest, so that costs nothing.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from cameo_verifier.evidence.relief import SKIN, lean

if TYPE_CHECKING:
    import numpy.typing as npt

    from cameo_verifier.types import F32, F64, I32, U8

PAIRS, BURST = 32, 16
"""Pairs of frames at most: `PAIRS` spread evenly over the recording and `BURST` at any time, since turns are short."""
_CUT_PX = 192
_SPREAD_PX = 46.0
"""RMS distance of the points from their centroid in the aligned face, which is then about 130 px wide."""
_KEPT_S = 2.0
_LEAN = (0.07, 0.12, 0.3)
"""Sine of the least, best and largest angle of a pair: 4, 7 and 17 degrees. A larger angle gives more parallax, a smaller one
more reliable flow: over 13 degrees half of the points are lost, over 7 a quarter."""
_TURNED_DEG = 35.0
"""Beyond this yaw or pitch half of the face is occluded and the other half foreshortened."""
_ASTRAY_PX = 1.0
_WINDOW_PX = 15
"""A tenth of the face: wider windows smear the nose over the cheeks, narrower ones hold too little texture of skin."""
_LEVELS = 3
_EYE_CORNERS = (33, 263)


class _Cut(NamedTuple):
    row: int
    t_s: float
    pose_deg: F64
    grey: U8
    to_picture: F64
    points: F32


class Parallax:
    """A collector of pairs of frames and of the tracked skin points between them."""

    def __init__(self, duration_s: float) -> None:
        """Allot the pairs to `duration_s` seconds."""
        self._pairs_per_s = PAIRS / max(duration_s, 1e-3)
        self._kept: deque[_Cut] = deque()
        self._rows: list[tuple[int, int]] = []
        self._points: list[F32] = []

    def add(self, row: int, t_s: float, rgb: U8, landmarks: F32, pose_deg: tuple[float, float, float]) -> None:
        """Add the frame of that row in the track: (h, w, 3) uint8 RGB, (478, 3) px, yaw, pitch and roll in degrees."""
        while self._kept and self._kept[0].t_s < t_s - _KEPT_S:
            self._kept.popleft()
        if max(abs(pose_deg[0]), abs(pose_deg[1])) > _TURNED_DEG:
            return
        now = _cut(row, t_s, rgb, landmarks, pose_deg)
        if now is None:
            return
        may = len(self._rows) < min(BURST + self._pairs_per_s * t_s, BURST + PAIRS)
        if may and (before := self._turned_from(now)) is not None:
            self._rows.append((before.row, row))
            self._points.append(_follow(before, now))
        self._kept.append(now)

    def rows(self) -> I32:
        """Return (Q, 2) rows of the track: before and after."""
        return np.array(self._rows, np.int32).reshape(-1, 2)

    def points(self) -> F32:
        """Return (Q, P, 2) px of the later frame: tracked positions of the landmarks of `SKIN`, NaN where a point was lost."""
        return np.stack(self._points) if self._points else np.zeros((0, len(SKIN), 2), np.float32)

    def _turned_from(self, now: _Cut) -> _Cut | None:
        if not self._kept:
            return None
        leans = np.linalg.norm(lean(np.stack([cut.pose_deg for cut in self._kept]), now.pose_deg), axis=1)
        least, best, most = _LEAN
        nearest = int(np.abs(leans - best).argmin())
        return self._kept[nearest] if least <= leans[nearest] <= most else None


def _cut(row: int, t_s: float, rgb: U8, landmarks: F32, pose_deg: tuple[float, float, float]) -> _Cut | None:
    """Return the aligned face at one size, or nothing where a part of it lies outside of the picture."""
    skin = landmarks[list(SKIN), :2].astype(np.float64)
    centre = skin.mean(axis=0)
    spread = np.sqrt(((skin - centre) ** 2).sum(axis=1).mean())
    right, left = landmarks[list(_EYE_CORNERS), :2].astype(np.float64)
    scale = _SPREAD_PX / max(spread, 1e-6)
    angle = np.arctan2(left[1] - right[1], left[0] - right[0])
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    height, width = rgb.shape[:2]
    if (skin < 0).any() or (skin > (width, height)).any():
        return None
    reach = 1.5 * _CUT_PX / 2 / scale
    low = np.clip((centre - reach).astype(int), 0, (width, height))
    high = np.clip((centre + reach).astype(int) + 1, 0, (width, height))
    if np.any(high - low < 2):
        return None
    grey = cv2.cvtColor(rgb[low[1] : high[1], low[0] : high[0]], cv2.COLOR_RGB2GRAY)
    if scale < 0.7:
        grey = cv2.GaussianBlur(grey, (0, 0), 0.4 / scale)
    middle = np.full(2, _CUT_PX / 2)
    to_cut = np.column_stack([turn, middle - turn @ (centre - low)])
    cut = cv2.warpAffine(grey, to_cut, (_CUT_PX, _CUT_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    back = np.linalg.inv(turn)
    to_picture = np.column_stack([back, centre - back @ middle])
    points = ((skin - centre) @ turn.T + middle).astype(np.float32)
    return _Cut(row, t_s, np.array(pose_deg), np.asarray(cut, np.uint8), to_picture, points)


def _follow(before: _Cut, now: _Cut) -> F32:
    """Return (P, 2) px in the later picture, NaN where the flow lost a point."""
    moved, found = _flow(before.grey, now.grey, before.points)
    returned, found_back = _flow(now.grey, before.grey, moved)
    astray = np.linalg.norm(returned - before.points, axis=1)
    kept = found & found_back & (astray < _ASTRAY_PX)
    picture = moved @ now.to_picture[:, :2].T + now.to_picture[:, 2]
    return np.where(kept[:, None], picture, np.nan).astype(np.float32)


def _flow(first: U8, second: U8, points: F32) -> tuple[F32, npt.NDArray[np.bool_]]:
    """Return where the (P, 2) points of the first picture are in the second, and whether they were found there."""
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.02)
    window = (_WINDOW_PX, _WINDOW_PX)
    guess = points.copy()
    moved, found, _ = cv2.calcOpticalFlowPyrLK(first, second, points, guess, winSize=window, maxLevel=_LEVELS, criteria=stop)
    return np.asarray(moved, np.float32).reshape(-1, 2), np.asarray(found.ravel() > 0)
