"""Audio watermark: detects Perth's mark, which some voice generators embed in all their output.

The mark identifies a voice as the output of such a generator. Its absence proves nothing: most generators embed none, and whoever
runs one can leave it out. Network and checkpoint: Resemble AI, Perth (MIT), PyPI resemble-perth; see
`cameo_verifier.models.mark_network`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.models.onnx_session import OnnxModel

if TYPE_CHECKING:
    from cameo_verifier.types import F32

RATE_HZ = 16_000
WINDOW_S = 6.0
"""Length of the analysed sound, from the start: an answer's speech is seldom longer, and the cost grows with it."""
LEAST_S = 0.5


class AudioMarkDetector(OnnxModel):
    """A `sound` -> `mark` model on ONNX Runtime.

    Raises:
        ModelKitError: the file is missing or cannot be loaded.
    """

    def score(self, speech: F32) -> float:
        """Return the probability that `speech` is marked, 0..1; NaN for less than half a second.

        Args:
            speech: (n,) float32, mono, 16 kHz, in [-1, 1], without silences; the first 6 s are analysed.
        """
        if speech.size < LEAST_S * RATE_HZ:
            return float("nan")
        window = np.ascontiguousarray(speech[: round(WINDOW_S * RATE_HZ)], np.float32)
        [mark] = self._session.run(["mark"], {"sound": window[None]})
        return float(mark[0])
