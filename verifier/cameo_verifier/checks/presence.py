"""Face presence: checks that a face is in the picture throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.reasons import Reason
from cameo_verifier.types import F64, CheckResult, Missing, Outcome

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "presence"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the longest time without a face; none at all is `NO_FACE`."""
    if isinstance(case.evidence.face, Missing):
        if case.evidence.face.reason is Reason.NO_FACE:
            return CheckResult(NAME, Outcome.FAIL, reason=Reason.NO_FACE)
        return CheckResult.unable(NAME, case.evidence.face.reason)
    face = case.evidence.face
    return profile["face_gap_max"].judge(NAME, _longest_gap_s(face.t_s, face.faces > 0), Reason.FACE_LEFT_FRAME)


def _longest_gap_s(t_s: F64, present: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    """Return the longest time between frames with a face, the recording's ends included, less one frame's length."""
    frame_s = float(np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0
    edges = np.concatenate([[t_s[0] - frame_s], t_s[present], [t_s[-1] + frame_s]])
    return max(0.0, float(np.diff(edges).max()) - frame_s)


QUESTION = Question(
    NAME,
    "Presence",
    "A face is in the picture from start to end.",
    check,
    thresholds=("face_gap_max",),
)
