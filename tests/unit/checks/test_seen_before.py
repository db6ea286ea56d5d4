from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from challenges.model import Challenge
from verifier.checks import seen_before
from verifier.reasons import Reason
from verifier.types import Fingerprint, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.profiles import Profile
    from verifier.types import Evidence

NO_CHALLENGE = Challenge(())


def made(seed: int) -> Fingerprint:
    rng = np.random.default_rng(seed)
    smooth = np.cumsum(rng.normal(size=(160, 6)), axis=0)
    smooth = (smooth - smooth.mean(axis=0)) / smooth.std(axis=0)
    return Fingerprint(np.round(15 * np.tanh(smooth)).astype(np.int8), rng.integers(-1, 2, (160, 10), np.int8))


@pytest.fixture
def evidence(make_evidence: Callable[..., Evidence]) -> Evidence:
    """Good evidence with a fingerprint."""
    return replace(make_evidence(), fingerprint=made(1))


def test_a_new_recording_passes(evidence: Evidence, profile: Profile) -> None:
    """Nothing earlier, and nothing alike among the earlier, passes."""
    assert seen_before.check(evidence, NO_CHALLENGE, profile, earlier=[]).outcome is Outcome.PASS
    noise = Fingerprint(*(np.random.default_rng(9).permutation(half) for half in (made(1).motion, made(1).sound)))
    assert seen_before.check(evidence, NO_CHALLENGE, profile, earlier=[("a", noise)]).outcome is Outcome.PASS


@pytest.mark.parametrize("half", ["motion", "sound"])
def test_either_half_alone_is_enough(half: str, evidence: Evidence, profile: Profile) -> None:
    """Another voice over an earlier picture, and an earlier sound under another picture, were seen before; it says where."""
    dubbed = replace(Fingerprint(), **{half: getattr(made(1), half)})
    result = seen_before.check(evidence, NO_CHALLENGE, profile, earlier=[("other", made(2)), ("first", dubbed)])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.SEEN_BEFORE)
    assert half in result.detail
    assert "first" in result.detail


def test_a_recording_without_anything_to_know_it_by_is_not_judged(
    make_evidence: Callable[..., Evidence], profile: Profile
) -> None:
    """Neither movement nor sound: unable, which no veto counts."""
    result = seen_before.check(make_evidence(), NO_CHALLENGE, profile, earlier=[("first", Fingerprint())])
    assert result.outcome is Outcome.UNABLE
