"""Duration: checks that the recording is neither too short nor too long."""

from __future__ import annotations

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.profile import Profile, Threshold
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Direction

NAME = "length"


def check(case: Case, _profile: Profile) -> CheckResult:
    """Judge the recording's length, to a tenth of a second, by the site's limits: a codec pads its last block."""
    length_s = round(case.evidence.media.duration_s, 1)
    shortest = Threshold("min_s", case.limits.min_s, "s", Direction.AT_LEAST, "settings")
    longest = Threshold("max_s", case.limits.max_s, "s", Direction.AT_MOST, "settings")
    result = shortest.judge(NAME, length_s, Reason.RECORDING_TOO_SHORT)
    return result if result.reason else longest.judge(NAME, length_s, Reason.RECORDING_TOO_LONG)


QUESTION = Question(
    NAME,
    "Length",
    "The recording is no longer and no shorter than the site allows.",
    check,
)
