"""Elapsed time: checks that the recording is no longer than the time since its challenge.

The recording of a live session runs before its first prompt is drawn, by the server's own clock: that time is added.

An answer that lasts longer than the time between challenge and upload was recorded before the challenge was issued. An attacker
who waits before they send such a recording is not detected here: only the unpredictability of the challenge protects against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "elapsed"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the time between issue and upload less the recording's length, both by the clock that issued the challenge."""
    received_at = case.circumstances.received_at
    if received_at is None or case.challenge.issued_at is None:
        return CheckResult.unable(NAME, Reason.CHALLENGE_UNKNOWN, "not known when it was asked or answered")
    elapsed_s = (received_at - case.challenge.issued_at).total_seconds()
    live = case.circumstances.live
    if live is not None and live.prompts:
        elapsed_s += live.prompts[0].sent_s
    detail = f"{case.evidence.media.duration_s:.1f} s recorded, {elapsed_s:.1f} s since the challenge"
    spare_s = elapsed_s - case.evidence.media.duration_s
    return profile["elapsed_spare_min"].judge(NAME, spare_s, Reason.SPOKE_TOO_EARLY, detail)


QUESTION = Question(
    NAME,
    "Time since the challenge",
    "There was time to record it after the challenge was issued.",
    check,
    thresholds=("elapsed_spare_min",),
    known=lambda circumstances: circumstances.received_at is not None,
    needs="the times of challenge and upload, which a server knows",
)
