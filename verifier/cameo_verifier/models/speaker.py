"""Speaker embeddings: represent a voice by a vector of unit length; their cosine is the similarity of two voices.

Voice here is consistency evidence and conditioning, never a gate on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.onnx_session import OnnxModel

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import F32

_FEWEST_SAMPLES = 400
_PROBE_SAMPLES = 8000
_LENGTH_TOLERANCE = 1e-3
"""As the credential has it: a vector that is not of unit length could be judged by, and not be issued."""


class SpeakerEmbedder(OnnxModel):
    """A `sound` -> `embedding` model on ONNX Runtime: the kit's own, or one written by `cameo models export-ecapa`.

    Raises:
        ModelKitError: the file is missing or cannot be loaded, or its embedding of half a second of noise is no vector of
            unit length.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        super().__init__(path, threads=threads)
        noise = np.random.default_rng(0).normal(scale=0.1, size=_PROBE_SAMPLES).astype(np.float32)
        try:
            said = self.embed(noise)
        except Exception as error:  # the runtime's exceptions have no common base below this
            raise ModelKitError(f"{path} is no speaker model: it takes `sound` (1, n) and gives `embedding` (1, D)") from error
        if said.ndim != 1 or not abs(float(np.linalg.norm(said)) - 1) <= _LENGTH_TOLERANCE:
            raise ModelKitError(f"{path} gives {said.shape}, not a vector (D,) of unit length: it could not be issued")

    def embed(self, sound: F32) -> F32:
        """Return the voice embedding, (D,) float32 of unit length; D is 512 for the kit's model.

        Args:
            sound: (n,) float32, mono, 16 kHz, in [-1, 1]; best speech only, at least 1.5 s of it.

        Raises:
            RuntimeError: less than one analysis window (25 ms) of sound.
        """
        if sound.size < _FEWEST_SAMPLES:
            raise RuntimeError(f"a voice embedding needs at least {_FEWEST_SAMPLES} samples of sound")
        [embedding] = self._session.run(["embedding"], {"sound": np.ascontiguousarray(sound, np.float32)[None]})
        return np.asarray(embedding[0], np.float32)
