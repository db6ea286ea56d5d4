"""Shortlist: selects the few earlier recordings that are worth an exact comparison with a new one.

Contiguous stretches of 2.5 s of every stored recording are reduced to their slow changes: the lowest terms of a discrete cosine
transform of each column of the fingerprint, at unit length. A new recording is reduced the same way at every delay and at speeds
5 % apart; one matrix product compares all its stretches with all stored ones. It gives two lists, for picture and for sound
alike: the recordings with the highest mean similarity, which finds a whole copy, and those with the highest similarity of their
two best stretches, which finds a part of one that is 7.5 s long and more. `evidence.fingerprint` then compares these
exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cameo_verifier.evidence.fingerprint import MIRRORED, OVERLAP_S, RATE_HZ, resampled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.types import F32, I8, Fingerprint

    Ints = npt.NDArray[np.intp]
    Mask = npt.NDArray[np.bool_]

EACH = 16
"""Length of each of the four lists; in `tests.bench.integrity --stored` every known copy is on one."""
_ROWS = int(OVERLAP_S * RATE_HZ)
_TERMS = 8
"""Terms up to 1.6 Hz: half a step of delay or speed decorrelates faster changes."""
_STEP = 2
"""Rows from one delay to the next, so that one of them is 62 ms off at most."""
_SPEEDS = np.linspace(0.9, 1.1, 5)
"""Half a step leaves the ends of a stretch 31 ms off."""
_AT_ONCE = 4096
_STILL = 4.0
"""Norm of the terms, in steps of the fingerprint, below which a stretch is at rest and resembles everything."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """The stretches of one recording: motion (A, 6 * 8) and sound (B, 10 * 8) float32, of unit length and less."""

    motion: F32
    sound: F32


def sketch(kept: Fingerprint) -> Sketch:
    """Return the sketch of a stored fingerprint."""
    return Sketch(*(_condensed(half, _starts(len(half))) for half in (kept.motion, kept.sound)))


def shortlist(own: Fingerprint, earlier: Sequence[Sketch]) -> list[int]:
    """Return the indices of the earlier recordings that may be duplicates: at most four times `EACH`, or all of few."""
    if len(earlier) <= 4 * EACH:
        return list(range(len(earlier)))
    chosen: set[int] = set()
    turned = np.repeat(MIRRORED < 0, _TERMS)
    halves = (
        (own.motion, [each.motion for each in earlier], turned),
        (own.sound, [each.sound for each in earlier], np.zeros(own.sound.shape[1] * _TERMS, bool)),
    )
    for values, theirs, mirrored in halves:
        mine = _at_every_delay(values)
        counts = np.array([len(each) for each in theirs])
        if len(mine) and counts.any():
            likeness = _likeness(mine, np.concatenate(theirs), mirrored)
            for score in _scores(likeness, counts):
                chosen.update(np.argsort(-score)[:EACH].tolist())
    return sorted(chosen)


def _scores(likeness: F32, counts: Ints) -> tuple[F32, F32]:
    """Return (N,) of N recordings, with so many stretches each, the mean similarity and that of the two best; -1 without any."""
    owner = np.repeat(np.arange(len(counts)), counts)
    falling = likeness[np.lexsort((-likeness, owner))]
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    some = counts > 0
    mean, two = np.full((2, len(counts)), -1.0, np.float32)
    mean[some] = np.bincount(owner, likeness, len(counts))[some] / counts[some]
    two[some] = (falling[first[some]] + falling[first[some] + (counts[some] > 1)]) / 2
    return mean, two


def _likeness(mine: F32, theirs: F32, mirrored: Mask) -> F32:
    """Return (N,) the best correlation of each of their stretches (N, D) with any of mine (M, D), as it is or mirrored."""
    best = np.empty(len(theirs), np.float32)
    plain, turned = mine[:, ~mirrored].T, mine[:, mirrored].T
    for start in range(0, len(theirs), _AT_ONCE):
        block = theirs[start : start + _AT_ONCE]
        product = block[:, ~mirrored] @ plain
        if mirrored.any():
            product += np.abs(block[:, mirrored] @ turned)
        best[start : start + _AT_ONCE] = product.max(axis=1)
    return best


def _at_every_delay(values: I8) -> F32:
    """Return (M, D) stretches of a recording at every speed and delay."""
    tracks = [resampled(values, speed) for speed in _SPEEDS] if len(values) >= _ROWS else []
    stretches = [_condensed(track, np.arange(0, len(track) - _ROWS + 1, _STEP)) for track in tracks]
    return np.concatenate(stretches) if stretches else np.zeros((0, values.shape[1] * _TERMS), np.float32)


def _starts(rows: int) -> Ints:
    """Return the starts of contiguous stretches; the last one ends with the recording."""
    if rows < _ROWS:
        return np.zeros(0, np.intp)
    return np.unique(np.append(np.arange(0, rows - _ROWS + 1, _ROWS), rows - _ROWS))


def _condensed(values: I8 | F32, starts: Ints) -> F32:
    """Return (N, C * 8) of values (T, C): the slow DCT terms of the stretches that start there."""
    columns = values.shape[1]
    if not len(starts) or len(values) < _ROWS:
        return np.zeros((0, columns * _TERMS), np.float32)
    stretches = np.lib.stride_tricks.sliding_window_view(values.astype(np.float32), _ROWS, axis=0)[starts]
    terms = (stretches @ _cosines()).reshape(len(starts), columns * _TERMS)
    return np.asarray(terms / np.maximum(np.linalg.norm(terms, axis=1, keepdims=True), _STILL), np.float32)


@cache
def _cosines() -> F32:
    """Return (rows of a stretch, terms): the lowest basis vectors of the discrete cosine transform, without the mean."""
    at = (np.arange(_ROWS) + 0.5)[:, None] * np.arange(1, _TERMS + 1)
    return np.asarray(np.sqrt(2 / _ROWS) * np.cos(np.pi * at / _ROWS), np.float32)
