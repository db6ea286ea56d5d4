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
    """Judge what all of the frames looked at show together, which is what the last of them says."""
    if isinstance(evidence.face, Missing):
        return CheckResult.unable(NAME, evidence.face.reason)
    grid = evidence.face.grid[np.isfinite(evidence.face.grid)]
    frames = profile["grid_frames_min"]
    if not frames.holds(len(grid)):
        return CheckResult.unable(NAME, Reason.FACE_TOO_SMALL, f"{len(grid)} frames with squares enough")
    return profile["grid_max"].judge(NAME, float(grid[-1]), Reason.DISPLAY_VISIBLE, f"{len(grid)} frames")
