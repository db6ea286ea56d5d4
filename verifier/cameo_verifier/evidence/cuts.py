"""Cut detection: finds consecutive pictures that were not filmed one after the other.

What a camera sees moves on steadily: each picture changes by about as much, and in the same way, as those before and after it. At
a cut between two takes everything that can move is elsewhere at once, if only by a few px. Other changes from one picture to the
next are told apart by their appearance:

1. The usual change is subtracted: the median, thumbnail pixel by pixel, of the steps just before and just after.
2. A change of light is subtracted: the whole picture brighter or darker, more so on one side than on the other.
3. Two quantities remain. `spread`, the mean absolute residual: a mouth, a blink or a hand is only a small part of a picture.
   `moved`, the part of the residual that a smooth displacement of the mean picture explains: a codec's refreshed picture
   displaces nothing.
4. Each is divided by the largest of the same quantity around it, of the residuals as of the whole steps, so that a moving head or
   a shaking hand does not count, with a floor at what codecs cause in a still picture.

The score is the geometric mean of the two, as they are and with a shift of the whole picture subtracted like light: a hand that
jerks the camera is prominent the first way alone; a cut moves a head before its background, and is prominent in both. The most
prominent steps are scored again without camera motion (`evidence.camera_motion`). A step over a longer interval than
usual counts for as much less, and a duplicate picture, which recorders insert for one they dropped, counts as none.

A step is as long as the interval between its pictures. Where that is longer than a movement lasts, a head that turns quickly is
elsewhere from one picture to the next as after a cut, so the length of the step is returned with the score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cameo_verifier.evidence.camera_motion import remainder

if TYPE_CHECKING:
    from cameo_verifier.types import F32, F64

_USUAL, _AROUND = 3, 4
"""Steps on either side that give the usual change, and over which a step has to be prominent."""
_AROUND_S = 0.16
"""Least duration of the steps around: that of `_AROUND` steps at 25 pictures a second."""
_STEADIED_FROM, _STEADIED_MAX = 1.5, 8
"""Steps of at least this score, and at most so many of them, are scored again with camera motion compensated."""
_LIGHT_DEGREE, _DISPLACEMENT_DEGREE = 2, 3
"""Degrees of the polynomials in x and y that model light and displacement: a lamp at one side; a head before a wall."""
_HELD_LEVELS = 0.05
"""Mean absolute change, in levels, of a duplicate picture; the noise of a camera in a dark room causes 0.1 and more."""
_SPREAD_LEVELS, _MOVED_LEVELS = 0.8, 0.6
"""Floors of both quantities, below which codecs cause them: refreshed pictures of development and studio recordings reach 1.4
and 1.1."""


class Cut(NamedTuple):
    """The sharpest change of the whole picture: its prominence over those around it, its time, and the length of its step."""

    score: float = 0.0
    at_s: float = 0.0
    step_s: float = 0.0


def sharpest_cut(t_s: F64, thumbnails: F32) -> Cut:
    """Return the sharpest change of the whole picture.

    Args:
        t_s: (N,) times of the pictures.
        thumbnails: (N, H, W) luma, 0..255, averaged over areas.

    Returns:
        A score of about 1 to 2 in one take. 0 with too few pictures, where the first and last `_USUAL` steps are not scored.
    """
    luma = thumbnails.reshape(len(t_s), -1)
    new = np.concatenate([[True], np.abs(np.diff(luma, axis=0)).mean(axis=1) > _HELD_LEVELS])
    t_s, luma = t_s[new], luma[new]
    if len(t_s) < 2 * _USUAL + 2:
        return Cut()
    apart_s = np.diff(t_s)
    usual_s = max(float(np.median(apart_s)), 1e-6)
    pace = np.maximum(1.0, apart_s / usual_s).astype(np.float32)
    steps = np.diff(luma, axis=0) / pace[:, None]
    shape = thumbnails.shape[1:]
    mean, usual = luma.mean(axis=0).reshape(shape), _usual(steps)
    bases = [_bases(mean, steadied=off) for off in (False, True)]
    around = max(_AROUND, round(_AROUND_S / usual_s))
    score = _both_ways(steps, steps - usual, bases, around)
    score[:_USUAL] = score[-_USUAL:] = 0.0
    for _ in range(_STEADIED_MAX):
        where = int(score.argmax())
        if score[where] < _STEADIED_FROM:
            break
        near = slice(max(0, where - around), where + around + 1)
        row = where - near.start
        left, rest = steps[near].copy(), (steps - usual)[near]
        before, after = luma[where].reshape(shape), luma[where + 1].reshape(shape)
        left[row] = rest[row] = remainder(before, after, float(apart_s[where])).reshape(-1) / pace[where]
        steadied = float(_both_ways(left, rest, bases, around)[row])
        if steadied >= score[where]:
            break
        score[where] = steadied
    where = int(score.argmax())
    local = apart_s[max(0, where - around) : where + around + 1]
    return Cut(float(score[where]), float(t_s[where + 1]), float(np.median(local)))


def _both_ways(steps: F32, unusual: F32, bases: list[tuple[F32, F32]], around: int) -> F32:
    """Return the geometric mean of the scores of the steps as they are and with one shift of the whole picture subtracted."""
    as_it_is, steadied = (_scores(steps, unusual, *basis, around) for basis in bases)
    return np.asarray(np.sqrt(as_it_is * steadied), np.float32)


def _scores(steps: F32, unusual: F32, no_cut: F32, displacement: F32, around: int) -> F32:
    """Return the prominence of each step (N, P), with its projection on the columns `no_cut` subtracted."""
    unusual, whole = _residual(unusual, no_cut), _residual(steps, no_cut)
    spread = _prominence(np.abs(unusual).mean(axis=1), np.abs(whole).mean(axis=1), _SPREAD_LEVELS, around)
    moved = _prominence(_explained(unusual, displacement), _explained(whole, displacement), _MOVED_LEVELS, around)
    return np.asarray(np.sqrt(spread * moved), np.float32)


def _usual(steps: F32) -> F32:
    """Return the median of the steps around each, itself left out, (N, P); there are fewer at the ends."""
    usual = np.empty_like(steps)
    for row in range(len(steps)):
        around = np.concatenate([steps[max(0, row - _USUAL) : row], steps[row + 1 : row + 1 + _USUAL]])
        usual[row] = np.median(around, axis=0)
    return usual


def _bases(mean: F32, *, steadied: bool) -> tuple[F32, F32]:
    """Return orthonormal bases (P, ...): changes of light, and displacements of the mean picture (H, W) orthogonal to them.

    Where `steadied`, one shift of the whole picture belongs to the first basis.
    """
    down, right = (slope.reshape(-1, 1) for slope in np.gradient(mean))
    lit = _polynomials(mean.shape, _LIGHT_DEGREE)
    jerk = [right, down] if steadied else []
    no_cut = np.linalg.qr(np.concatenate([lit, lit * mean.reshape(-1, 1), *jerk], axis=1))[0]
    # The first polynomial is constant: the shift of the whole picture.
    shift = _polynomials(mean.shape, _DISPLACEMENT_DEGREE)[:, int(steadied) :]
    moving = np.concatenate([shift * right, shift * down], axis=1)
    displacement = np.linalg.qr(moving - no_cut @ (no_cut.T @ moving))[0]
    return no_cut.astype(np.float32), displacement.astype(np.float32)


def _polynomials(shape: tuple[int, ...], degree: int) -> F64:
    y, x = (axis.ravel() for axis in np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij"))
    return np.stack([x**i * y**j for i in range(degree + 1) for j in range(degree + 1 - i)], axis=1)


def _residual(steps: F32, no_cut: F32) -> F32:
    return np.asarray(steps - (steps @ no_cut) @ no_cut.T, np.float32)


def _explained(steps: F32, displacement: F32) -> F32:
    """Return the RMS over the picture, in levels, of the part of each step that a displacement explains."""
    part = steps @ displacement
    power = np.einsum("nk,nk->n", part, part) / steps.shape[1]
    explained: F32 = np.sqrt(power, dtype=np.float32)
    return explained


def _prominence(unusual: F32, whole: F32, least: float, around: int) -> F32:
    """Return the ratio of each residual to the largest residual or step of the `around` on either side, or to `least`."""
    largest = np.full_like(unusual, least)
    for offset in range(1, around + 1):
        for other in (unusual, whole):
            largest[offset:] = np.maximum(largest[offset:], other[:-offset])
            largest[:-offset] = np.maximum(largest[:-offset], other[offset:])
    out: F32 = unusual / largest
    return out
