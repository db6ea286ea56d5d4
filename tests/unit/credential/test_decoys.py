from __future__ import annotations

import numpy as np
import pytest

from cameo_credential.decoys import GROUP, groups

KEY = bytes(range(32))


@pytest.mark.parametrize("capacity", [1024, 1027])
def test_each_index_is_in_one_group(capacity: int) -> None:
    """A list is divided into groups of the same size; what does not fill one is in none, and nobody changes what all see."""
    found = groups(KEY, capacity)
    assert found.shape == (capacity // GROUP, GROUP)
    assert len(np.unique(found)) == found.size
    assert 0 <= found.min() <= found.max() < capacity
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0


def test_the_groups_are_the_key_s() -> None:
    """The same for the same key in every process, others for another, and spread over the whole list."""
    first = groups(KEY, 4096).copy()
    groups.cache_clear()
    np.testing.assert_array_equal(groups(KEY, 4096), first)
    assert (np.sort(groups(bytes(32), 4096)) == np.sort(first)).mean() < 0.05
    assert np.abs(np.diff(first.astype(int), axis=1)).mean() == pytest.approx(4096 / 3, rel=0.05)
