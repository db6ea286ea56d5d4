from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.models.measure import Pair, equal_error_rate, face_verification

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.models.landmarks import FaceLandmarker
    from cameo_verifier.types import U8

scores = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40)


def test_kinds_that_do_not_overlap_have_no_error_and_a_threshold_between_them() -> None:
    """Perfect separation is an equal error rate of 0 at a threshold that separates."""
    rate = equal_error_rate([0.7, 0.8, 0.9], [0.1, 0.2, 0.3, 0.4])

    assert rate.eer == 0
    assert 0.4 < rate.threshold <= 0.7
    assert (rate.same, rate.different, rate.same_min, rate.different_max) == (3, 4, 0.7, 0.4)
    assert rate.same_mean == pytest.approx(0.8)
    assert rate.different_mean == pytest.approx(0.25)


def test_one_pair_on_the_wrong_side_of_each_kind_counts_as_its_share() -> None:
    """One of four same pairs below and one of four different pairs above is 25 %."""
    assert equal_error_rate([0.2, 0.7, 0.8, 0.9], [0.0, 0.1, 0.3, 0.75]).eer == pytest.approx(0.25)


def test_kinds_the_wrong_way_round_are_all_error() -> None:
    """Scores that say the opposite of the truth have an equal error rate of 1."""
    assert equal_error_rate([0.1, 0.2], [0.8, 0.9]).eer == pytest.approx(1.0)


@given(same=scores, different=scores)
def test_the_rate_is_a_share_and_does_not_depend_on_order(same: list[float], different: list[float]) -> None:
    """Whatever the scores, the rate lies in 0..1 and only their sets count."""
    rate = equal_error_rate(same, different)

    assert 0 <= rate.eer <= 1
    assert rate == equal_error_rate(same[::-1], different[::-1])


def test_a_missing_kind_of_pair_is_an_error() -> None:
    """Without different pairs there is no rate to speak of."""
    with pytest.raises(InvalidRequestError, match="pairs of one person and pairs of two"):
        equal_error_rate([0.5], [])


def test_a_picture_without_a_face_is_named(kit: ModelKit, landmarker: FaceLandmarker, astronaut: U8) -> None:
    """Measuring does not skip silently what it cannot embed."""
    pictures = {"face": astronaut, "grey": np.full_like(astronaut, 128)}

    with pytest.raises(InvalidRequestError, match="picture 'grey' shows no face"):
        face_verification(pictures, [Pair("face", "grey", same=False)], landmarker=landmarker, embedder=kit.face_embedder)
