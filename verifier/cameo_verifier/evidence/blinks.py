"""Blink detection: counts blinks in the blendshape track."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import F32

_BLINK_LEFT, _BLINK_RIGHT = 9, 10
"""Indices of eyeBlinkLeft and eyeBlinkRight in MediaPipe's 52 blendshapes."""


def blinks(blendshapes: F32, *, closed: float) -> int:
    """Count how often both eyes close and open again.

    Args:
        blendshapes: (N, 52) in 0..1, NaN rows where no face was found.
        closed: both lids at or above this count as closed; half of it or less as open.
    """
    both = np.minimum(blendshapes[:, _BLINK_LEFT], blendshapes[:, _BLINK_RIGHT])
    count, shut, opened = 0, False, False
    for value in both[np.isfinite(both)]:
        if value >= closed and opened:
            shut = True
        elif value <= closed / 2:
            count += shut
            shut, opened = False, True
    return count
