"""Mouth occlusion: checks that nothing covers the mouth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.covered import mouth_seen
from cameo_verifier.evidence.light import light
from cameo_verifier.evidence.usable import why_few
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "mouth"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the contrast of the lips and the colour of the lower face relative to the forehead's, in near-frontal frames.

    Unable in the dark, where the reason asks for light.
    """
    face = case.evidence.face
    if isinstance(face, Missing):
        return CheckResult.unable(NAME, face.reason)
    if not profile["covered_frames_min"].holds(len(face.mouth)):
        return CheckResult.unable(NAME, why_few(face), f"{len(face.mouth)} frames")
    if not profile["light_min"].holds(light(face)):
        return CheckResult.unable(NAME, Reason.TOO_DARK)
    seen = mouth_seen(face)
    if np.isnan(seen.contrast):
        return CheckResult.unable(NAME, Reason.MOUTH_NOT_VISIBLE, "outside the picture")
    contrast = profile["mouth_contrast_min"].judge(NAME, seen.contrast, Reason.MOUTH_NOT_VISIBLE, "contrast")
    tint = profile["mouth_tint_max"].judge(NAME, seen.tint, Reason.MOUTH_NOT_VISIBLE, "tint")
    return tint if tint.reason and not contrast.reason else contrast


QUESTION = Question(
    NAME,
    "Mouth in view",
    "Nothing covers the mouth.",
    check,
    thresholds=("covered_frames_min", "light_min", "mouth_contrast_min", "mouth_tint_max"),
)
