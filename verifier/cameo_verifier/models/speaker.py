"""Whose voice it is: an embedding of unit length whose cosine says how alike two voices are.

Voice here is consistency evidence and conditioning, never a gate on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.models.onnx_session import OnnxModel

if TYPE_CHECKING:
    from cameo_verifier.types import F32

_FEWEST_SAMPLES = 400


class SpeakerEmbedder(OnnxModel):
    """A `sound` -> `embedding` model on ONNX Runtime: the kit's own, or one written by `cameo models export-ecapa`.

    Raises:
        ModelKitError: the file is missing or cannot be loaded.
    """

    def embed(self, sound: F32) -> F32:
        """Return the voice embedding, (512,) float32 of unit length.

        Args:
            sound: (n,) float32, mono, 16 kHz, in [-1, 1]; best speech only, at least 1.5 s of it.

        Raises:
            RuntimeError: less than one analysis window (25 ms) of sound.
        """
        if sound.size < _FEWEST_SAMPLES:
            raise RuntimeError(f"a voice embedding needs at least {_FEWEST_SAMPLES} samples of sound")
        [embedding] = self._session.run(["embedding"], {"sound": np.ascontiguousarray(sound, np.float32)[None]})
        return np.asarray(embedding[0], np.float32)
