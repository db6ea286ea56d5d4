"""Passive presentation-attack detection on single pictures, in the manner of minivision's Silent-Face-Anti-Spoofing.

The network goes by colour cast: a display whose colours are turned warmer, as by a night light, rises from 0.06 to 0.83 in its
wide crop, and a person in bluish light falls. So each crop is scored twice, as it is and with the colours of the face turned to
`SKIN`, which takes off what a display, a lamp or a camera's white balance adds; the score is the geometric mean of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.models.crop import CLOSE, WIDE, crop_scaled, face_box
from cameo_verifier.models.onnx_session import OnnxModel

if TYPE_CHECKING:
    from cameo_verifier.models.crop import Box
    from cameo_verifier.types import F32, F64, U8

SKIN = (1.26, 0.93, 0.81)
"""Red, green and blue of a face over their mean: the medians of 77 portraits (`python -m tests.bench.casts`)."""
_SIDE_PX = 128
_SKIN_SCALE, _SKIN_PX = 0.6, 32
"""The inner part of the face, whose mean colour is its cast."""
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
        box = face_box(landmarks)
        return self._live(crop_scaled(rgb, box, scale=WIDE, side_px=_SIDE_PX), _gains(rgb, box))

    def score_close(self, rgb: U8, landmarks: F32) -> tuple[float, float]:
        """Return the same of the head with less around it, as it is and mirrored.

        What it shows is skin and grain, where `score` looks for edges too. A person is as live in a mirror; a lamp's reflection
        in a display, which the network overlooks on one side, it sees on the other.
        """
        box = face_box(landmarks)
        crop, gains = crop_scaled(rgb, box, scale=CLOSE, side_px=_SIDE_PX), _gains(rgb, box)
        return self._live(crop, gains), self._live(crop[:, ::-1], gains)

    def _live(self, crop: U8, gains: F64) -> float:
        """Return the geometric mean of what the network says of a crop as it is, and with the colours of its face turned."""
        turned = np.clip(crop * gains, 0.0, 255.0).astype(np.uint8)
        return float(np.sqrt(self._probability(crop) * self._probability(turned)))

    def _probability(self, crop: U8) -> float:
        image = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)[None], np.float32)
        logits = self._session.run(None, {self._input: image})[0][0].astype(np.float64)
        odds = np.exp(logits - logits.max())
        return float(odds[_LIVE] / odds.sum())


def _gains(rgb: U8, box: Box) -> F64:
    """Return (3,), what turns the mean colour of a face to `SKIN` and leaves its brightness."""
    colour = crop_scaled(rgb, box, scale=_SKIN_SCALE, side_px=_SKIN_PX).reshape(-1, 3).mean(axis=0)
    return np.asarray(np.array(SKIN) * colour.mean() / np.maximum(colour, 1.0))
