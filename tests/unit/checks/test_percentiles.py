"""Which share of what is measured decides: neither the worst of it nor half of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_challenges.model import Challenge
from cameo_verifier.checks import close_up, presentation_attack, speaker
from cameo_verifier.checks.question import Case
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, Outcome

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NOTHING = Challenge(())
MakeEvidence = Callable[..., Evidence]


@pytest.mark.parametrize(("windows", "outcome"), [(11, Outcome.PASS), (5, Outcome.FAIL)])
def test_one_odd_window_of_eleven_is_no_other_voice_and_one_of_five_is(
    make_evidence: MakeEvidence, profile: Profile, windows: int, outcome: Outcome
) -> None:
    """The 20th percentile: 10 of 55 pairs with a stranger lie below it, 4 of 10 reach it, though most pairs are one voice."""
    voices = np.zeros((windows, 512), np.float32)
    voices[:, 0] = 1.0
    voices[1] = np.roll(voices[1], 1)
    spans = np.stack([np.arange(windows), np.arange(windows) + 1.0], axis=1)
    result = speaker.check(Case(make_evidence(sound={"window_embeddings": voices, "window_s": spans}), NOTHING), profile)
    assert result.outcome is outcome
    assert result.reason is (None if outcome is Outcome.PASS else Reason.SPEAKER_CHANGED)


@pytest.mark.parametrize(("low", "outcome"), [(3, Outcome.PASS), (8, Outcome.FAIL)])
def test_a_third_of_the_frames_like_a_display_is_a_display_and_an_eighth_is_not(
    make_evidence: MakeEvidence, profile: Profile, low: int, outcome: Outcome
) -> None:
    """Of 24 frames, at the 20th percentile."""
    live = np.full(24, 0.95, np.float32)
    live[:low] = 0.01
    track = {"live": live, "live_close": np.zeros((0, 2), np.float32)}
    result = presentation_attack.check(Case(make_evidence(face=track), NOTHING), profile)
    assert result.outcome is outcome


@pytest.mark.parametrize(("low", "outcome"), [(1, Outcome.PASS), (4, Outcome.FAIL)])
def test_so_it_is_of_the_closer_crops(make_evidence: MakeEvidence, profile: Profile, low: int, outcome: Outcome) -> None:
    """Of 12 frames, each scored as it is and mirrored."""
    live = np.full((12, 2), 0.95, np.float32)
    live[:low] = 0.01
    assert close_up.check(Case(make_evidence(face={"live_close": live}), NOTHING), profile).outcome is outcome
