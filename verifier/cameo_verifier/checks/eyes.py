"""Eye occlusion: checks that nothing covers the eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.covered import eyes_seen
from cameo_verifier.evidence.light import light
from cameo_verifier.evidence.usable import why_few
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "eyes"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the eyes' contrast, their light and their tint relative to skin, in near-frontal frames.

    Unable in the dark, where the reason asks for light.
    """
    face = case.evidence.face
    if isinstance(face, Missing):
        return CheckResult.unable(NAME, face.reason)
    if not profile["covered_frames_min"].holds(len(face.eyes)):
        return CheckResult.unable(NAME, why_few(face), f"{len(face.eyes)} frames")
    if not profile["light_min"].holds(light(face)):
        return CheckResult.unable(NAME, Reason.TOO_DARK)
    seen = eyes_seen(face)
    if np.isnan(seen.contrast):
        return CheckResult.unable(NAME, Reason.EYES_NOT_VISIBLE, "outside the picture")
    contrast = profile["eye_contrast_min"].judge(NAME, seen.contrast, Reason.EYES_NOT_VISIBLE, "contrast")
    lit = profile["eye_light_min"].judge(NAME, seen.light, Reason.EYES_NOT_VISIBLE, "light")
    tint = profile["eye_tint_max"].judge(NAME, seen.tint, Reason.EYES_NOT_VISIBLE, "tint")
    return next((each for each in (contrast, lit, tint) if each.reason), contrast)


QUESTION = Question(
    NAME,
    "Eyes in view",
    "Nothing covers the eyes.",
    check,
    thresholds=("covered_frames_min", "light_min", "eye_contrast_min", "eye_light_min", "eye_tint_max"),
)
