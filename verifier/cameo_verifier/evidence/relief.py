"""Depth from motion: measures the relief of a face from the parallax of a turning head.

A head that rotates by a small angle moves each point of its picture by a linear map of the point's position, and by its depth
times the sine of the angle. A plane moves by a homography, a bent print by nearly a polynomial of second degree. So skin texture
is tracked from one frame to another, the part that a polynomial of second degree explains is subtracted, which leaves mostly the
nose before the cheeks, and the residual is compared with the depth a face at that angle must show. The score is therefore a share
of a head's depth: 1 for a head of which everything is visible, 0 for anything flat or evenly bent, at any angle. Of real heads
about half is found, since where the nose passes over the cheek, its far side is occluded and its near side uncovered, and the
flow smooths over both.

Landmarks alone cannot tell: the landmark model is trained on heads, and fits a head turned by 10 degrees, nose and all, to a flat
photograph that is held askew by 45. It does give the position of the texture in the first frame and the depth of a head there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cameo_verifier.types import F32, F64, I32, FaceTrack

SKIN = (
    3, 4, 5, 6, 8, 9, 31, 34, 35, 36, 45, 47, 50, 51, 60, 79, 100, 101, 102, 108, 111, 114, 115, 116, 117, 118, 119, 120, 121,
    122, 123, 126, 134, 137, 139, 141, 142, 143, 147, 151, 168, 174, 188, 193, 195, 196, 197, 198, 205, 209, 213, 217, 220,
    226, 227, 228, 229, 230, 231, 232, 233, 235, 236, 238, 244, 248, 261, 264, 265, 266, 275, 277, 280, 281, 309, 329, 330,
    331, 337, 340, 343, 344, 345, 346, 347, 348, 349, 350, 351, 352, 355, 357, 360, 363, 366, 368, 370, 371, 372, 376, 399,
    412, 417, 419, 420, 425, 433, 437, 440, 446, 447, 448, 449, 450, 451, 452, 455, 456, 458, 464,
)  # fmt: skip
"""Landmarks on skin that moves with the skull: 50 on the nose, 70 on cheeks, temples and forehead. None on lips, chin, brows or
lids, which move by themselves, nor on the outline, which slides over the skin."""
_FOLLOWED_MIN = 40
"""Least number of tracked points in a pair of frames: six times the seven parameters that are fitted per axis."""
_SHARE = 100.0 / 3
"""Percentile of the pairs that is reported: a print on which eyes or lips move, or that is folded for a moment, has depth in
some of its pairs, a head in nearly all. Lower percentiles separate no better: the flow in the dark loses some of a head's."""
_ROUNDS = 5
_OUTLIER = 1.5
"""Residuals beyond so many robust standard deviations are downweighted (Huber); speech and blinks move some of the skin."""


@dataclass(frozen=True, slots=True)
class Relief:
    """The measured depth, as a share of the depth the face should have, and the number of pairs of frames it was found in.

    clarity: the signal-to-noise ratio: how far a head's depth would move the skin over the residual of the fit, the median of the
    pairs: below 1 the flow cannot tell a head from a plane.
    """

    depth: float
    pairs: int
    clarity: float = float("nan")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Q pairs of frames with the head at different angles.

    before, after (Q,): their rows. due (Q, 2): expected displacement, to the right and down, per px of a head's depth, see
    `lean`; shown (Q, 2): the measured one. clear (Q,): see `Relief.clarity`, over the length of `due`.
    """

    before: I32
    after: I32
    due: F64
    shown: F64
    clear: F64

    @property
    def depth(self) -> F64:
        """Depth of each, (Q,), as a share of a head's: the projection of the measured displacement on the expected one."""
        return np.asarray((self.shown * self.due).sum(axis=1) / (self.due * self.due).sum(axis=1), np.float64)


def lean(before_deg: F32 | F64, after_deg: F32 | F64) -> F64:
    """Return the rotation out of the picture plane, as the displacement to the right and down per px of depth.

    Args:
        before_deg: (..., 3) yaw, pitch, roll as in `FaceTrack.pose_deg`.
        after_deg: the same, later.

    Returns:
        (..., 2): third column of the rotation between the two; its length is the sine of the angle out of the plane.
    """
    between = _rotation(np.asarray(after_deg, np.float64)) @ np.swapaxes(_rotation(np.asarray(before_deg, np.float64)), -1, -2)
    return np.asarray(between[..., :2, 2], np.float64)


def relief(track: FaceTrack) -> Relief:
    """Return the depth that two of three pairs of frames of a recording reach, NaN without any pair.

    Every pair gives a displacement per px of depth, in both axes. Its depth is the projection on a head's displacement, relative
    to it; two thirds of the pairs have at least the depth returned.
    """
    found = pairs(track)
    if not len(found.before):
        return Relief(float("nan"), 0)
    clarity = float(np.median(found.clear * np.linalg.norm(found.due, axis=1)))
    return Relief(float(np.percentile(found.depth, _SHARE)), len(found.before), clarity)


def pairs(track: FaceTrack) -> Pairs:
    """Return the pairs of frames between which enough of the skin could be tracked."""
    followed = np.isfinite(track.turn_points[..., 0]) if len(track.turn_rows) else np.zeros((0, 0), np.bool_)
    enough = followed.sum(axis=1) >= _FOLLOWED_MIN
    if not enough.any():
        none = np.zeros(0, np.int32)
        return Pairs(none, none, np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0))
    before, after = track.turn_rows[enough].T
    face = track.landmarks[before][:, list(SKIN)].astype(np.float64)
    due = lean(track.pose_deg[before], track.pose_deg[after])
    shown, clear = _per_depth(face, track.turn_points[enough].astype(np.float64), followed[enough])
    return Pairs(before, after, due, shown, clear)


def _per_depth(face: F64, moved: F64, followed: npt.NDArray[np.bool_]) -> tuple[F64, F64]:
    """Return (Q, 2) px of displacement per px of depth in Q pairs, less what a second-degree polynomial of position explains.

    All pairs are fitted at once, each by a QR decomposition of its own. Returns also (Q,): the depth of the face, RMS of its
    residual to such a polynomial, over the median residual of the points in the fit.

    Args:
        face: (Q, P, 3) px, z away from the camera.
        moved: (Q, P, 2) px, positions of the same texture later.
        followed: (Q, P) whether that is known.
    """
    held = followed[..., None]
    count = followed.sum(axis=1)
    moved = np.where(held, moved, 0.0)
    centred = _centred(face, held, count)
    spread = _spread(centred, count)[:, None, None]
    x, y, z = np.moveaxis(centred / spread, -1, 0)
    target = moved / spread
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y, z], axis=-1) * held
    weight = followed.astype(np.float64)
    for _ in range(_ROUNDS):
        root = np.sqrt(weight)[..., None]
        basis, triangle = np.linalg.qr(terms * root)
        solution = np.linalg.pinv(triangle) @ (np.swapaxes(basis, -1, -2) @ (target * root))
        error = np.linalg.norm(target - terms @ solution, axis=-1)
        usual = np.nanmedian(np.where(followed, error, np.nan), axis=1)
        scale = np.maximum(1.4826 * usual, 1e-4)[:, None]
        weight = followed / np.maximum(1.0, error / (_OUTLIER * scale))
    grown = _spread(_centred(moved, held, count), count) / spread[:, 0, 0]
    smooth, depth = np.linalg.qr(terms[..., :-1])[0], terms[..., -1:]
    bulge = depth - smooth @ (np.swapaxes(smooth, -1, -2) @ depth)
    clear = np.sqrt((bulge[..., 0] ** 2).sum(axis=1) / count) / np.maximum(usual, 1e-6)
    return np.asarray(solution[:, -1] / grown[:, None], np.float64), np.asarray(clear, np.float64)


def _centred(points: F64, held: npt.NDArray[np.bool_], count: npt.NDArray[np.intp]) -> F64:
    """Return points relative to their mean, 0 for those that do not count."""
    mean = points.sum(axis=1, where=held) / count[:, None]
    return np.asarray((points - mean[:, None]) * held, np.float64)


def _spread(centred: F64, count: npt.NDArray[np.intp]) -> F64:
    """Return the RMS distance in the plane of the picture."""
    return np.asarray(np.sqrt((centred[..., :2] ** 2).sum(axis=(1, 2)) / count), np.float64)


def _rotation(pose_deg: F64) -> F64:
    """Return (..., 3, 3) rotations in axes of the picture: x right, y down, z away."""
    yaw, pitch, roll = np.moveaxis(np.radians(pose_deg), -1, 0)
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)
    sine, cosine = np.sin, np.cos

    def matrix(*entries: F64) -> F64:
        return np.asarray(np.stack(entries, axis=-1).reshape(*yaw.shape, 3, 3), np.float64)

    about_y = matrix(cosine(yaw), zero, -sine(yaw), zero, one, zero, sine(yaw), zero, cosine(yaw))
    about_x = matrix(one, zero, zero, zero, cosine(pitch), sine(pitch), zero, -sine(pitch), cosine(pitch))
    about_z = matrix(cosine(roll), -sine(roll), zero, sine(roll), cosine(roll), zero, zero, zero, one)
    return about_y @ about_x @ about_z
