"""Time to record between challenge and upload."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_challenges.model import Challenge, Say
from cameo_verifier.checks.elapsed import check
from cameo_verifier.checks.question import Case
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Circumstances, Outcome

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from tests.unit.checks.conftest import MakeEvidence

ASKED = datetime(2026, 1, 1, tzinfo=UTC)
CHALLENGE = Challenge((Say("five"),), "id", ASKED, ASKED + timedelta(minutes=3))


@pytest.mark.parametrize(
    ("elapsed_s", "outcome"), [(3.0, Outcome.FAIL), (5.4, Outcome.FAIL), (5.6, Outcome.PASS), (60, Outcome.PASS)]
)
def test_nobody_records_six_seconds_in_less(
    make_evidence: MakeEvidence, profile: Profile, elapsed_s: float, outcome: Outcome
) -> None:
    """A recording of 6 s fails when less time went by since its challenge, but for half a second."""
    result = check(Case(make_evidence(), CHALLENGE, Circumstances(received_at=ASKED + timedelta(seconds=elapsed_s))), profile)
    assert result.outcome is outcome
    assert result.score == pytest.approx(elapsed_s - 6.0)
    assert result.reason is (Reason.SPOKE_TOO_EARLY if outcome is Outcome.FAIL else None)


def test_without_times_nobody_can_tell(make_evidence: MakeEvidence, profile: Profile) -> None:
    """A challenge that was never issued, or an unknown arrival, leaves the question open."""
    unissued = replace(CHALLENGE, issued_at=None)
    assert check(Case(make_evidence(), unissued, Circumstances(received_at=ASKED)), profile).outcome is Outcome.UNABLE
    assert check(Case(make_evidence(), CHALLENGE, Circumstances(received_at=None)), profile).outcome is Outcome.UNABLE
