"""Facial gestures out of a landmark track."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_challenges.model import Gesture, Turn
from cameo_verifier.evidence.gestures import GestureThresholds, gestures
from cameo_verifier.evidence.movements import movements
from tests.made_faces import doing

if TYPE_CHECKING:
    from cameo_verifier.types import FaceTrack

LINES = GestureThresholds(open_rise=0.2, smile_rise=0.1, held_s=0.25, closed=0.5, closed_s=0.7, between_s=0.7)


def made(face: FaceTrack) -> list[Gesture | None]:
    turns = movements(face.t_s, face.pose_deg, min_deg=10.0, centre_deg=7.0)
    return [each.gesture for each in gestures(face, turns, LINES)]


@given(st.lists(st.sampled_from([*Gesture, *Turn]), max_size=6), st.floats(0.2, 5.0))
def test_gestures_come_out_in_order_from_a_face_of_any_size(steps: list[Gesture | Turn], size: float) -> None:
    """What a person does is found as it was done, however near they are; turns between are not gestures."""
    face = doing(*((1.0 + 3 * index, step) for index, step in enumerate(steps)), seconds=3.0 * len(steps) + 3, size=size)
    assert made(face) == [step for step in steps if isinstance(step, Gesture)]


def test_single_and_too_many_blinks_are_not_asked_gestures() -> None:
    """One blink is what everybody does; six in a row are a gesture, but none that is asked for."""
    assert made(doing((1.0, Gesture.BLINK_2), (4.0, Gesture.BLINK_2), (6.0, Gesture.BLINK_4), seconds=9)) == [
        Gesture.BLINK_2,
        Gesture.BLINK_2,
        Gesture.BLINK_4,
    ]
    alone = doing((1.0, Gesture.BLINK_2), seconds=5)
    first = alone.t_s < 1.3
    assert made(replace(alone, landmarks=np.where(first[:, None, None], alone.landmarks, alone.landmarks[:1]))) == []
    assert made(doing((1.0, Gesture.BLINK_4), (3.0, Gesture.BLINK_2), seconds=6)) == [None]


@pytest.mark.parametrize("asked", [Gesture.BLINK_2, Gesture.BLINK_4])
@pytest.mark.parametrize("before", [True, False])
def test_a_blink_of_ones_own_beside_asked_ones_is_not_counted(asked: Gesture, *, before: bool) -> None:
    """People blink when a prompt comes, and when they are done: it leaves the number that was asked."""
    own_s = 1.5 if before else 2.0 + 0.5 * asked.blinks
    assert made(doing((2.0, asked), (own_s, None), seconds=7)) == [asked]


def test_an_open_mouth_that_is_wide_is_no_smile() -> None:
    """Opening the mouth changes its width: the two at once are one gesture."""
    assert made(doing((1.0, Gesture.OPEN_MOUTH), (1.0, Gesture.SMILE), seconds=5)) == [Gesture.OPEN_MOUTH]


def test_what_does_not_end_does_not_count() -> None:
    """A gesture counts once the face is calm again."""
    assert made(doing((4.2, Gesture.CLOSE_EYES), seconds=5)) == []


@pytest.mark.parametrize("gesture", [Gesture.BLINK_2, Gesture.OPEN_MOUTH])
def test_what_happens_in_a_turn_is_left_out(gesture: Gesture) -> None:
    """People blink as they turn, and the far half of a turned face is a guess."""
    assert made(doing((1.0, Turn.LEFT), (1.1, gesture), seconds=4)) == []


def test_frames_without_a_face_are_left_out() -> None:
    """A face that is lost for a moment ends nothing; none at all makes no gesture."""
    face = doing((1.0, Gesture.CLOSE_EYES), seconds=5)
    landmarks = face.landmarks.copy()
    landmarks[20:22] = np.nan
    assert made(replace(face, landmarks=landmarks)) == [Gesture.CLOSE_EYES]
    assert made(replace(face, landmarks=np.full_like(landmarks, np.nan))) == []
