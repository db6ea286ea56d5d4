from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_credential.decoys import MOST, RANKS, DecoyShares, rank, statuses
from cameo_credential.token_status import Status

KEY = bytes(range(32))
NONE = DecoyShares(0, 0)


def test_one_rank_is_that_of_the_whole_list() -> None:
    """An index asked for alone shows what it shows among all, at every share."""
    shares = DecoyShares(RANKS // 5, RANKS // 3)
    shown = statuses(KEY, 1001, shares)
    assert [shares.of(rank(KEY, index)) for index in range(1001)] == list(shown)
    assert set(shown) == set(Status)


def test_decoys_are_as_many_as_their_shares_and_others_under_another_key() -> None:
    """Of a million a hundredth is revoked and a fiftieth suspended, within five standard deviations; the key says which."""
    shares = DecoyShares(RANKS // 100, RANKS // 50)
    shown = statuses(KEY, 1_000_000, shares)
    assert int((shown == Status.INVALID).sum()) == pytest.approx(10_000, abs=500)
    assert int((shown == Status.SUSPENDED).sum()) == pytest.approx(20_000, abs=700)
    assert (shown != statuses(bytes(32), 1_000_000, shares)).mean() > 0.05


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000)), min_size=1, max_size=8))
def test_no_decoy_comes_back_from_being_revoked(history: list[tuple[int, int, int]]) -> None:
    """Whatever the numbers do, what was shown as revoked stays so, and half of the list stays valid."""
    shares, before = NONE, statuses(KEY, 2000, NONE)
    for valid, invalid, suspended in history:
        shares = shares.grown(used=valid + invalid + suspended, invalid=invalid, suspended=suspended)
        now = statuses(KEY, 2000, shares)
        assert set(now[before == Status.INVALID]) <= {Status.INVALID}
        assert shares.invalid + shares.suspended <= MOST
        np.testing.assert_array_equal(now, statuses(KEY, 2000, shares))
        before = now


def test_the_first_revocations_do_not_mark_the_list() -> None:
    """One revoked of one credential counts as one of 1,024; ten of 10,000 as they are."""
    assert NONE.grown(used=1, invalid=1, suspended=0) == DecoyShares(RANKS // 1024, 0)
    assert NONE.grown(used=10_000, invalid=10, suspended=20) == DecoyShares(RANKS // 1000, RANKS // 500)
