"""Gaze stabilisation: measures how the eyes counter-rotate in the head while the head turns.

Eyes that fixate the camera roll back against a turning head (the vestibulo-ocular reflex), by up to a degree for each degree. The
eyes of a photograph, of a mask or of an animated portrait are fixed in it: seen from aside, their irises even shift a little with
the turn.

The iris position is measured along the line between the corners of its eye, in widths of the eye, so that neither the size of the
face nor its tilt matters. An eyeball has a radius of 12 mm (Bekerman et al., 2014) and its lids open over some 30 mm, so an eye
that fixates the camera moves its iris by about 0.7 % of that width for each degree, less what a fixed one shifts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import F32, F64, FaceTrack

YAW_DEG, PITCH_DEG = 30.0, 20.0
"""Beyond these the far corner of an eye, or the iris under its lid, is extrapolated by the model."""
LID = 0.4
"""A blendshape of eyelid closure above this hides the iris (MediaPipe's blendshapes)."""
STEP_DEG = 6.0
"""Two pictures are compared if the yaw differs by this: four times the pose noise of a resting head."""

_BLINKS = (9, 10)
_EYES = ((468, 33, 133), (473, 362, 263))
"""Iris centre and both corners of each eye, from the picture's left to its right."""


@dataclass(frozen=True, slots=True)
class EyeTurn:
    """The counter-rotation of the eyes: iris shift per degree of yaw, in percent of an eye's width; negative is against the head.

    percent_per_deg: median over the pairs of pictures; NaN without any. span_deg: yaw between the 3rd and 97th percentile.
    frames: how many show the eyes well enough.
    """

    percent_per_deg: float
    span_deg: float
    frames: int


def eye_turn(face: FaceTrack) -> EyeTurn:
    """Measure the iris shift per degree of head yaw."""
    _, yaw, iris = irises(face)
    if len(yaw) < 2:
        return EyeTurn(float("nan"), 0.0, len(yaw))
    first, second = np.triu_indices(len(yaw), 1)
    turned = yaw[second] - yaw[first]
    apart = np.abs(turned) >= STEP_DEG
    slopes = (iris[second] - iris[first])[apart] / turned[apart]
    low, high = np.quantile(yaw, (0.03, 0.97))
    return EyeTurn(float(np.median(slopes)) if len(slopes) else float("nan"), float(high - low), len(yaw))


def irises(face: FaceTrack) -> tuple[F64, F64, F32]:
    """Return times (N,) in seconds of the frames that count, their yaw in degrees, and iris positions in % of the eye."""
    yaw, pitch = face.pose_deg[:, 0], face.pose_deg[:, 1]
    lids = face.blendshapes[:, _BLINKS].max(axis=1)
    seen = (np.abs(yaw) <= YAW_DEG) & (np.abs(pitch) <= PITCH_DEG) & (lids < LID)
    return face.t_s[seen], yaw[seen].astype(np.float64), 100.0 * _iris(face.landmarks[seen, :, :2])


def _iris(points: F32) -> F32:
    """Return the iris positions, (N,) in widths of the eye towards the picture's right, mean of both eyes."""
    places = []
    for iris, left, right in _EYES:
        along = points[:, right] - points[:, left]
        places.append(((points[:, iris] - points[:, left]) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-9))
    mean: F32 = np.mean(places, axis=0)
    return mean
