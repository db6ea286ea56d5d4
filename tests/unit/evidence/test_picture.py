"""The pass over the picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.evidence.blinks import blinks
from cameo_verifier.evidence.picture import Slots


@given(st.integers(1, 30), st.floats(2, 30), st.floats(8, 60))
def test_picks_are_spread_over_the_recording(count: int, duration_s: float, fps: float) -> None:
    """Each slot gives at most one pick, and no slot that has a frame goes without."""
    slots = Slots(count, duration_s)
    times = np.arange(int(duration_s * fps)) / fps
    picks = [t_s for t_s in times if slots.take(t_s)]
    width = duration_s / count
    indices = [int(t / width) for t in picks]
    assert len(set(indices)) == len(indices)
    assert set(indices) == {int(t / width) for t in times}


def lids(*values: float) -> np.ndarray:
    track = np.zeros((len(values), 52), np.float32)
    track[:, 9] = track[:, 10] = values
    return track


def test_a_blink_closes_and_opens_again() -> None:
    """Eyes that start shut, stay half open or close at the end are no blink."""
    assert blinks(lids(0, 0.1, 0.9, 0.8, 0.1, 0, 0.7, 0), closed=0.5) == 2
    assert blinks(lids(0.9, 0.9, 0, 0), closed=0.5) == 0
    assert blinks(lids(0, 0.4, 0, 0.4), closed=0.5) == 0
    assert blinks(lids(0, 0, 0.9, 0.9), closed=0.5) == 0


def test_one_eye_is_a_wink() -> None:
    """Both lids must close."""
    track = lids(0, 0.9, 0)
    track[:, 9] = 0
    assert blinks(track, closed=0.5) == 0
