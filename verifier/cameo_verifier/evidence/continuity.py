"""Temporal continuity: measures change between pictures, still stretches, repeated and reversed stretches, and jumps.

A live camera has noise and a live person moves, so two moments of a recording are never closer to one another than consecutive
pictures are. A duplicated stretch is: its distance from its copy is that of two encodings. The distance of two stretches is
therefore normalised: their mean distance, picture by picture, over the mean change from picture to picture within them. It is
multiplied by how far that distance falls below the distance at offsets slightly earlier or later, since a copy fits at one offset
only and a person who returns to the same pose fits about as well next to it.

Distances are RMS differences of luma over thumbnails that average hundreds of pixels each, so that noise counts little and
movement much.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.evidence.cuts import sharpest_cut
from cameo_verifier.reasons import Reason
from cameo_verifier.types import F32, F64, U8, FaceTrack, Missing, PictureTrace

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

STRETCH_S = 0.8
"""Shorter stretches repeat by chance: a turn there and back is nearly symmetrical, a blink resembles the last one."""
STRETCH_PICTURES = 5
"""The least number of pictures in a stretch, at any frame rate."""
BESIDE_S = 0.12
"""The offset, earlier or later, at which a copy no longer fits."""
MOVING = 0.12
"""Least mean change of a moving stretch, in levels: a quarter of what a still person causes in a good camera. Below it two
moments cannot be told apart; a picture without change is the subject of another check."""

_REFRESH = 9.0
_USUAL_CONTRAST = 40.0
"""Standard deviation of luma in the flatter half of the development recordings: 31 to 84, a dark room 5."""

_BONES = (33, 133, 362, 263, 168, 6, 197, 10, 151, 9, 127, 356, 234, 454, 93, 323)
"""Landmarks that move rigidly with the skull: corners of the eyes, bridge of the nose, forehead, temples and cheeks."""
_AROUND = 3
_FACE_STEP, _PICTURE_STEP = 0.01, 0.1
"""Floors of steps, in face widths and in levels: below lie the jitter of the landmarks and the noise of the camera."""

HURRIED = 0.45

_LOPSIDED = 2.0
"""The larger of two ratios is capped at this multiple of the smaller."""


@dataclass(slots=True)
class Glances:
    """A buffer of the thumbnails of a recording, condensed to a trace."""

    t_s: list[float] = field(default_factory=list)
    thumbnails: list[U8] = field(default_factory=list)

    def add(self, t_s: float, thumbnail: U8) -> None:
        """Append the picture at `t_s`: its thumbnail, uint8 luma of any one shape."""
        self.t_s.append(t_s)
        self.thumbnails.append(thumbnail)

    def trace(self) -> PictureTrace | Missing:
        """Return the differences between the pictures, `Missing(NO_VIDEO)` without any."""
        if not self.t_s:
            return Missing(Reason.NO_VIDEO)
        t_s = np.array(self.t_s, np.float64)
        pictures = np.stack(self.thumbnails).astype(np.float32)
        cut, cut_s, cut_step_s = sharpest_cut(t_s, pictures)
        luma = pictures.reshape(len(t_s), -1)
        contrast = float(np.median(luma.std(axis=1)))
        apart = _distances(luma)
        change = np.concatenate([np.zeros(1, np.float32), np.diagonal(apart, 1)])
        if len(t_s) <= 2 * STRETCH_PICTURES:
            return PictureTrace(t_s, change, contrast, cut=cut, cut_s=cut_s, cut_step_s=cut_step_s)
        repeat, repeat_s = _least(t_s, change, _repeats(apart, t_s))
        reversal, reversal_s = _least(t_s, change, _reversals(apart, t_s))
        return PictureTrace(
            t_s, change, contrast, repeat, repeat_s, reversal, reversal_s, cut=cut, cut_s=cut_s, cut_step_s=cut_step_s
        )


def longest_still_s(trace: PictureTrace, *, still: float, face: FaceTrack | None = None) -> float:
    """Return the length of the longest still stretch, in seconds, see `stillest`."""
    start_s, end_s = stillest(trace, still=still, face=face)
    return end_s - start_s


def stillest(trace: PictureTrace, *, still: float, face: FaceTrack | None = None) -> tuple[float, float]:
    """Return start and end of the longest still stretch, in seconds; one refreshed picture of a codec in ten does not end it.

    Args:
        trace: the pictures.
        face: the faces in them; with it only stretches that show one count, since an empty room does not move.
        still: threshold of change, in levels at a contrast of `_USUAL_CONTRAST` levels and more; it scales down at a lower
            contrast, since all of a dark picture changes little.
    """
    most = still * min(1.0, trace.contrast / _USUAL_CONTRAST)
    still_rows = trace.change[1:] <= most
    if face is not None:
        still_rows &= _shows_face(face, trace.t_s[1:])
    # Still steps count +1, others -9: a stretch with a positive sum is still for more than nine tenths of its steps.
    balance = np.concatenate([[0.0], np.cumsum(np.where(still_rows, 1.0, -_REFRESH))])
    longest = (0.0, 0.0)
    for start in np.flatnonzero(still_rows):
        held = np.flatnonzero(still_rows[start:] & (balance[start + 1 :] >= balance[start] + 1.0))
        if len(held):
            end_s = float(trace.t_s[start + held[-1] + 1])
            longest = max(longest, (float(trace.t_s[start]), end_s), key=lambda span: span[1] - span[0])
    return longest


def _shows_face(face: FaceTrack, t_s: F64) -> Mask:
    """Return whether the analysed frame nearest to each moment shows a face."""
    after = np.clip(np.searchsorted(face.t_s, t_s), 1, len(face.t_s) - 1) if len(face.t_s) > 1 else np.zeros(len(t_s), int)
    nearest = np.where(t_s - face.t_s[after - 1] < face.t_s[after] - t_s, after - 1, after)
    return np.asarray(face.faces[nearest] > 0)


def sharpest_jump(face: FaceTrack, trace: PictureTrace) -> tuple[float, float]:
    """Return the prominence of the sharpest joint jump of face and picture over the movement around it, and its time in seconds.

    A head has mass: its speed rises and falls over several pictures, so a step is never much larger than all those around it. At
    a cut it is, of the face's bones as of the whole picture; a codec's refreshed picture, a blink or a landmark that slips makes
    only one of the two. The score is the geometric mean of both steps over the largest step around each, 0 where nothing moved.
    """
    bones = face.landmarks[:, _BONES, :2].astype(np.float64)
    size_px = float(np.nanmedian(face.face_px))
    moved = np.linalg.norm(np.diff(bones, axis=0), axis=2).mean(axis=1) / size_px
    of_face = _prominence(moved, face.t_s, _FACE_STEP)
    of_picture = _prominence(trace.change[1:].astype(np.float64), trace.t_s, _PICTURE_STEP)
    best, where_s = 0.0, 0.0
    for bone, (start_s, end_s) in zip(of_face, pairwise(face.t_s), strict=True):
        between = (trace.t_s[1:] > start_s + 1e-6) & (trace.t_s[1:] <= end_s + 1e-6)
        whole = of_picture[between].max(initial=0.0)
        score = float(np.sqrt(min(bone, _LOPSIDED * whole) * min(whole, _LOPSIDED * bone)))
        if score > best:
            best, where_s = score, float(end_s)
    return best, where_s


def usual_step_s(face: FaceTrack) -> float:
    """Return the median interval between analysed pictures, in seconds, 0 with fewer than two."""
    return float(np.median(np.diff(face.t_s))) if len(face.t_s) > 1 else 0.0


def longest_gap_s(trace: PictureTrace) -> float:
    """Return the longest interval between pictures, in seconds."""
    return float(np.diff(trace.t_s).max(initial=0.0))


def hurried_share(trace: PictureTrace) -> float:
    """Return the share of pictures that follow the one before in less than `HURRIED` of the median interval.

    A camera drops pictures, and halves its rate in failing light; it never has the next one ready much sooner than usual.
    """
    apart_s = np.diff(trace.t_s)
    return float(np.mean(apart_s < HURRIED * np.median(apart_s))) if len(apart_s) else 0.0


def _prominence(steps: F64, t_s: F64, least: float) -> F64:
    """Return each step's ratio to the largest around it, or to `least`; a step over a longer interval counts less."""
    apart_s = np.diff(t_s)
    usual_s = float(np.median(apart_s)) if len(apart_s) else 1.0
    pace = np.nan_to_num(steps / np.maximum(1.0, apart_s / max(usual_s, 1e-6)), nan=0.0)
    around = np.full_like(pace, least)
    for offset in range(1, _AROUND + 1):
        around[offset:] = np.maximum(around[offset:], pace[:-offset])
        around[:-offset] = np.maximum(around[:-offset], pace[offset:])
    # A step next to a time without a face has no reference.
    known = np.isfinite(steps)
    alone = ~known
    alone[1:] |= ~known[:-1]
    alone[:-1] |= ~known[1:]
    return np.where(alone, 0.0, pace / around)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of stretches of `count` pictures: starts `one` and `other` (P,), distances at the fit and beside it (P,)."""

    count: int
    one: np.ndarray[tuple[int], np.dtype[np.intp]]
    other: np.ndarray[tuple[int], np.dtype[np.intp]]
    fit: F32
    beside: F32


def _distances(luma: F32) -> F32:
    """Return the (N, N) RMS differences between thumbnails (N, P)."""
    centred = luma - luma.mean(axis=0)
    power = np.einsum("np,np->n", centred, centred)
    square = np.maximum(power[:, None] + power - 2.0 * (centred @ centred.T), 0.0) / luma.shape[1]
    apart: F32 = np.sqrt(square, dtype=np.float32)
    # The product above cancels most of its digits for neighbours, whose small differences matter most.
    near = np.sqrt(np.mean(np.diff(luma, axis=0) ** 2, axis=1))
    index = np.arange(len(near))
    apart[index, index + 1] = apart[index + 1, index] = near
    return apart


def _sizes(t_s: F64) -> tuple[int, int]:
    """Return the number of pictures in a stretch, and in the offset beside a fit."""
    steps = np.diff(t_s)
    step_s = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
    return max(STRETCH_PICTURES, round(STRETCH_S / step_s)), max(1, round(BESIDE_S / step_s))


def _mean_of(line: F32, count: int) -> F32:
    total = np.concatenate([[0.0], np.cumsum(line, dtype=np.float64)])
    mean: F32 = ((total[count:] - total[:-count]) / count).astype(np.float32)
    return mean


def _repeats(apart: F32, t_s: F64) -> Iterator[_Pairs]:
    """Yield, lag by lag, each stretch with the one that begins that much later; the two do not overlap."""
    count, beside = _sizes(t_s)
    total = len(t_s)
    lags = range(count - beside, total - count + 1)
    means = {lag: _mean_of(np.diagonal(apart, lag), count) for lag in lags if lag > 0}
    for lag in range(count, total - count - beside + 1):
        later = means[lag + beside]
        size = len(later)
        if lag - beside not in means:
            continue
        one = np.arange(size)
        yield _Pairs(count, one, one + lag, means[lag][:size], np.minimum(means[lag - beside][:size], later))


def _reversals(apart: F32, t_s: F64) -> Iterator[_Pairs]:
    """Yield, turning point by turning point, each stretch before it with the time-reversed one after it.

    `other` is the first picture, in time, of the later stretch.
    """
    count, beside = _sizes(t_s)
    total = len(t_s)
    flipped = apart[:, ::-1]
    # On the diagonal k of the flipped matrix, the pictures' numbers add up to total - 1 - k.
    means: dict[int, F32] = {}
    for around in range(2 * count - 1 - beside, 2 * total - 2 * count + beside):
        if 0 <= around <= 2 * (total - 1):
            line = np.diagonal(flipped, total - 1 - around)
            if len(line) >= count:
                means[around] = _mean_of(line, count)
    for around, mean in means.items():
        if around - beside not in means or around + beside not in means:
            continue
        start = max(0, around - total + 1)
        one = start + np.arange(len(mean))
        other = around - one - (count - 1)
        kept = one + count <= other
        earlier = one - max(0, around - beside - total + 1)
        later = one - max(0, around + beside - total + 1)
        kept &= (earlier >= 0) & (earlier < len(means[around - beside])) & (later >= 0) & (later < len(means[around + beside]))
        if kept.any():
            least = np.minimum(means[around - beside][earlier[kept]], means[around + beside][later[kept]])
            yield _Pairs(count, one[kept], other[kept], mean[kept], least)


def _least(t_s: F64, change: F32, pairs: Iterator[_Pairs]) -> tuple[float, tuple[float, float]]:
    """Return the least normalised distance of all pairs that move, and where the two stretches begin."""
    best, where = float("inf"), (0.0, 0.0)
    pace: F32 | None = None
    for pair in pairs:
        if pace is None:
            pace = _mean_of(change[1:], pair.count - 1)
        slower = np.minimum(pace[pair.one], pace[pair.other])
        faster = np.maximum(pace[pair.one], pace[pair.other])
        moving = slower >= MOVING
        if not moving.any():
            continue
        score = np.full(len(moving), np.inf)
        score[moving] = (pair.fit**2)[moving] / np.maximum(faster * pair.beside, 1e-9)[moving]
        k = int(score.argmin())
        if score[k] < best:
            best, where = float(score[k]), (float(t_s[pair.one[k]]), float(t_s[pair.other[k]]))
    return best, where
