"""Apparent age by dlib: estimates how old a face looks, as a second estimator beside the kit's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from cameo_verifier.models.onnx_session import OnnxModel

if TYPE_CHECKING:
    from cameo_verifier.types import F32, F64, U8

_SIDE_PX = 64
_PADDING = 0.2  # dlib's default around its mean face, which the network was trained with
_MARGIN_PX = 4  # of the halved picture: how far its kernel and the sampling reach beyond the chip
_COLOUR_MEANS = np.array([122.782, 117.001, 104.298], np.float32)
_COLOUR_SCALE = 256.0
_YEARS = np.array([0.25, *range(1, 81)])
"""Age in years of each of the network's bins; the first is the year before the first birthday."""

# Outer and inner corner of the eye on the right of the picture, the same of that on the left, and the base of the nose: points of
# the 478-point mesh, and where dlib's mean face has them on the unit square (`get_face_chip_details` for five points in
# dlib/image_transforms/interpolation.h).
_POINTS = (263, 362, 33, 133, 2)
_MEAN_FACE = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
)
_IN_CHIP = (_MEAN_FACE + _PADDING) / (1 + 2 * _PADDING) * (_SIDE_PX - 1)
"""px of the chip; dlib places the first and the last pixel on the edges of the padded square."""


class DlibAgeEstimator(OnnxModel):
    """An estimator of apparent age from a chip of the face aligned to dlib's mean face.

    Raises:
        ModelKitError: the file is missing or no model.
    """

    def estimate(self, rgb: U8, landmarks: F32) -> float:
        """Return the expected age in years of the face with these 478 `landmarks` in px of `rgb` (H, W, 3).

        Raises:
            ValueError: the corners of the eyes and the base of the nose coincide, or are NaN.
        """
        image = (face_chip(rgb, landmarks).astype(np.float32) - _COLOUR_MEANS) / _COLOUR_SCALE
        return expected_age(self._session.run(None, {self._input: image.transpose(2, 0, 1)[None]})[0][0])


def expected_age(probabilities: F32) -> float:
    """Return the mean in years over the (81,) `probabilities` of the network's ages."""
    weights = probabilities.astype(np.float64)
    return float(weights @ _YEARS / weights.sum())


def face_chip(rgb: U8, landmarks: F32) -> U8:
    """Return the (64, 64, 3) picture of a face aligned to dlib's mean face by eyes and nose; black outside `rgb`.

    It is sampled along the least-squares similarity transform of the five points. As in dlib, the picture is halved before, for
    as long as it is more than twice as large as the chip, since sampling it at once would alias; OpenCV's halving has dlib's
    kernel.

    Raises:
        ValueError: the five points coincide, or are NaN.
    """
    turn, shift = _similarity(_IN_CHIP, landmarks[list(_POINTS), :2].astype(np.float64))
    halvings = int(np.log2(max(abs(turn), 1.0)))
    part, corner = _around(rgb, turn, shift, margin=_MARGIN_PX << halvings)
    if part.size == 0:
        return np.zeros((_SIDE_PX, _SIDE_PX, 3), np.uint8)
    for _ in range(halvings):
        part = np.asarray(cv2.pyrDown(part), np.uint8)
    # The warp counts pixels by their centres, landmarks by their edges. A halved pixel has the centre of every other one.
    turn, shift = turn / (1 << halvings), (shift - corner - (0.5 + 0.5j)) / (1 << halvings)
    into = np.array([(turn.real, -turn.imag, shift.real), (turn.imag, turn.real, shift.imag)])
    return np.asarray(cv2.warpAffine(part, into, (_SIDE_PX, _SIDE_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP), np.uint8)


def _similarity(start: F64, end: F64) -> tuple[complex, complex]:
    """Return rotation and translation of the least-squares similarity `turn * z + shift` of (N, 2) points, in the complex plane.

    Raises:
        ValueError: all points of `end` coincide, or are NaN.
    """
    if not np.isfinite(end).all() or not np.ptp(end, axis=0).any():
        raise ValueError("a face whose eyes and nose are one point, or not numbers, cannot be aligned")
    z, w = (points @ (1, 1j) for points in (start, end))
    centred = z - z.mean()
    turn = complex(np.vdot(centred, w - w.mean()) / np.vdot(centred, centred))
    return turn, complex(w.mean() - turn * z.mean())


def _around(rgb: U8, turn: complex, shift: complex, *, margin: int) -> tuple[U8, complex]:
    """Return the part of the picture under the chip, with `margin` px around where there are any, and its top left corner."""
    corners = np.array([turn * (x + 1j * y) + shift for x in (0, _SIDE_PX) for y in (0, _SIDE_PX)])
    x0, y0 = max(0, int(corners.real.min()) - margin), max(0, int(corners.imag.min()) - margin)
    x1, y1 = max(0, int(corners.real.max()) + margin), max(0, int(corners.imag.max()) + margin)
    return rgb[y0:y1, x0:x1], complex(x0, y0)
