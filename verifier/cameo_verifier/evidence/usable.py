"""Frame usability: explains why few pictures of a recording show a near-frontal face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.evidence.picture import LIVE_DEG
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from cameo_verifier.types import FaceTrack

_ENOUGH = 0.5
"""Share of usable pictures above which a recording is merely short."""


def face_is_gone(face: FaceTrack) -> bool:
    """Whether most pictures show no face."""
    return bool(np.mean(face.faces > 0) < _ENOUGH)


def why_few(face: FaceTrack) -> Reason:
    """Return why pictures cannot be scored: no face in most of them, a face turned away, or the recording's length."""
    seen = face.faces > 0
    with np.errstate(invalid="ignore"):
        frontal = seen & (np.abs(face.pose_deg[:, :2]).max(axis=1) <= LIVE_DEG)
    if np.mean(frontal) >= _ENOUGH:
        return Reason.RECORDING_TOO_SHORT
    return Reason.FACE_LEFT_FRAME if np.sum(~seen) >= np.sum(seen & ~frontal) else Reason.FACE_TURNED_AWAY
