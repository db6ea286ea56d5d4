"""How deep a face is, measured by what happens to the picture when the head turns.

A head that turns by a small angle moves each point of its picture by a linear map of where the point is, and by its depth times
the sine of the angle. A plane moves by a homography, a bent print by nearly a polynomial of second degree. So the content of
the picture is followed from one frame to another, all that a polynomial of second degree explains is taken away, which leaves
mostly the nose before the cheeks, and what remains is held against the depth a face of that angle must show. The measure is
therefore a size, as a share of a real head's depth: about 1 for a head, 0 for anything flat or evenly bent, at any angle.

Landmarks alone cannot tell: the landmark model has learned heads, and lays a head turned by 10 degrees, nose and all, over a flat
photograph that is held askew by 45. What it does say is where the content was in the first frame and how deep a head there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from verifier.types import F32, F64, FaceTrack

SKIN = (
    1, 3, 4, 5, 6, 8, 32, 34, 36, 45, 50, 51, 66, 68, 69, 71, 79, 100, 101, 102, 104, 105, 107, 108, 111, 114, 122, 124, 134,
    135, 137, 138, 139, 151, 168, 169, 170, 171, 174, 175, 177, 187, 188, 193, 195, 196, 197, 205, 207, 209, 210, 214, 215,
    217, 220, 221, 222, 224, 227, 228, 230, 235, 236, 238, 248, 264, 266, 275, 276, 280, 281, 296, 298, 299, 301, 309, 330,
    331, 333, 334, 336, 337, 340, 342, 343, 351, 352, 355, 360, 363, 364, 367, 368, 369, 394, 395, 399, 401, 411, 412, 417,
    419, 425, 427, 428, 430, 431, 434, 435, 437, 441, 442, 444, 447, 449, 450, 451, 455, 456, 458,
)  # fmt: skip
"""Landmarks on skin that moves with the skull: 44 on the nose, 76 around it; none on lips, eyes or the outline, which slides."""
_FOLLOWED_MIN = 40
"""Points a pair of frames needs: several times the seven numbers that are fitted per axis."""
_ROUNDS = 5
_OUTLIER = 1.5
"""Residuals beyond so many robust standard deviations lose weight (Huber); speech and blinks move some of the skin."""


@dataclass(frozen=True, slots=True)
class Relief:
    """The depth found, as a share of the depth the face should have, and the number of pairs of frames it was found in."""

    depth: float
    pairs: int


def lean(before_deg: F32 | F64, after_deg: F32 | F64) -> F64:
    """Return how far a head turned out of the picture plane, as what one px of depth moves a point to the right and down.

    Args:
        before_deg: (..., 3) yaw, pitch, roll as in `FaceTrack.pose_deg`.
        after_deg: the same, later.

    Returns:
        (..., 2): third column of the rotation between the two; its length is the sine of the angle out of the plane.
    """
    between = _rotation(np.asarray(after_deg, np.float64)) @ np.swapaxes(_rotation(np.asarray(before_deg, np.float64)), -1, -2)
    return np.asarray(between[..., :2, 2], np.float64)


def relief(track: FaceTrack) -> Relief:
    """Return the depth shown by all turns of a recording together, NaN without any.

    Every pair of frames gives a displacement per px of depth, in both axes. The depth is the slope, through zero, of these over
    those a head would show.
    """
    shown, due = [], []
    for (before, after), moved in zip(track.turn_rows, track.turn_points, strict=True):
        followed = np.isfinite(moved[:, 0])
        if followed.sum() < _FOLLOWED_MIN:
            continue
        face = track.landmarks[before][list(SKIN)].astype(np.float64)
        shown.append(_per_depth(face[followed], moved[followed].astype(np.float64)))
        due.append(lean(track.pose_deg[before], track.pose_deg[after]))
    if not shown:
        return Relief(float("nan"), 0)
    return Relief(float(np.vdot(shown, due) / np.vdot(due, due)), len(shown))


def _per_depth(face: F64, moved: F64) -> F64:
    """Return (2,) by how many px a px of depth moved, what a second-degree polynomial of the place explains left out.

    Args:
        face: (P, 3) px, z away from the camera.
        moved: (P, 2) px, where the same content is later.
    """
    centred = face - face.mean(axis=0)
    spread = np.sqrt((centred[:, :2] ** 2).sum(axis=1).mean())
    x, y, z = (centred / spread).T
    target = moved / spread
    terms = np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y, z])
    weight = np.ones(len(x))
    for _ in range(_ROUNDS):
        root = np.sqrt(weight)[:, None]
        solution, *_ = np.linalg.lstsq(terms * root, target * root, rcond=None)
        error = np.linalg.norm(target - terms @ solution, axis=1)
        scale = max(1.4826 * float(np.median(error)), 1e-4)
        weight = 1 / np.maximum(1.0, error / (_OUTLIER * scale))
    later = moved - moved.mean(axis=0)
    grown = np.sqrt((later**2).sum(axis=1).mean()) / spread
    return np.asarray(solution[-1] / grown, np.float64)


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
