"""Whether two pictures that follow one another were filmed one after the other.

What a camera sees moves on steadily: each picture changes by about as much, and in the same way, as those before and after it.
At a cut between two takes everything that can move is elsewhere at once, if only by a few px. What else changes from one picture
to the next is told apart by what it looks like:

1. The usual change is taken off: the median, thumbnail pixel by pixel, of the steps just before and just after.
2. A change of light is taken off: all of the picture brighter or darker, more so on one side than on the other.
3. Two quantities remain. `spread`, the mean absolute remainder: a mouth, a blink or a hand is only a small part of a picture.
   `moved`, what a smooth displacement of the mean picture explains of it: a codec's refreshed picture displaces nothing.
4. Each counts over the largest of the same quantity around it, of the remainders as of the whole steps, so that a head in
   movement or a hand that shakes does not count, and not below what codecs cause in a picture that stands still.

The score is the geometric mean of the two, as they are and with what shifts all of the picture alike taken off like light: a hand
that holds the camera jerks, and stands out the first way alone; a cut moves a head before its background, and does both. A step
over a longer time than usual counts for as much less, and a picture that only repeats the one before it, as recorders put in for
one they lost, counts as none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from verifier.types import F32, F64

_USUAL, _AROUND = 3, 4
"""Steps on either side that tell the usual change, and over which a step has to stand out."""
_LIGHT_DEGREE, _DISPLACEMENT_DEGREE = 2, 3
"""Of the polynomials in x and y that light and displacement may follow: a lamp at one side; a head before a wall."""
_HELD_LEVELS = 0.05
"""Mean absolute change, in levels, of a picture that comes twice; the noise of a camera in a dark room causes 0.1 and more."""
_SPREAD_LEVELS, _MOVED_LEVELS = 0.8, 0.6
"""Steps below these are a codec's: refreshed pictures of development and studio recordings reach 1.4 and 1.1."""


def sharpest_cut(t_s: F64, thumbnails: F32) -> tuple[float, float]:
    """Return how far the sharpest change of the whole picture stands out of those around it, and when it is, in seconds.

    Args:
        t_s: (N,) times of the pictures.
        thumbnails: (N, H, W) luma, 0..255, averaged over areas.

    Returns:
        About 1 to 2 in one take. 0 with too few pictures, where the first and last `_USUAL` steps are not judged.
    """
    luma = thumbnails.reshape(len(t_s), -1)
    new = np.concatenate([[True], np.abs(np.diff(luma, axis=0)).mean(axis=1) > _HELD_LEVELS])
    t_s, luma = t_s[new], luma[new]
    if len(t_s) < 2 * _USUAL + 2:
        return 0.0, 0.0
    apart_s = np.diff(t_s)
    pace = np.maximum(1.0, apart_s / max(float(np.median(apart_s)), 1e-6)).astype(np.float32)
    steps = np.diff(luma, axis=0) / pace[:, None]
    mean, unusual = luma.mean(axis=0).reshape(thumbnails.shape[1:]), steps - _usual(steps)
    as_it_is, steadied = (_scores(steps, unusual, *_bases(mean, steadied=off)) for off in (False, True))
    score = np.sqrt(as_it_is * steadied)[_USUAL:-_USUAL]
    where = int(score.argmax())
    return float(score[where]), float(t_s[_USUAL + where + 1])


def _scores(steps: F32, unusual: F32, no_cut: F32, displacement: F32) -> F32:
    """Return by how much each step (N, P) stands out, with the columns `no_cut` taken off."""
    unusual, whole = _without(unusual, no_cut), _without(steps, no_cut)
    spread = _stands_out(np.abs(unusual).mean(axis=1), np.abs(whole).mean(axis=1), _SPREAD_LEVELS)
    moved = _stands_out(_explained(unusual, displacement), _explained(whole, displacement), _MOVED_LEVELS)
    return np.asarray(np.sqrt(spread * moved), np.float32)


def _usual(steps: F32) -> F32:
    """Return the median of the steps around each, itself left out, (N, P); there are fewer at the ends."""
    usual = np.empty_like(steps)
    for row in range(len(steps)):
        around = np.concatenate([steps[max(0, row - _USUAL) : row], steps[row + 1 : row + 1 + _USUAL]])
        usual[row] = np.median(around, axis=0)
    return usual


def _bases(mean: F32, *, steadied: bool) -> tuple[F32, F32]:
    """Return orthonormal columns (P, ...): changes of light, and displacements of the mean picture (H, W) that are none.

    Where `steadied`, one shift of all of the picture goes with the light.
    """
    down, right = (slope.reshape(-1, 1) for slope in np.gradient(mean))
    lit = _polynomials(mean.shape, _LIGHT_DEGREE)
    jerk = [right, down] if steadied else []
    no_cut = np.linalg.qr(np.concatenate([lit, lit * mean.reshape(-1, 1), *jerk], axis=1))[0]
    # The first of the polynomials is constant: that one shift.
    shift = _polynomials(mean.shape, _DISPLACEMENT_DEGREE)[:, int(steadied) :]
    moving = np.concatenate([shift * right, shift * down], axis=1)
    displacement = np.linalg.qr(moving - no_cut @ (no_cut.T @ moving))[0]
    return no_cut.astype(np.float32), displacement.astype(np.float32)


def _polynomials(shape: tuple[int, ...], degree: int) -> F64:
    y, x = (axis.ravel() for axis in np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij"))
    return np.stack([x**i * y**j for i in range(degree + 1) for j in range(degree + 1 - i)], axis=1)


def _without(steps: F32, no_cut: F32) -> F32:
    return np.asarray(steps - (steps @ no_cut) @ no_cut.T, np.float32)


def _explained(steps: F32, displacement: F32) -> F32:
    """Return the RMS over the picture, in levels, of the part of each step that a displacement explains."""
    part = steps @ displacement
    power = np.einsum("nk,nk->n", part, part) / steps.shape[1]
    explained: F32 = np.sqrt(power, dtype=np.float32)
    return explained


def _stands_out(unusual: F32, whole: F32, least: float) -> F32:
    """Return each remainder over the largest remainder or step around it, or over `least`."""
    around = np.full_like(unusual, least)
    for offset in range(1, _AROUND + 1):
        for other in (unusual, whole):
            around[offset:] = np.maximum(around[offset:], other[:-offset])
            around[:-offset] = np.maximum(around[:-offset], other[offset:])
    out: F32 = unusual / around
    return out
