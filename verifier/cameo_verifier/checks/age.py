"""Apparent age: checks that the person looks old enough to be judged as an adult."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "age"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the median over the near-frontal frames of the expected age, which is the mean of both networks'.

    Unable with too few frames, or if their interquartile range is too wide. The caller treats anything but a pass as a possible
    minor.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    ages = case.evidence.face.ages
    frames, spread = profile["age_frames_min"], profile["age_spread_max"]
    if not frames.holds(len(ages)):
        return CheckResult.unable(NAME, Reason.POSSIBLE_MINOR, f"{len(ages)} near-frontal frames, {frames.value:.0f} are needed")
    low, middle, high = np.quantile(np.mean(ages, axis=1), (0.25, 0.5, 0.75))
    detail = f"{len(ages)} frames, the middle half {high - low:.1f} {spread.unit} wide"
    if not spread.holds(float(high - low)):
        return CheckResult.unable(NAME, Reason.POSSIBLE_MINOR, detail)
    return profile["adult_age_min"].judge(NAME, float(middle), Reason.POSSIBLE_MINOR, detail)


QUESTION = Question(
    NAME,
    "Apparent age",
    "The person clearly looks adult; if not, the stricter profile judges.",
    check,
    thresholds=("adult_age_min", "age_frames_min", "age_spread_max"),
)
