"""Passive presentation-attack detection: scores single pictures, in the manner of minivision's Silent-Face-Anti-Spoofing.

The network is sensitive to colour cast: a display with warmer colours, as by a night light, rises from 0.06 to 0.83 in its wide
crop, and a person in bluish light falls. So each crop is scored twice, as it is and white-balanced so that the face has the
colour `SKIN`, which removes what a display, a lamp or a camera's white balance adds; the score is the geometric mean of both.
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
"""The inner part of the face, whose mean colour gives the cast."""
_LIVE = 0


class PresentationAttackScorer(OnnxModel):
    """A scorer of how much a face and its surroundings look like a live person rather than a print or a screen.

    One picture proves little: frames of a replay reach 0.99, and a person looking far up falls to 0.01. Judge a low percentile
    over a dozen or more near-frontal frames.

    Raises:
        ModelKitError: the file is missing or no model.
    """

    def score(self, rgb: U8, landmarks: F32) -> float:
        """Return the probability 0..1 that the face with these 478 `landmarks` in `rgb` (H, W, 3) is live."""
        box = face_box(landmarks)
        return self._live(crop_scaled(rgb, box, scale=WIDE, side_px=_SIDE_PX), _gains(rgb, box))

    def score_close(self, rgb: U8, landmarks: F32) -> tuple[float, float]:
        """Return the probability for the head with less around it, as it is and mirrored.

        This crop shows skin and grain, where `score` sees edges too. A person is as live mirrored; a lamp's reflection in a
        display, which the network misses on one side, it detects on the other.
        """
        box = face_box(landmarks)
        crop, gains = crop_scaled(rgb, box, scale=CLOSE, side_px=_SIDE_PX), _gains(rgb, box)
        return self._live(crop, gains), self._live(crop[:, ::-1], gains)

    def _live(self, crop: U8, gains: F64) -> float:
        """Return the geometric mean of the probabilities of a crop as it is and white-balanced."""
        turned = np.clip(crop * gains, 0.0, 255.0).astype(np.uint8)
        return float(np.sqrt(self._probability(crop) * self._probability(turned)))

    def _probability(self, crop: U8) -> float:
        image = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)[None], np.float32)
        logits = self._session.run(None, {self._input: image})[0][0].astype(np.float64)
        odds = np.exp(logits - logits.max())
        return float(odds[_LIVE] / odds.sum())


def _gains(rgb: U8, box: Box) -> F64:
    """Return the channel gains (3,) that map the mean colour of a face to `SKIN` and keep its brightness."""
    colour = crop_scaled(rgb, box, scale=_SKIN_SCALE, side_px=_SKIN_PX).reshape(-1, 3).mean(axis=0)
    return np.asarray(np.array(SKIN) * colour.mean() / np.maximum(colour, 1.0))
