"""Moire detection: checks that no display's grid covers face and surroundings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "moire"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the prominence of a grid over all analysed frames, which is the last frame's value."""
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    grid = case.evidence.face.grid[np.isfinite(case.evidence.face.grid)]
    frames = profile["grid_frames_min"]
    if not frames.holds(len(grid)):
        return CheckResult.unable(NAME, Reason.FACE_TOO_SMALL, f"{len(grid)} frames with squares enough")
    return profile["grid_max"].judge(NAME, float(grid[-1]), Reason.DISPLAY_VISIBLE, f"{len(grid)} frames")


QUESTION = Question(
    NAME,
    "Display's grid",
    "No regular grid of a display lies over the picture.",
    check,
    thresholds=("grid_frames_min", "grid_max"),
)
