"""Does the grid of a display lie over face and surroundings?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "moire"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the median over the frames looked at, so that a frame or two of chance do not count."""
    if isinstance(evidence.face, Missing):
        return CheckResult.unable(NAME, evidence.face.reason)
    grid = evidence.face.grid[np.isfinite(evidence.face.grid)]
    frames = profile["grid_frames_min"]
    if not frames.holds(len(grid)):
        return CheckResult.unable(NAME, Reason.FACE_TOO_SMALL, f"{len(grid)} frames with squares enough")
    return profile["grid_max"].judge(NAME, float(np.median(grid)), Reason.SCREEN_OR_PRINT, f"{len(grid)} frames")
