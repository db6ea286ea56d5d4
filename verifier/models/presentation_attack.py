"""Passive presentation-attack detection on single pictures, in the manner of minivision's Silent-Face-Anti-Spoofing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.models.crop import crop_scaled, face_box
from verifier.models.onnx_session import OnnxModel

if TYPE_CHECKING:
    from verifier.types import F32, U8

_SIDE_PX = 128
_SCALE = 2.7
_CLOSE_SCALE = 1.8
"""Head and little else. Closer still, the network no longer knows a person: below 1.4 genuine videos fall to 0.04."""
_LIVE = 0


class PresentationAttackScorer(OnnxModel):
    """Says how much a face and what surrounds it look like a person before the camera rather than a print or a screen.

    One picture proves little: frames of a replay reach 0.99, and a person looking far up falls to 0.01. Judge a low
    percentile over a dozen or more near-frontal frames.

    Raises:
        ModelKitError: the file is missing or no model.
    """

    def score(self, rgb: U8, landmarks: F32) -> float:
        """Return the probability 0..1 that the face with these 478 `landmarks` in `rgb` (H, W, 3) is live."""
        return self._live(crop_scaled(rgb, face_box(landmarks), scale=_SCALE, side_px=_SIDE_PX))

    def score_close(self, rgb: U8, landmarks: F32) -> tuple[float, float]:
        """Return the same of the head with less around it, as it is and mirrored.

        What it shows is skin and grain, where `score` looks for edges too. A person is as live in a mirror; a lamp's reflection
        in a display, which the network overlooks on one side, it sees on the other.
        """
        crop = crop_scaled(rgb, face_box(landmarks), scale=_CLOSE_SCALE, side_px=_SIDE_PX)
        return self._live(crop), self._live(crop[:, ::-1])

    def _live(self, crop: U8) -> float:
        image = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)[None], np.float32)
        logits = self._session.run(None, {self._input: image})[0][0].astype(np.float64)
        odds = np.exp(logits - logits.max())
        return float(odds[_LIVE] / odds.sum())
