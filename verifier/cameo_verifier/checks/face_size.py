"""Face size: checks that the face is large enough to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.usable import face_is_gone
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "face_size"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the median width of the face from cheek to cheek, as a share of the picture, then in pixels.

    Where most pictures show no face until their crops are searched, the faces found there are judged.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    face = case.evidence.face
    shares = face.small_share if len(face.small_share) and face_is_gone(face) else face.face_share
    if np.isfinite(shares).any():
        result = profile["face_share_min"].judge(NAME, float(np.nanmedian(shares)), Reason.FACE_TOO_SMALL)
        if result.reason:
            return result
    return profile["face_width_min"].judge(NAME, float(np.nanmedian(face.face_px)), Reason.FACE_TOO_SMALL)


QUESTION = Question(
    NAME,
    "Size of the face",
    "The face is near enough to the camera.",
    check,
    thresholds=("face_share_min", "face_width_min"),
)
