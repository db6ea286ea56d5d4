"""Face gallery: finds the nearest faces by an index in memory over the stored ones. No IO here.

Two steps. A sketch of each face, the signs of its transformed coordinates, is compared with the probe's by Hamming distance
(FAISS): for a random rotation that number estimates the angle (Charikar, Similarity estimation techniques from rounding
algorithms, STOC 2002). The best `SHORTLIST` are then compared by their codes, whose cosine is exact to 0.002.

Every face is scanned, so there is nothing to build, a removed face is gone, and recall depends on the sketch alone. A graph index
(HNSW) answers sooner, but misses more of the faces near the threshold, takes minutes to build and keeps removed faces. `python -m
tests.bench.gallery` prints recall, time and memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss
import numpy as np
import numpy.typing as npt

from cameo_verifier.screening.transform import CODE_SCALE, DIMENSIONS
from cameo_verifier.types import Match

if TYPE_CHECKING:
    from collections.abc import Collection

    from cameo_verifier.types import F32, I8, U8

I64 = npt.NDArray[np.int64]

SHORTLIST = 2048
"""Faces compared exactly; the benchmark prints the recall."""
_GROWTH = 1.5


class Gallery:
    """Faces of one key and one model, by number. Not thread-safe."""

    def __init__(self) -> None:
        self._size = 0
        self._numbers: I64 = np.zeros(0, np.int64)
        self._codes: I8 = np.zeros((0, DIMENSIONS), np.int8)
        self._sketches: U8 = np.zeros((0, DIMENSIONS // 8), np.uint8)

    def __len__(self) -> int:
        """Return how many faces there are."""
        return self._size

    @property
    def numbers(self) -> I64:
        """The numbers of the faces, unordered."""
        return self._numbers[: self._size].copy()

    @property
    def last(self) -> int:
        """The highest number, 0 without any."""
        return int(self._numbers[: self._size].max(initial=0))

    @property
    def nbytes(self) -> int:
        """Its memory in bytes."""
        return self._numbers.nbytes + self._codes.nbytes + self._sketches.nbytes

    def add(self, numbers: I64, codes: I8) -> None:
        """Add new faces: their numbers (N,) and codes (N, 512)."""
        start, stop = self._size, self._size + len(numbers)
        self._reserve(stop)
        self._numbers[start:stop] = numbers
        self._codes[start:stop] = codes
        self._sketches[start:stop] = _sketch(codes)
        self._size = stop

    def keep(self, numbers: Collection[int]) -> int:
        """Remove, and zero, every face but these; return the number removed."""
        wanted = np.isin(self._numbers[: self._size], np.fromiter(numbers, np.int64, len(numbers)))
        gone = np.flatnonzero(~wanted)
        if not gone.size:
            return 0
        left = self._size - gone.size
        holes = gone[gone < left]
        fill = np.flatnonzero(wanted[left:]) + left
        for values in (self._numbers, self._codes, self._sketches):
            values[holes] = values[fill]
            values[left : self._size] = 0
        self._size = left
        return int(gone.size)

    def nearest(self, turned: F32, *, floor: float, least: int = 8) -> list[Match]:
        """Return the nearest faces, best first: all with a cosine from `floor` up, and the best `least` in any case.

        Args:
            turned: (512,) of unit length, transformed as the stored ones.
            floor: a cosine.
            least: the least number of results, if there are so many faces.
        """
        if not self._size:
            return []
        rows = np.sort(self._shortlist(turned))
        # Not a BLAS product, which would start threads for it.
        cosines = np.einsum("ij,j->i", self._codes[rows].astype(np.float32), turned) / CODE_SCALE
        order = np.argsort(-cosines, kind="stable")
        count = max(least, int((cosines >= floor).sum()))
        return [Match(int(self._numbers[rows[place]]), float(cosines[place])) for place in order[:count]]

    def _shortlist(self, turned: F32) -> I64:
        """Return the rows with the least Hamming distance of sketches."""
        # In this thread only. A thread team for one query waits for its slowest: 20 times as long where cores are busy.
        faiss.omp_set_num_threads(1)
        asked = np.packbits(turned > 0)[None]
        _, rows = faiss.knn_hamming(asked, self._sketches[: self._size], min(SHORTLIST, self._size))
        return np.asarray(rows[0], np.int64)

    def _reserve(self, size: int) -> None:
        if size <= len(self._numbers):
            return
        room = max(size, int(len(self._numbers) * _GROWTH), 1024)
        self._numbers, self._codes, self._sketches = (
            np.concatenate([values[: self._size], np.zeros((room - self._size, *values.shape[1:]), values.dtype)])
            for values in (self._numbers, self._codes, self._sketches)
        )


def _sketch(codes: I8) -> U8:
    return np.packbits(codes > 0, axis=1)
