"""A landmark track made by hand: a calm face that makes gestures and turns when it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.model import Gesture, Turn
from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    from cameo_verifier.types import F64

FPS = 15.0
_MOUTH_CORNERS = (61, 291)
_LIDS = ((159, 145), (386, 374))
_EYE_CORNERS = {33: 0.0, 133: 35.0, 362: 65.0, 263: 100.0}
_LIPS = ((13, 14), (82, 87), (312, 317))
_TURNED = {Turn.LEFT: (0, 1), Turn.RIGHT: (0, -1), Turn.UP: (1, 1), Turn.DOWN: (1, -1)}


def doing(*steps: tuple[float, Turn | Gesture | None], seconds: float, size: float = 1.0) -> FaceTrack:
    """Return a face track at 15 frames a second, with landmarks and poses alone.

    Args:
        steps: what is done, and the second at which it begins; each takes a second at most, blinks 0.2 s and 0.3 s between them.
            None is a blink that nobody asked for.
        seconds: length of the track.
        size: of the face, 1 for eyes of 100 px.
    """
    t_s = np.arange(round(seconds * FPS)) / FPS
    opened, widened, shut = np.zeros_like(t_s), np.zeros_like(t_s), np.zeros_like(t_s)
    pose = np.zeros((len(t_s), 3), np.float32)
    for start_s, step in steps:
        if isinstance(step, Turn):
            axis, sign = _TURNED[step]
            pose[:, axis] += sign * 25 * _bump(t_s, start_s, 1.0)
        elif step is Gesture.OPEN_MOUTH:
            opened += _bump(t_s, start_s, 0.8)
        elif step is Gesture.SMILE:
            widened += _bump(t_s, start_s, 1.0)
        elif step is Gesture.CLOSE_EYES:
            shut += (t_s >= start_s) & (t_s < start_s + 1.0)
        else:
            for index in range(step.blinks if step else 1):
                at = start_s + 0.5 * index
                shut += (t_s >= at - 1e-6) & (t_s < at + 0.2 - 1e-6)
    landmarks = np.zeros((len(t_s), 478, 3), np.float32)
    for point, x in _EYE_CORNERS.items():
        landmarks[:, point, 0] = x
    for _, lower in _LIDS:
        landmarks[:, lower, 1] = 11 * (1 - 0.8 * shut)
    right, left = _MOUTH_CORNERS
    landmarks[:, right, 0], landmarks[:, left, 0] = 20 - 6 * widened, 80 + 6 * widened
    for upper, lower in _LIPS:
        landmarks[:, upper, 0] = landmarks[:, lower, 0] = 50
        landmarks[:, lower, 1] = 1 + 30 * opened
    nothing = np.zeros(0, np.float32)
    return FaceTrack(
        t_s=t_s,
        faces=np.ones(len(t_s), np.int32),
        landmarks=landmarks * np.float32(size),
        pose_deg=pose,
        blendshapes=np.zeros((len(t_s), 52), np.float32),
        face_px=np.full(len(t_s), 150, np.float32),
        luma=np.full(len(t_s), 120, np.float32),
        sharpness=np.full(len(t_s), 0.1, np.float32),
        eye_white=np.full(len(t_s), 140, np.float32),
        identity_t_s=np.zeros(0),
        identity_yaw_deg=nothing,
        embeddings=np.zeros((0, 512), np.float32),
        live_t_s=np.zeros(0),
        live=nothing,
        ages=np.zeros((0, 2), np.float32),
    )


def _bump(t_s: F64, start_s: float, length_s: float) -> F64:
    """Return a raised cosine from 0 to 1 and back."""
    share = np.clip((t_s - start_s) / length_s, 0, 1)
    return np.asarray(0.5 * (1 - np.cos(2 * np.pi * share)), np.float64)
