"""Synthetic-voice detection: scores speech with a site's own ONNX graph. The kit has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.onnx_session import OnnxModel

if TYPE_CHECKING:
    from cameo_verifier.settings import SyntheticVoiceDetector
    from cameo_verifier.types import F32

RATE_HZ = 16_000


class SyntheticVoiceScorer(OnnxModel):
    """A scorer of speech by the graph that `detector` describes; see there for its inputs and outputs.

    Raises:
        ModelKitError: the file is missing or no model this runtime can load.
    """

    def __init__(self, detector: SyntheticVoiceDetector, *, threads: int) -> None:
        if detector.file is None:
            raise RuntimeError("no detector is named")
        self._detector = detector
        super().__init__(detector.file, threads=threads)

    def scores(self, speech: F32) -> F32:
        """Return (V,) probabilities of a synthetic voice, over contiguous windows of `speech` (N,), mono at 16 kHz.

        The last window ends with the speech; speech that is shorter than a window is repeated until it fills one.

        Raises:
            ModelKitError: the graph does not take such a window, or does not give such a score.
        """
        size = round(self._detector.window_s * RATE_HZ)
        if len(speech) < size:
            speech = np.resize(speech, size)
        starts = [*range(0, len(speech) - size, size), len(speech) - size]
        return np.array([self._score(speech[start : start + size]) for start in starts], np.float32)

    def _score(self, window: F32) -> float:
        try:
            values = np.asarray(self._session.run(None, {self._input: window[None]})[0], np.float64).reshape(-1)
            if self._detector.logits:
                values = np.exp(values - values.max()) / np.exp(values - values.max()).sum()
            score = float(values[self._detector.index])
        except Exception as error:  # the runtime's exceptions have no common base below this
            raise ModelKitError(f"the synthetic-voice detector {self._detector.file} does not fit its description") from error
        if not 0.0 <= score <= 1.0:
            raise ModelKitError(f"the synthetic-voice detector {self._detector.file} gives no probability")
        return score
