"""Head turns out of a pose track."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_challenges.model import Turn
from cameo_verifier.evidence.movements import matches, movements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.types import F32, F64

AXES = {Turn.LEFT: (1, 0), Turn.RIGHT: (-1, 0), Turn.UP: (0, 1), Turn.DOWN: (0, -1)}


def head(turns: Sequence[Turn], *, peak_deg: float = 25.0, rest_deg: tuple[float, float] = (0.0, 0.0)) -> tuple[F64, F32]:
    """Return a 15 fps pose track: each turn a raised cosine of 1.2 s, 0.8 s of rest around it."""
    bump = peak_deg * 0.5 * (1 - np.cos(np.linspace(0, 2 * np.pi, 18)))
    still = np.zeros((12, 2))
    parts = [still]
    for turn in turns:
        parts += [bump[:, None] * np.array(AXES[turn]), still]
    yaw_pitch = np.concatenate(parts) + rest_deg
    pose = np.column_stack([yaw_pitch, np.zeros(len(yaw_pitch))]).astype(np.float32)
    return np.arange(len(pose)) / 15.0, pose


def ways(track: tuple[F64, F32]) -> list[Turn]:
    return [m.turn for m in movements(*track, min_deg=12.0, centre_deg=7.0)]


@given(st.lists(st.sampled_from(Turn), max_size=4), st.floats(16, 60), st.tuples(st.floats(-15, 15), st.floats(-15, 15)))
def test_turns_come_out_in_order_from_any_resting_pose(turns: list[Turn], peak: float, rest: tuple[float, float]) -> None:
    """Asked turns are found as they were made, wherever the camera stands."""
    assert ways(head(turns, peak_deg=peak, rest_deg=rest)) == turns


def test_a_nod_below_the_threshold_is_no_turn() -> None:
    """Movements people make while they talk do not count."""
    assert ways(head([Turn.UP, Turn.LEFT], peak_deg=10.0)) == []


def test_a_face_that_is_lost_on_the_way_does_not_break_a_turn() -> None:
    """Frames without a face are left out, not read as the centre."""
    t_s, pose = head([Turn.LEFT, Turn.DOWN], peak_deg=60.0)
    pose[np.abs(pose[:, 0]) > 55] = np.nan
    assert ways((t_s, pose)) == [Turn.LEFT, Turn.DOWN]


def test_an_arc_from_one_side_to_the_other_is_two_turns_not_three() -> None:
    """Passing above the centre on the way from right to left is no turn upwards."""
    angle = np.linspace(np.pi, 0, 30)
    arc = np.column_stack([40 * np.cos(angle), 14 * np.sin(angle), np.zeros(30)])
    still = np.zeros((25, 3))
    away = np.linspace(0, 1, 8)[:, None] * arc[0]
    back = np.linspace(1, 0, 8)[:, None] * arc[-1]
    pose = np.concatenate([still, away, arc, back, still]).astype(np.float32)
    assert ways((np.arange(len(pose)) / 15.0, pose)) == [Turn.RIGHT, Turn.LEFT]


def test_peak_and_times_are_those_of_the_turn() -> None:
    """A turn reports how far and when."""
    [turn] = movements(*head([Turn.RIGHT], peak_deg=30.0), min_deg=12.0, centre_deg=7.0)
    assert turn.peak_deg == pytest.approx(30, abs=1.5)
    assert turn.start_s < turn.peak_s < turn.end_s
    assert turn.peak_s == pytest.approx(0.8 + 0.6, abs=0.1)


@given(st.lists(st.sampled_from(Turn), min_size=2, max_size=4))
def test_matches_are_subsequences(turns: list[Turn]) -> None:
    """What matches an asked order is always in that order among what was found."""
    found = movements(*head(turns), min_deg=12.0, centre_deg=7.0)
    asked = (turns[0], turns[-1])
    choices = list(matches(found, asked))
    assert choices
    assert all(a.start_s < b.start_s and (a.turn, b.turn) == asked for a, b in choices)


def test_too_few_frames_have_no_movement() -> None:
    """Two frames are not enough to speak of movement."""
    assert movements(np.zeros(2), np.zeros((2, 3), np.float32), min_deg=12.0, centre_deg=7.0) == ()


@given(st.sampled_from(Turn), st.floats(16, 60), st.tuples(st.floats(-15, 15), st.floats(-15, 15)))
def test_a_turn_begins_at_a_quarter_of_its_amplitude(turn: Turn, peak: float, rest: tuple[float, float]) -> None:
    """However wide, and wherever the head rests: a raised cosine of 1.2 s is a quarter up after a sixth of it."""
    (found,) = movements(*head([turn], peak_deg=peak, rest_deg=rest), min_deg=12.0, centre_deg=7.0)
    assert found.onset_s == pytest.approx(0.8 + 1.2 / 6, abs=0.06)
    assert found.onset_s < found.peak_s
