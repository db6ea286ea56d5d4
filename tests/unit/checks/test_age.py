"""The question about apparent age, on ages made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_challenges.model import Challenge
from cameo_verifier.checks import age
from cameo_verifier.checks.question import Case
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, Missing, Outcome

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import F32

MakeEvidence = Callable[..., Evidence]
NOTHING = Challenge(())


def both(ages: Sequence[float], apart: float = 6.0) -> F32:
    """Return ages of the two networks, so many years apart, with these means."""
    means = np.array(ages, np.float32)
    return np.stack([means - apart / 2, means + apart / 2], axis=1)


@pytest.mark.parametrize(
    ("ages", "outcome"),
    [
        ((35, 36, 34, 35, 33), Outcome.PASS),
        ((27, 27, 27), Outcome.PASS),
        ((26.9, 26.9, 26.9), Outcome.FAIL),
        ((17, 19, 18, 16, 18), Outcome.FAIL),
        ((35, 36, 34, 35, 12), Outcome.PASS),
        ((20, 22, 21, 21, 60), Outcome.FAIL),
        ((40, 41), Outcome.UNABLE),
        ((), Outcome.UNABLE),
        ((20, 22, 40, 42, 44), Outcome.UNABLE),
    ],
)
def test_the_median_is_judged_unless_it_means_little(
    make_evidence: MakeEvidence, profile: Profile, ages: tuple[float, ...], outcome: Outcome
) -> None:
    """One odd frame changes nothing; too few frames, or two groups of ages, give no answer; the reason is always the same."""
    result = age.check(Case(make_evidence(face={"ages": both(ages)}), NOTHING), profile)
    assert result.outcome is outcome
    assert result.reason is (None if outcome is Outcome.PASS else Reason.POSSIBLE_MINOR)


@pytest.mark.parametrize("apart", [-20.0, 0.0, 20.0])
def test_the_age_of_a_picture_is_the_mean_of_both_networks(make_evidence: MakeEvidence, profile: Profile, apart: float) -> None:
    """Whichever network says younger, and by however much, the score is the mean, and the spread that of the means."""
    result = age.check(Case(make_evidence(face={"ages": both((30, 31, 32), apart)}), NOTHING), profile)
    assert result.score == pytest.approx(31)
    assert (result.outcome, result.detail) == (Outcome.PASS, "3 frames, the middle half 1.0 years wide")


def test_without_a_face_there_is_no_answer(make_evidence: MakeEvidence, profile: Profile) -> None:
    """The reason is that of the missing face."""
    result = age.check(Case(make_evidence(face=Missing(Reason.NO_FACE)), NOTHING), profile)
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.NO_FACE)
