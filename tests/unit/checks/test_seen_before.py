from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_challenges.model import Challenge
from cameo_verifier.checks import seen_before
from cameo_verifier.checks.question import Case
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Circumstances, Evidence, Fingerprint, MediaInfo, Missing, Outcome, Recalled

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.profile import Profile

NO_CHALLENGE = Challenge(())


def made(seed: int) -> Fingerprint:
    rng = np.random.default_rng(seed)
    smooth = np.cumsum(rng.normal(size=(160, 6)), axis=0)
    smooth = (smooth - smooth.mean(axis=0)) / smooth.std(axis=0)
    motion = np.round(15 * np.tanh(smooth)).astype(np.int8)
    return Fingerprint(motion, rng.integers(-1, 2, (160, 10), np.int8), rng.integers(0, 1000, 8, np.uint32))


def told(own: Fingerprint, found: Recalled | None) -> Case:
    """A case of which nothing but its fingerprint, and what was found of earlier ones, matters."""
    evidence = Evidence(MediaInfo("mp4", 1, "00", 6.0), Missing(Reason.NO_FACE), Missing(Reason.NO_AUDIO), fingerprint=own)
    return Case(evidence, NO_CHALLENGE, Circumstances(recalled=found))


def among(evidence: Evidence, profile: Profile, *, earlier: list[tuple[str, Fingerprint]]) -> CheckResult:
    """Look for the evidence's recording among earlier ones, and judge what is found."""
    found = seen_before.search(evidence.fingerprint, profile, earlier)
    return seen_before.check(told(evidence.fingerprint, found), profile)


@pytest.fixture
def evidence(make_evidence: Callable[..., Evidence]) -> Evidence:
    """Good evidence with a fingerprint."""
    return replace(make_evidence(), fingerprint=made(1))


def test_a_new_recording_passes(evidence: Evidence, profile: Profile) -> None:
    """Nothing earlier, and nothing alike among the earlier, passes."""
    assert among(evidence, profile, earlier=[]).outcome is Outcome.PASS
    noise = Fingerprint(*(np.random.default_rng(9).permutation(half) for half in (made(1).motion, made(1).sound)))
    assert among(evidence, profile, earlier=[("a", noise)]).outcome is Outcome.PASS


@pytest.mark.parametrize("half", ["motion", "sound"])
def test_either_half_alone_is_enough(half: str, evidence: Evidence, profile: Profile) -> None:
    """Another voice over an earlier picture, and an earlier sound under another picture, were seen before; it says where."""
    dubbed = replace(Fingerprint(words=made(1).words), **{half: getattr(made(1), half)})
    result = among(evidence, profile, earlier=[("other", made(2)), ("first", dubbed)])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.SEEN_BEFORE)
    assert half in result.detail
    assert "first" in result.detail


@pytest.mark.parametrize(("same", "reason"), [(8, Reason.SEEN_BEFORE), (6, Reason.SEEN_BEFORE), (5, None), (0, None)])
def test_sound_counts_where_the_same_words_were_said(
    same: int, reason: Reason | None, evidence: Evidence, profile: Profile
) -> None:
    """One voice says one word alike each time: other words are no reason, and two that differ of eight are few enough."""
    own = made(1)
    words = np.concatenate([own.words[:same], made(5).words[same:]])
    result = among(evidence, profile, earlier=[("first", Fingerprint(sound=own.sound, words=words))])
    assert result.reason == reason
    asked_nothing = replace(evidence, fingerprint=replace(own, words=made(1).words[:0]))
    alone = [("first", Fingerprint(sound=own.sound))]
    assert among(asked_nothing, profile, earlier=alone).outcome is Outcome.PASS


@pytest.mark.parametrize(("field", "line"), [("motion", "seen_motion_max"), ("sound", "seen_sound_max")])
def test_the_line_rises_with_how_many_the_most_alike_was_found_among(field: str, line: str, profile: Profile) -> None:
    """The best of many is more alike by chance: what accuses one kept recording accuses no one of a hundred thousand."""
    rise = profile[line.replace("_max", "_rise_max")].value
    score = profile[line].value + 0.5 * rise
    limits = []
    for among, reason in ((1, Reason.SEEN_BEFORE), (100_000, None)):
        found = replace(Recalled(kept=among, same_words=among), **{field: score, f"{field}_attempt": "a"})  # type: ignore[arg-type]
        result = seen_before.check(told(made(1), found), profile)
        assert result.reason == reason
        limits.append(result.threshold)
    again = replace(Recalled(kept=100_000, same_words=100_000), **{field: 1.0})  # type: ignore[arg-type]
    assert seen_before.check(told(made(1), again), profile).threshold == pytest.approx(profile[line].value + 5 * rise)
    assert profile[line].value + 5 * rise < 0.9


def test_a_recording_without_anything_to_know_it_by_is_not_judged(
    make_evidence: Callable[..., Evidence], profile: Profile
) -> None:
    """Neither movement nor sound: unable, which no veto counts."""
    result = among(make_evidence(), profile, earlier=[("first", Fingerprint())])
    assert result.outcome is Outcome.UNABLE
    unasked = seen_before.check(told(made(1), None), profile)
    assert (unasked.outcome, unasked.reason) == (Outcome.UNABLE, Reason.NOT_CONFIRMED)
