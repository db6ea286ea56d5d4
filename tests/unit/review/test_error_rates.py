"""Error rates: counts and confidence intervals."""

from __future__ import annotations

from pathlib import Path

import pytest

from cameo_challenges.model import Challenge
from cameo_verifier.profile import CheckRole, Profile
from cameo_verifier.reasons import Reason
from cameo_verifier.review.cases import Case
from cameo_verifier.review.error_rates import (
    bona_fide_rates,
    check_rates,
    clopper_pearson,
    condition_rates,
    rate,
    species_rates,
)
from cameo_verifier.review.judging import Attempt
from cameo_verifier.types import CheckResult, Outcome, Verdict

PROFILE = Profile("test", "", {}, {"depth": CheckRole.VETO, "phrase": CheckRole.CONFIRM, "voice": CheckRole.ADVISE}, "00")
PASS, FAIL, UNABLE = Outcome.PASS, Outcome.FAIL, Outcome.UNABLE


def attempt(verdict: Verdict, *, species: str = "", condition: str = "", **checks: Outcome) -> Attempt:
    case = Case("id", Path("clip.mp4"), species, condition, "", Challenge(()))
    results = tuple(
        CheckResult(name, outcome, reason=None if outcome is PASS else Reason.FLAT_FACE) for name, outcome in checks.items()
    )
    return Attempt(case, verdict, (), results, {})


@pytest.mark.parametrize(
    ("count", "trials", "low", "high"),
    [
        # From tables of the beta distribution (Clopper and Pearson 1934; R's binom.test).
        (0, 10, 0.0, 0.308498),
        (10, 10, 0.691502, 1.0),
        (1, 20, 0.001265, 0.248733),
        (5, 10, 0.187086, 0.812914),
        (2, 100, 0.002431, 0.070384),
        (0, 3, 0.0, 0.707598),
        (0, 0, 0.0, 1.0),
    ],
)
def test_interval_is_exact(count: int, trials: int, low: float, high: float) -> None:
    """The interval has the ends that tables give, and all of 0..1 where nothing was tried."""
    assert clopper_pearson(count, trials) == pytest.approx((low, high), abs=2e-6)


def test_interval_is_the_beta_quantile() -> None:
    """For any count the ends are those quantiles of the beta distribution."""
    beta = pytest.importorskip("scipy.stats").beta
    for trials in (1, 7, 60, 1000):
        for count in {0, 1, trials // 3, trials - 1, trials}:
            low, high = clopper_pearson(count, trials, confidence=0.9)
            assert low == pytest.approx(beta.ppf(0.05, count, trials - count + 1) if count else 0, abs=1e-9)
            assert high == pytest.approx(beta.ppf(0.95, count + 1, trials - count) if count < trials else 1, abs=1e-9)


@pytest.mark.parametrize(("count", "trials"), [(-1, 3), (4, 3)])
def test_impossible_count_is_refused(count: int, trials: int) -> None:
    """There are no more errors than presentations, and none below zero."""
    with pytest.raises(ValueError, match=f"{count} of {trials}"):
        clopper_pearson(count, trials)


def test_nothing_tried_has_no_rate() -> None:
    """No trials have no share, which is not a share of zero."""
    assert rate(0, 0).share is None
    assert rate(0, 4).share == 0


def test_worst_species_comes_first() -> None:
    """Species stand by their APCER, then by how large it may yet be; accepted alone counts as an error."""
    attempts = [
        attempt(Verdict.REJECTED, species="print", depth=FAIL, phrase=PASS),
        attempt(Verdict.RETRY, species="print", depth=FAIL, phrase=UNABLE),
        attempt(Verdict.ACCEPTED, species="screen", depth=PASS, phrase=PASS),
        attempt(Verdict.REJECTED, species="screen", depth=FAIL, phrase=PASS),
        attempt(Verdict.REVIEW, species="dub", depth=PASS, phrase=FAIL),
    ]
    screen, dub, paper = species_rates(attempts, PROFILE)
    assert (screen.species, screen.apcer.share, screen.stopped_by) == ("screen", 0.5, {"depth": 1})
    assert (paper.species, paper.apcer.share, paper.retries.share) == ("print", 0.0, 0.5)
    assert paper.stopped_by == {"depth": 2, "phrase": 1}
    assert (dub.species, dub.apcer.share) == ("dub", 0.0)


def test_zero_attacks_have_no_rates() -> None:
    """A suite of bona fide recordings alone has no species."""
    assert species_rates([attempt(Verdict.ACCEPTED, condition="plain", depth=PASS)], PROFILE) == ()


def test_bona_fide_rejections_reviews_and_retries_are_told_apart() -> None:
    """A review is an error as a rejection is; a retry is counted beside; nothing accepted is an error of all."""
    attempts = [
        attempt(Verdict.ACCEPTED, condition="plain", depth=PASS),
        attempt(Verdict.REVIEW, condition="dim", depth=PASS),
        attempt(Verdict.REJECTED, condition="dim", depth=FAIL),
        attempt(Verdict.RETRY, condition="dim", depth=PASS),
        attempt(Verdict.REJECTED, species="print", depth=FAIL),
    ]
    dim, plain = condition_rates(attempts, PROFILE)
    assert (dim.condition, dim.bpcer.count, dim.bpcer.trials, dim.retries.count) == ("dim", 2, 3, 1)
    assert dim.stopped_by == {"depth": 1}
    assert (plain.condition, plain.bpcer.share) == ("plain", 0.0)
    none_passes = bona_fide_rates("all", attempts[1:3], PROFILE)
    assert (none_passes.bpcer.share, none_passes.bpcer.high) == (1.0, 1.0)


def test_each_check_has_what_it_does_and_what_it_costs() -> None:
    """A veto counts when it fails, a confirmation when it does not pass, advice as a veto would; alone is without the others."""
    attempts = [
        attempt(Verdict.REJECTED, species="print", depth=FAIL, phrase=PASS, voice=FAIL),
        attempt(Verdict.REJECTED, species="print", depth=FAIL, phrase=UNABLE, voice=PASS),
        attempt(Verdict.ACCEPTED, species="print", depth=UNABLE, phrase=PASS, voice=FAIL),
        attempt(Verdict.REJECTED, condition="plain", depth=PASS, phrase=UNABLE, voice=FAIL),
        attempt(Verdict.ACCEPTED, condition="plain", depth=PASS, phrase=PASS, voice=UNABLE),
    ]
    depth, phrase, voice = check_rates(attempts, PROFILE)
    assert (depth.attacks_stopped.count, depth.attacks_alone.count, depth.bona_fide_stopped.count, depth.unable) == (2, 1, 0, 1)
    assert (phrase.attacks_stopped.count, phrase.attacks_alone.count) == (1, 0)
    assert (phrase.bona_fide_stopped.count, phrase.bona_fide_alone.count, phrase.bona_fide_alone.trials) == (1, 1, 2)
    assert (voice.role, voice.attacks_stopped.count, voice.attacks_alone.count, voice.bona_fide_stopped.count) == (
        CheckRole.ADVISE,
        2,
        1,
        1,
    )
