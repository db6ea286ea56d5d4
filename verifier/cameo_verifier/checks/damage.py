"""Data integrity: checks that picture and sound arrived as they were encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult

NAME = "damage"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge decoding failures, then the longest time without picture and sound at once, then broken blocks.

    Some codecs decode damaged data into other blocks without an error; steep block edges reveal them.
    """
    media = case.evidence.media
    times = ", ".join(f"{at_s:.2f}" for at_s in media.damaged_s[:5])
    detail = f"at {times} s" if times else ""
    result = profile["damaged_max"].judge(NAME, float(len(media.damaged_s)), Reason.CORRUPT_MEDIA, detail)
    if not result.reason:
        result = profile["lost_max"].judge(NAME, media.lost_s, Reason.CORRUPT_MEDIA, f"{media.lost_s:.2f} s missing")
    if not result.reason:
        at = f"most of them at {media.broken_s:.2f} s" if media.broken else ""
        result = profile["broken_blocks_max"].judge(NAME, float(media.broken), Reason.CORRUPT_MEDIA, at)
    return result


QUESTION = Question(
    NAME,
    "Whole",
    "The recording arrived as it was encoded.",
    check,
    thresholds=("damaged_max", "lost_max", "broken_blocks_max"),
)
