"""Identity vectors: average the face and the voice of a recording, for conditioning and for comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import F32, FaceTrack


def face_embedding(track: FaceTrack) -> F32 | None:
    """Return the mean of the near-frontal embeddings, (512,) float32 of unit length; `None` without any."""
    if len(track.embeddings) == 0:
        return None
    mean = track.embeddings.mean(axis=0)
    unit: F32 = (mean / np.linalg.norm(mean)).astype(np.float32)
    return unit
