"""Phoneme recognition: gives the probability of each phoneme over time, in any language, by a small conformer with a CTC head.

CTC emits each phoneme in one or two rows at about the time it is spoken, and the blank (`BLANK`) between them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.onnx_session import OnnxModel

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import F32

RATE_HZ = 50.0
"""Rows a second; row k is about second k / 50."""
BLANK = "<blank>"

_SAMPLES_HZ = 16_000
_STEP = 320
"""Samples between two rows."""
_PIECE_S = 20.0
"""Length of a chunk: attention costs the square of the length, and the network was made for 30 s at most."""
_MARGIN_S = 1.0
_FEWEST_SAMPLES = 400


class PhonemeRecogniser(OnnxModel):
    """A phoneme recogniser. Open one for each process; it keeps no state between recordings."""

    def __init__(self, path: Path, *, threads: int) -> None:
        """Open the model.

        Raises:
            ModelKitError: the file is missing or cannot be loaded.
        """
        super().__init__(path, threads=threads)
        try:
            self.tokens: tuple[str, ...] = tuple(json.loads(self._session.get_modelmeta().custom_metadata_map["tokens"]))
        except (KeyError, ValueError) as error:
            raise ModelKitError(f"model file {path} names no tokens; run: cameo models pull") from error

    def log_probs(self, sound: F32) -> F32:
        """Return (rows, tokens) float32, the natural-log probability of each of `tokens` in each 20 ms.

        Args:
            sound: (n,) float32, mono, 16 kHz, in [-1, 1]; less than 25 ms has no rows.
        """
        if sound.size < _FEWEST_SAMPLES:
            return np.zeros((0, len(self.tokens)), np.float32)
        piece, margin = round(_PIECE_S * _SAMPLES_HZ), round(_MARGIN_S * _SAMPLES_HZ)
        parts = []
        for start in range(0, sound.size, piece):
            begin, end = max(0, start - margin), min(sound.size, start + piece + margin)
            heard = np.ascontiguousarray(sound[begin:end], np.float32)
            if heard.size < _FEWEST_SAMPLES:
                continue
            [[rows]] = self._session.run(["log_probs"], {"sound": heard[None]})
            first = (start - begin) // _STEP
            parts.append(rows[first : first + piece // _STEP] if end < sound.size else rows[first:])
        return np.concatenate(parts)
