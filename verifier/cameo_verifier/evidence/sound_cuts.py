"""Sound cuts: detects endings of sound that are faster than a room's reverberation.

Reverberation decays: even a padded booth takes a tenth of a second for 60 dB, so within 10 ms a sound falls by a few dB. Speech
that was cut out of one recording and pasted into silence ends at once. Noise mixed into the pieces masks that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import F32, F64

_RATE_HZ = 16_000
_BLOCK = 80
"""5 ms: with a block between, levels are compared over 10 ms."""
_FALL_DB = 30.0
_FLOOR = 1e-10
"""Power floor, -100 dBFS: a codec's silence is no deeper."""
_AUDIBLE_DB = 50.0
"""Range below the loudest block that counts as audible. Sound of 8 bits falls to nothing from its last step there, 40 to 55 dB
down, again and again; so do noise gates."""
_EDGE_S = 0.1
"""Margin at both ends of a recording, where codecs and recorders fade, pad and click."""


def stops(sound: F32) -> F64:
    """Return the times, in seconds, at which audible sound falls by 30 dB and more within 10 ms.

    Args:
        sound: (N,) float32 mono at 16 kHz.
    """
    blocks = sound[: len(sound) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    level_db = 10.0 * np.log10(np.mean(blocks.astype(np.float64) ** 2, axis=1) + _FLOOR)
    level_db = np.maximum(level_db, level_db.max(initial=-np.inf) - _AUDIBLE_DB)
    falls = level_db[:-2] - level_db[2:] >= _FALL_DB
    edge = round(_EDGE_S * _RATE_HZ / _BLOCK)
    falls[:edge] = falls[len(falls) - edge :] = False
    first = np.flatnonzero(falls & ~np.concatenate([[False], falls[:-1]]))
    return np.asarray((first + 1) * _BLOCK / _RATE_HZ, np.float64)
