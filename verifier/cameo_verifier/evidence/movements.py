"""Head-movement detection: segments the pose track into turns away from the resting pose and back.

The centre is the person's own resting pose in this recording, not the camera's axis: a phone is often held low.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.model import Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cameo_verifier.types import F32, F64

_WAYS = {(0, True): Turn.LEFT, (0, False): Turn.RIGHT, (1, True): Turn.UP, (1, False): Turn.DOWN}
_REST_SHARE = 0.3
"""Share of the frames assumed to be at rest: the tightest cluster of that size is the centre."""
_MEDIAN_FRAMES = 3
"""Length of the median filter, which removes a single mistracked frame and keeps the peak of a movement."""
_ONSET_SHARE = 0.25
"""Share of a turn's amplitude at which it counts as begun."""
_PROMINENCE = 2.0
"""Least ratio of a turn's peak to the valley before it where one direction follows another without a stop at the centre."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One head turn; `peak_deg` is its amplitude from the centre, `end_s` its return to the centre.

    `onset_s` is where it passes `_ONSET_SHARE` of its amplitude: a head sways before it turns, and a share of the peak is passed
    at the same place of a fast turn and of a slow one.
    """

    turn: Turn
    onset_s: float
    start_s: float
    peak_s: float
    end_s: float
    peak_deg: float


def movements(t_s: F64, pose_deg: F32, *, min_deg: float, centre_deg: float) -> tuple[Movement, ...]:
    """Find head turns in order.

    Args:
        t_s: (N,) seconds, rising.
        pose_deg: (N, 3) yaw, pitch, roll in degrees; NaN where no face was found.
        min_deg: least amplitude of a turn from the centre.
        centre_deg: within this distance the head is back at the centre.

    Returns:
        Turns by start. Where yaw and pitch both leave the centre, the larger one names the turn.
    """
    seen = np.isfinite(pose_deg[:, 0])
    if seen.sum() < _MEDIAN_FRAMES:
        return ()
    times, angles = t_s[seen], _smooth(pose_deg[seen, :2].astype(np.float64))
    offset = angles - rest(angles)
    distance = np.abs(offset).max(axis=1)
    found = [
        _movement(times, offset, start, end)
        for start, end in _excursions(offset, distance, centre_deg)
        if not _is_passage(distance, start, end, centre_deg)
    ]
    return tuple(m for m in found if m.peak_deg >= min_deg)


def rest(angles: F64) -> F64:
    """Return the resting (yaw, pitch): the mean of the tightest cluster that holds `_REST_SHARE` of the frames.

    The cluster is grown around each frame by the larger of the two angular distances (a two-dimensional shorth).
    """
    keep = max(1, round(len(angles) * _REST_SHARE))
    distance = np.abs(angles[:, None, :] - angles[None, :, :]).max(axis=2)
    radius = np.partition(distance, keep - 1, axis=1)[:, keep - 1]
    centre = int(np.argmin(radius))
    members = np.argsort(distance[centre], kind="stable")[:keep]
    result: F64 = angles[members].mean(axis=0)
    return result


def matches(found: Sequence[Movement], asked: Sequence[Turn]) -> Iterator[tuple[Movement, ...]]:
    """Yield every subsequence of the found movements that equals the asked turns."""
    for choice in combinations(found, len(asked)):
        if all(m.turn is turn for m, turn in zip(choice, asked, strict=True)):
            yield choice


def _smooth(angles: F64) -> F64:
    padded = np.pad(angles, ((1, 1), (0, 0)), mode="edge")
    result: F64 = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return result


def _excursions(offset: F64, distance: F64, centre_deg: float) -> Iterator[tuple[int, int]]:
    """Yield index ranges away from the centre, split where the dominant direction changes without a stop at the centre."""
    away = distance > centre_deg
    axis = np.abs(offset).argmax(axis=1)
    way = axis * 2 + (np.take_along_axis(offset, axis[:, None], axis=1)[:, 0] > 0)
    start: int | None = None
    for i in range(len(away) + 1):
        ends = i == len(away) or not away[i] or (start is not None and way[i] != way[i - 1])
        if start is not None and ends:
            yield start, i
            start = None
        if i < len(away) and away[i] and start is None:
            start = i


def _is_passage(distance: F64, start: int, end: int, centre_deg: float) -> bool:
    """Whether a peak is only a passage to another: it starts or ends off the centre, and has little prominence."""
    borders = [distance[i] for i in (start - 1, end) if 0 <= i < len(distance) and distance[i] > centre_deg]
    return bool(borders) and distance[start:end].max() < _PROMINENCE * max(borders)


def _movement(times: F64, offset: F64, start: int, end: int) -> Movement:
    part = np.abs(offset[start:end])
    frame, axis = np.unravel_index(int(part.argmax()), part.shape)
    peak = start + int(frame)
    return Movement(
        turn=_WAYS[int(axis), bool(offset[peak, int(axis)] > 0)],
        onset_s=_onset_s(times, offset[:, axis] * np.sign(offset[peak, axis]), peak),
        start_s=float(times[start]),
        peak_s=float(times[peak]),
        end_s=float(times[min(end, len(times) - 1)]),
        peak_deg=float(part.max()),
    )


def _onset_s(times: F64, towards: F64, peak: int) -> float:
    """Return where the way to a peak passes `_ONSET_SHARE` of it, between two frames in proportion; the first frame if all do."""
    share = _ONSET_SHARE * towards[peak]
    below = np.flatnonzero(towards[:peak] < share)
    if not len(below):
        return float(times[0])
    pair = slice(int(below[-1]), int(below[-1]) + 2)
    return float(np.interp(share, towards[pair], times[pair]))
