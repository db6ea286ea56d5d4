"""Moire detection: finds the beat of a display's grid with the sensor's.

A display is a grid of luminous points, filming it samples that grid again, and unless the lens blurs it away the two beat:
stripes of one spacing cover everything in the picture, the face as well as its surroundings. Nothing live has that. Skin is not
periodic; cloth, blinds and tiles are, but not the face before them; a codec's blocks and a camera's sharpening leave no spectral
peak (measured, see docs/calibration.md).

The score is the prominence of a spatial frequency over all others, in deviations:

1. Local detail is normalised by its local RMS, so that a grid shows in a cheek no less than beside an eyelash. The mean log
   spectrum of the squares of the face and that of its surroundings are whitened by the spectrum around each frequency: noise,
   edges and texture differ from square to square. Around the face the squares are larger, which resolves frequencies better; a
   face has no room for them.
2. The whitened spectra are averaged over the analysed frames: chance peaks differ from frame to frame, a display's grid stays.
3. The prominence of the mirrored frequency is subtracted. The lattices of a codec's blocks, of a sensor and of upscaling are
   axis-aligned and symmetric under mirroring; a display is held by hand, and a degree askew rotates its beat by some ten.
4. The result is divided by the spread of all frequencies, which is wide where a face is small or frames are few.
5. A peak counts if it is in the face and, at the same frequency within a step, around it; the score is the largest of the lesser
   of both. Coarse frequencies, at which hair, teeth and wrinkles come near, need some deviations more.

Not detected: a grid that the display's maker or the distance keeps too fine for the sensor, one that a codec removed, and a
display that is as axis-aligned as the codec.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from cameo_verifier.types import F32, I32, U8

_DETAIL_PX, _DETAIL_TAPS, _AROUND_PX = 2.5, 15, 15
"""Detail is the residual of a blur of this deviation, truncated at nearly three; its local strength is the RMS over a square
of this side."""
_BLUR = cv2.getGaussianKernel(_DETAIL_TAPS, _DETAIL_PX, cv2.CV_32F)
_DETAIL_LEVELS = 0.7
"""Detail below this, in levels, is rounding: it is not amplified to the strength of the rest."""
_INSIDE, _OUTSIDE = 0.8, 1.2
"""A square belongs to the face if its middle lies in the oval at this scale, to the surroundings if beyond it at that."""
_OVAL: tuple[int, ...] = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

_LOWEST, _HIGHEST = 0.085, 0.45
"""Cycles a pixel. Below lie the features of a face, above the artefacts of colour filter arrays."""
_COARSE, _COARSE_SHARE = 0.12, 0.8
"""Below so many cycles a pixel deviations are weighted by this: people reach 6.7 there, and 5.8 above."""
_LEVEL = 10 / 64
"""Brows, eyes, mouth, collars and shoulders are horizontal stripes: vertical frequencies below this many cycles a pixel do not
count. A display has two directions, so that one is left."""
_SIDEWAYS = 1.5 / 64
_FLOOR = 1e-6
"""Keeps a spectrum that a codec emptied finite."""
_NORMAL = 1.4826
"""Ratio of the standard deviation to the median absolute deviation of a normal distribution."""


@dataclass(frozen=True, slots=True)
class _Squares:
    """Squares of one size and the geometry of their spectra.

    side: px; step: stride; most: limit in one frame; fewest: fewer are not evaluated; half: half the neighbourhood of a frequency
    in the spectrum, whose middle three by three are the frequency itself.
    """

    side: int
    step: int
    most: int
    fewest: int
    half: int

    def window(self) -> F32:
        """Return the window function (side, side) of a square."""
        line = np.hanning(self.side + 2)[1:-1]
        return np.outer(line, line).astype(np.float32)

    def around(self) -> F32:
        """Return the kernel that averages the neighbourhood of a frequency."""
        kernel = np.ones((2 * self.half + 1, 2 * self.half + 1), np.float32)
        kernel[self.half - 1 : self.half + 2, self.half - 1 : self.half + 2] = 0
        return np.asarray(kernel / kernel.sum(), np.float32)

    def frequencies(self) -> F32:
        """Return cycles a pixel (side, side / 2 + 1), in the order of a band."""
        across = np.arange(self.side // 2 + 1)[None, :] / self.side
        upright = (np.arange(self.side) - self.side // 2)[:, None] / self.side
        return np.hypot(across, upright).astype(np.float32)

    def band(self) -> npt.NDArray[np.bool_]:
        """Return which frequencies (side, side / 2 + 1) count, vertical ones rising from -side / 2."""
        across = np.arange(self.side // 2 + 1)[None, :] / self.side
        upright = np.abs(np.arange(self.side) - self.side // 2)[:, None] / self.side
        counts = (self.frequencies() >= _LOWEST) & (np.maximum(across, upright) <= _HIGHEST)
        return np.asarray(counts & ((across > _SIDEWAYS) | (upright >= _LEVEL)), bool)


_FACE = _Squares(side=64, step=24, most=32, fewest=3, half=4)
_OTHER = _Squares(side=128, step=48, most=16, fewest=3, half=6)
_WINDOWS, _AROUND, _BANDS = (
    {each: make(each) for each in (_FACE, _OTHER)} for make in (_Squares.window, _Squares.around, _Squares.band)
)
_COUNTS = np.where(_FACE.frequencies() < _COARSE, np.float32(_COARSE_SHARE), np.float32(1))[_BANDS[_FACE]]
"""The weight of a deviation at each frequency that counts."""


class _Sum:
    """An accumulator, frame by frame, of the whitened log spectrum, in nats, over squares of one size.

    It reuses its arrays: allocating ones of this size costs more than the work done in them.
    """

    def __init__(self, squares: _Squares) -> None:
        side, half = squares.side, squares.side // 2 + 1
        self.squares = squares
        self.nats: F32 = np.zeros((side, half), np.float32)
        """(side, side / 2 + 1), vertical frequencies rising from -side / 2, horizontal ones from 0."""
        self._cuts: F32 = np.empty((squares.most, side, side), np.float32)
        self._spectra: F32 = np.empty((squares.most, side, side, 2), np.float32)
        self._power: F32 = np.empty((squares.most, side, half), np.float32)

    def add(self, detail: F32, corners: I32) -> None:
        """Add a frame: the mean over its squares, whose top left corners (n, 2) are given."""
        side, half = self.squares.side, self.squares.side // 2 + 1
        cuts, spectra, power = (buffer[: len(corners)] for buffer in (self._cuts, self._spectra, self._power))
        np.stack([detail[y : y + side, x : x + side] for y, x in corners], out=cuts)
        cuts -= cuts.mean(axis=(1, 2), keepdims=True)
        cuts *= _WINDOWS[self.squares]
        for cut, spectrum in zip(cuts, spectra, strict=True):
            cv2.dft(cut, dst=spectrum, flags=cv2.DFT_COMPLEX_OUTPUT)
        parts = spectra[:, :, :half]
        np.square(parts, out=parts)
        np.add(parts[..., 0], parts[..., 1], out=power)
        power += np.float32(_FLOOR)
        rows = power.reshape(-1, half)
        cv2.log(rows, dst=rows)
        self.nats += _whitened(power.mean(axis=0), self.squares)

    def deviations(self) -> F32:
        """Return the sums, less those at the mirrored frequency, over the spread of all frequencies that count."""
        askew = self.nats - np.maximum(np.roll(self.nats[::-1], 1, axis=0), 0)
        band = _BANDS[self.squares]
        middle = np.median(askew[band])
        spread = _NORMAL * np.median(np.abs(askew[band] - middle))
        return np.where(band, (askew - middle) / max(float(spread), _FLOOR), -np.inf).astype(np.float32)


class GridSearch:
    """An accumulator of the evidence for a display's grid over the frames of one recording."""

    def __init__(self) -> None:
        """Create an empty accumulator."""
        self._detail: F32 = np.zeros((0, 0), np.float32)
        self._usual: F32 = self._detail
        self._on_face, self._around = _Sum(_FACE), _Sum(_OTHER)
        self.spectrum: F32 = np.zeros((0, 0), np.float32)
        """(64, 33), the prominence in deviations of each frequency in face and surroundings of all frames so far, NaN where it
        does not count; (0, 0) before any. Rows are vertical cycles in 64 px from -32, columns horizontal ones from 0."""

    def add(self, rgb: U8, landmarks: F32) -> float:
        """Add a frame and return the prominence of a grid in face and surroundings of all frames so far, in deviations.

        Args:
            rgb: (H, W, 3), the picture, at its recorded size or near to it.
            landmarks: (478, 3) px of its face.

        Returns:
            2 to 5 over 48 frames where nothing is periodic, 7 and more for a grid; NaN where this frame's face or surroundings
                are too small, which then does not count.
        """
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        face, other = _corners(grey.shape[0], grey.shape[1], landmarks)
        if len(face) < _FACE.fewest or len(other) < _OTHER.fewest:
            return float("nan")
        self._take_detail(grey)
        self._on_face.add(self._detail, face)
        self._around.add(self._detail, other)
        around = cv2.dilate(self._around.deviations(), np.ones((3, 3), np.uint8))[::2, ::2]
        both = np.minimum(self._on_face.deviations(), around)[_BANDS[_FACE]]
        counted = both * _COUNTS
        self.spectrum = np.full((_FACE.side, _FACE.side // 2 + 1), np.nan, np.float32)
        self.spectrum[_BANDS[_FACE]] = counted
        return float(counted.max())

    def _take_detail(self, grey: U8) -> None:
        """Set `_detail` to the detail (H, W) of a picture over its local RMS, in the same two arrays each time, as in `_Sum`."""
        if self._detail.shape != grey.shape:
            self._detail, self._usual = (np.empty(grey.shape, np.float32) for _ in range(2))
        detail, usual = self._detail, self._usual
        cv2.sepFilter2D(grey, cv2.CV_32F, _BLUR, _BLUR, dst=usual)
        cv2.subtract(grey, usual, dst=detail, dtype=cv2.CV_32F)
        cv2.multiply(detail, detail, dst=usual)
        cv2.blur(usual, (_AROUND_PX, _AROUND_PX), dst=usual)
        # A running sum may round to below zero where the picture is even.
        cv2.max(usual, 0.0, dst=usual)
        cv2.sqrt(usual, dst=usual)
        cv2.add(usual, _DETAIL_LEVELS, dst=usual)
        cv2.divide(detail, usual, dst=detail)


def _corners(height: int, width: int, landmarks: F32) -> tuple[I32, I32]:
    """Return the top left corners (n, 2), row and column, of the squares in the face and of those around it."""
    oval = landmarks[list(_OVAL), :2]
    middle = oval.mean(axis=0)
    found = []
    for squares, size in ((_FACE, _INSIDE), (_OTHER, _OUTSIDE)):
        corners = _all_corners(height, width, squares)
        inside = _inside(corners + squares.side // 2, np.round((oval - middle) * size + middle).astype(np.int32))
        there = corners[inside == (squares is _FACE)]
        found.append(there[np.linspace(0, len(there) - 1, min(squares.most, len(there))).astype(int)])
    return found[0], found[1]


@lru_cache(maxsize=8)
def _all_corners(height: int, width: int, squares: _Squares) -> I32:
    rows = np.arange(0, height - squares.side + 1, squares.step, dtype=np.int32)
    columns = np.arange(0, width - squares.side + 1, squares.step, dtype=np.int32)
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)


def _inside(points: I32, polygon: I32) -> npt.NDArray[np.bool_]:
    """Return which of (n, 2) points, row and column, lie in a polygon of (k, 2) corners, x and y, or on its edge."""
    low = polygon.min(axis=0)
    mask = np.zeros((polygon.max(axis=0) - low + 1)[::-1], np.uint8)
    cv2.fillPoly(mask, [polygon - low], (1,))
    at = points - low[::-1]
    inside = np.asarray(np.all((at >= 0) & (at < mask.shape), axis=1), bool)
    inside[inside] = mask[tuple(at[inside].T)] > 0
    return inside


def _whitened(spectrum: F32, squares: _Squares) -> F32:
    """Return a log spectrum (side, side / 2 + 1) less the mean of each frequency's neighbourhood, rows in rising order."""
    half = squares.half
    shifted = np.fft.fftshift(spectrum, axes=0)
    # A spectrum is periodic: rows wrap around, columns mirror with the rows reversed.
    wrapped = np.pad(shifted, ((half, half), (0, 0)), mode="wrap")
    mirrored = np.roll(wrapped[::-1], 1, axis=0)
    full = np.concatenate([mirrored[:, half:0:-1], wrapped, mirrored[:, -2 : -half - 2 : -1]], axis=1)
    return np.asarray(shifted - cv2.filter2D(full, -1, _AROUND[squares])[half:-half, half:-half], np.float32)
