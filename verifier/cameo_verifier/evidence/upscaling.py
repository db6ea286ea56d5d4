"""Upscaling detection: measures whether the video was upscaled before it was encoded.

A camera's picture loses detail steadily towards the finest frequencies. One upscaled from half or two thirds of its size has all
of its detail below a quarter or a third of a cycle a pixel and next to nothing above, so its spectrum falls steeply there and is
flat beyond, at what the encoder left. A dark room and a very low bitrate have nearly the same effect, and a camera's own zoom has
the same: the result is advice for analysts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import U8

_SIDE_PX = 64
_SQUARES = 48
_RINGS = (0.16, 0.28, 0.36, 0.48)
"""Cycles a pixel: the fall from the first to the second is compared with that from the third to the fourth."""
_WIDTH = 0.02
_CYCLES = np.hypot(np.fft.fftfreq(_SIDE_PX)[:, None], np.fft.rfftfreq(_SIDE_PX)[None])
_ON_RING = tuple(np.abs(_CYCLES - at) <= _WIDTH for at in _RINGS)
_WINDOW = np.outer(np.hanning(_SIDE_PX + 2)[1:-1], np.hanning(_SIDE_PX + 2)[1:-1]).astype(np.float32)
_LEAST = 1e-9
"""Floor that keeps the logarithm finite where an encoder left nothing."""


class Spectrum:
    """An accumulator of the power spectrum of a recording's pictures."""

    def __init__(self) -> None:
        """Create an empty sum."""
        self._power = np.zeros(_CYCLES.shape)

    def add(self, rgb: U8) -> None:
        """Add the spectrum of a picture (H, W, 3), at its recorded size; one too small for a square adds nothing."""
        height, width = rgb.shape[:2]
        if min(height, width) < _SIDE_PX:
            return
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        columns = min(_SQUARES, max(1, round(np.sqrt(_SQUARES * width / height))))
        rows = _SQUARES // columns
        corners = [
            (round(y), round(x))
            for y in np.linspace(0, height - _SIDE_PX, rows)
            for x in np.linspace(0, width - _SIDE_PX, columns)
        ]
        squares = np.stack([grey[y : y + _SIDE_PX, x : x + _SIDE_PX] for y, x in corners]).astype(np.float32)
        squares -= squares.mean(axis=(1, 2), keepdims=True)
        self._power += np.square(np.abs(np.fft.rfft2(squares * _WINDOW))).mean(axis=0)

    def bend_db(self) -> float:
        """Return by how many dB more the spectrum falls from 0.16 to 0.28 cycles a pixel than from 0.36 to 0.48.

        NaN without a picture; -2 to 6 as cameras make it, 7 and more upscaled from two thirds or half.
        """
        if not self._power.any():
            return float("nan")
        low, less, more, high = (10 * np.log10(self._power[ring].mean() + _LEAST) for ring in _ON_RING)
        return float((low - less) - (more - high))
