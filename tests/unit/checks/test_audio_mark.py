"""The question after a generator's mark in the voice, on evidence made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cameo_challenges.model import Challenge, Say
from cameo_verifier.checks import audio_mark
from cameo_verifier.checks.question import Case
from cameo_verifier.decision import decide
from cameo_verifier.profile import CheckRole
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing, Outcome, Verdict

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from tests.unit.checks.conftest import MakeEvidence

SAY = Challenge((Say("one"),))


@pytest.mark.parametrize(
    ("sound", "outcome", "reason"),
    [
        ({"mark": 0.2}, Outcome.PASS, None),
        ({"mark": 0.95}, Outcome.FAIL, Reason.SYNTHETIC_VOICE),
        ({"mark": float("nan")}, Outcome.UNABLE, Reason.NO_SPEECH),
        (Missing(Reason.NO_AUDIO), Outcome.UNABLE, Reason.NO_AUDIO),
    ],
)
def test_a_mark_is_named_and_its_absence_passes(
    make_evidence: MakeEvidence, profile: Profile, sound: Any, outcome: Outcome, reason: Reason | None
) -> None:
    """A sure mark is `SYNTHETIC_VOICE`; without speech there is nothing to look at."""
    result = audio_mark.check(Case(make_evidence(sound=sound), SAY), profile)
    assert (result.outcome, result.reason) == (outcome, reason)


def test_a_mark_only_advises(make_evidence: MakeEvidence, profile: Profile) -> None:
    """By the default profile a marked voice changes no verdict."""
    result = audio_mark.check(Case(make_evidence(sound={"mark": 1.0}), SAY), profile)
    assert profile.role(result.name) is CheckRole.ADVISE
    passed = [CheckResult(name, Outcome.PASS) for name in profile.confirmed_by]
    assert decide([*passed, result], profile).verdict is Verdict.ACCEPTED
