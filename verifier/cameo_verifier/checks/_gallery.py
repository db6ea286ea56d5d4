"""Gallery comparison: judges the nearest face, for both checks of the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Outcome

if TYPE_CHECKING:
    from cameo_verifier.profile import Threshold
    from cameo_verifier.types import GalleryAnswer, Match


def judge_nearest(
    answer: GalleryAnswer | None, nearest: Match | None, threshold: Threshold, name: str, reason: Reason
) -> CheckResult:
    """Judge the cosine of the nearest face; unable where the gallery was searched only above a higher cosine."""
    if answer is None:
        detail = "the gallery was not asked then: the attempt was not going to be accepted"
        return CheckResult.unable(name, Reason.NOT_CONFIRMED, detail)
    if nearest is not None:
        return threshold.judge(name, nearest.cosine, reason, f"most like face {nearest.number}")
    if threshold.value < answer.floor:
        detail = f"the gallery was asked for faces from a cosine of {answer.floor:.3g} up only"
        return CheckResult.unable(name, Reason.NOT_CONFIRMED, detail)
    return CheckResult(name, Outcome.PASS, detail="no face to compare with")
