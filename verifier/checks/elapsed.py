"""Was there time to record this after it was asked for?

An answer that lasts longer than the time between challenge and upload was recorded before the challenge was issued. Whoever waits
before they send such a recording is not seen here: against them stands only how hard a challenge is to foresee.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence

if TYPE_CHECKING:
    from datetime import datetime

    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "elapsed"


def check(evidence: Evidence, challenge: Challenge, profile: Profile, *, received_at: datetime | None) -> CheckResult:
    """Judge the seconds between issue and upload that the recording leaves over.

    Args:
        evidence: of the recording.
        challenge: what was asked, and when.
        profile: thresholds.
        received_at: when the whole recording was there, by the clock that the challenge was issued by.
    """
    if received_at is None or challenge.issued_at is None:
        return CheckResult.unable(NAME, Reason.CHALLENGE_UNKNOWN, "not known when it was asked or answered")
    elapsed_s = (received_at - challenge.issued_at).total_seconds()
    detail = f"{evidence.media.duration_s:.1f} s recorded, {elapsed_s:.1f} s since the challenge"
    spare_s = elapsed_s - evidence.media.duration_s
    return profile["elapsed_spare_min"].judge(NAME, spare_s, Reason.SPOKE_TOO_EARLY, detail)
