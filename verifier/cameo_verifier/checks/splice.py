"""Video splice detection: checks that the recording is one take without cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.continuity import longest_gap_s, sharpest_jump, usual_step_s
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "splice"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the longest time without a picture, then the sharpest cut and jump.

    Where pictures are farther apart than a movement lasts, an apparent cut may be a head that turned quickly: it is retried at a
    higher frame rate.
    """
    if isinstance(case.evidence.picture, Missing):
        return CheckResult.unable(NAME, case.evidence.picture.reason)
    gap_s = longest_gap_s(case.evidence.picture)
    result = profile["picture_gap_max"].judge(NAME, gap_s, Reason.SPLICED, f"{gap_s:.2f} s without a picture")
    if result.reason:
        return result
    trace = case.evidence.picture
    result = profile["cut_max"].judge(
        NAME, trace.cut, _reason(trace.cut_step_s, profile), f"the whole picture changes at {trace.cut_s:.2f} s"
    )
    if result.reason:
        return result
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    jump, at_s = sharpest_jump(case.evidence.face, case.evidence.picture)
    return profile["jump_max"].judge(
        NAME, jump, _reason(usual_step_s(case.evidence.face), profile), f"sharpest jump at {at_s:.2f} s"
    )


def _reason(step_s: float, profile: Profile) -> Reason:
    return Reason.SPLICED if profile["cut_step_max"].holds(step_s) else Reason.FRAME_RATE_TOO_LOW


QUESTION = Question(
    NAME,
    "One take",
    "The pictures are one take, without a cut.",
    check,
    thresholds=("picture_gap_max", "cut_max", "jump_max", "cut_step_max"),
)
