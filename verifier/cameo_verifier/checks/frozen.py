"""Freeze and loop detection: checks that the picture never freezes, repeats or runs backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.continuity import STRETCH_S, longest_still_s
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import FaceTrack

NAME = "frozen"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the longest time without change, the least distance of two stretches, and that of one from a reversed one.

    Unable without a face, and stretches without one do not count as still: a covered lens and an empty room do not move. Single
    duplicate pictures are a camera's: those of variable rate repeat them in low light. A head that turns and returns along the
    same path is no reversal of the picture.
    """
    if isinstance(case.evidence.picture, Missing):
        return CheckResult.unable(NAME, case.evidence.picture.reason)
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    trace = case.evidence.picture
    still_s = longest_still_s(trace, still=profile["still_change_max"].value, face=case.evidence.face)
    result = profile["still_time_max"].judge(NAME, still_s, Reason.FROZEN_OR_LOOPED, f"still for {still_s:.2f} s")
    again = (("repeat_min", trace.repeat, trace.repeat_s), ("reversal_min", trace.reversal, trace.reversal_s))
    for name, distance, (one_s, other_s) in again:
        if result.reason or not np.isfinite(distance):
            continue
        if name == "reversal_min" and _turned_deg(case.evidence.face, one_s, other_s) > profile["reversal_turn_max"].value:
            continue
        detail = f"nearest {name.removesuffix('_min')}: {one_s:.1f} s and {other_s:.1f} s; still for {still_s:.2f} s"
        result = profile[name].judge(NAME, distance, Reason.FROZEN_OR_LOOPED, detail)
    return result


def _turned_deg(face: FaceTrack, one_s: float, other_s: float) -> float:
    """Return by how much yaw or pitch changes from one moment to another and back, in degrees; 0 where no face was tracked."""
    between = (face.t_s >= min(one_s, other_s)) & (face.t_s <= max(one_s, other_s) + STRETCH_S)
    pose = face.pose_deg[between, :2]
    pose = pose[np.isfinite(pose).all(axis=1)]
    return float(np.ptp(pose, axis=0).max()) if len(pose) else 0.0


QUESTION = Question(
    NAME,
    "Living picture",
    "The picture never freezes, repeats or runs backwards.",
    check,
    thresholds=("still_change_max", "still_time_max", "repeat_min", "reversal_min", "reversal_turn_max"),
)
