"""Apparent age: estimates how old a face looks, used only to judge a possible minor more strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.models.crop import crop_scaled, face_box, squared
from cameo_verifier.models.onnx_session import OnnxModel

if TYPE_CHECKING:
    from cameo_verifier.types import F32, U8

_SIDE_PX = 224
_SCALE = 1.4  # factor by which the package enlarges the box of its own mesh before it squares it


class AgeEstimator(OnnxModel):
    """An estimator of apparent age from a face crop.

    Raises:
        ModelKitError: the file is missing or no model.
    """

    def estimate(self, rgb: U8, landmarks: F32) -> float:
        """Return the expected age in years of the face with these 478 `landmarks` in `rgb` (H, W, 3).

        It is the mean over the network's 100 bins, which is steadier than the most likely one.
        """
        crop = crop_scaled(rgb, squared(face_box(landmarks)), scale=_SCALE, side_px=_SIDE_PX)
        bins = self._session.run(None, {self._input: crop[None].astype(np.float32)})[0][0].astype(np.float64)
        return float(bins @ np.arange(len(bins)) / bins.sum())
