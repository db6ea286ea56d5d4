"""Portraits: which frames are chosen by what was measured, and that they are aligned as they say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.evidence import portraits
from cameo_verifier.evidence.portraits import SIDE_PX, TEMPLATE, align, chosen, quality
from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    from cameo_verifier.types import F64

PROFILE = profiles.load()
FRAMES, BLINK, JAW = 100, 9, 25


def track() -> FaceTrack:
    """Ten seconds of one face, alike in every frame."""
    rows = np.ones(FRAMES, np.float32)
    return FaceTrack(
        t_s=np.arange(FRAMES) / 10.0,
        faces=np.ones(FRAMES, np.int32),
        landmarks=np.ones((FRAMES, 478, 3), np.float32),
        pose_deg=np.zeros((FRAMES, 3), np.float32),
        blendshapes=np.zeros((FRAMES, 52), np.float32),
        face_px=200 * rows,
        luma=120 * rows,
        sharpness=0.2 * rows,
        eye_white=150 * rows,
        identity_t_s=np.zeros(0),
        identity_yaw_deg=np.zeros(0, np.float32),
        embeddings=np.zeros((0, 512), np.float32),
        live_t_s=np.zeros(0),
        live=np.zeros(0, np.float32),
        ages=np.zeros((0, 2), np.float32),
    )


def spoiled(face: FaceTrack, rows: slice, how: str) -> FaceTrack:
    """Spoil some frames in one way."""
    changes = {
        "turned": ("pose_deg", np.array([15.0, 0.0, 0.0])),
        "blinking": ("blendshapes", np.eye(52)[BLINK] * 0.8),
        "speaking": ("blendshapes", np.eye(52)[JAW] * 0.5),
        "blurred": ("sharpness", 0.05),
        "dark": ("eye_white", 40.0),
    }
    name, value = changes[how]
    column = getattr(face, name).copy()
    column[rows] = value
    dark = {"luma": np.where(np.arange(FRAMES) // 1 >= 0, np.minimum(face.luma, column), 0)} if how == "dark" else {}
    return replace(face, **{name: column}, **dark)


@pytest.mark.parametrize("how", ["turned", "blinking", "speaking", "blurred", "dark"])
def test_a_worse_frame_is_worse_in_each_way(how: str) -> None:
    """Turned, eyes shut, mouth open, blurred, dark: each lowers the quality, and those frames are not chosen."""
    score = quality(spoiled(track(), slice(20, 40), how), PROFILE)
    assert score[20:40].max() < 0.6 * score[40:].min()
    assert not set(chosen(track().t_s, score, PROFILE)) & set(range(20, 40))


@pytest.mark.parametrize(
    "change",
    [
        {"faces": np.full(FRAMES, 2, np.int32)},
        {"faces": np.zeros(FRAMES, np.int32)},
        {"pose_deg": np.full((FRAMES, 3), 25.0, np.float32)},
        {"landmarks": np.full((FRAMES, 478, 3), np.nan, np.float32)},
    ],
)
def test_without_one_frontal_face_there_is_none(change: dict[str, np.ndarray]) -> None:
    """Two faces, none, one turned away."""
    face = replace(track(), **change)
    assert chosen(face.t_s, quality(face, PROFILE), PROFILE) == []


def test_they_are_spread_in_time() -> None:
    """Five a tenth of the recording apart; those after the third only where they are at least half as good."""
    t_s: F64 = np.arange(FRAMES) / 10.0
    score = np.linspace(0.6, 1.0, FRAMES)
    rows = chosen(t_s, score, PROFILE)
    assert rows[0] == FRAMES - 1
    assert len(rows) == 5
    assert np.abs(np.subtract.outer(t_s[rows], t_s[rows]))[~np.eye(5, dtype=bool)].min() >= 0.99
    few = np.zeros(FRAMES)
    few[[0, 30, 60, 90]] = 1.0, 0.4, 0.3, 0.2
    assert chosen(t_s, few, PROFILE) == [0, 30, 60]
    close = np.zeros(FRAMES)
    close[[50, 51, 52]] = 1.0, 0.9, 0.8
    assert chosen(t_s, close, PROFILE) == [50, 51, 52]
    assert chosen(t_s, np.eye(FRAMES)[7], PROFILE) == [7]


@pytest.mark.parametrize(("scale", "turn_deg"), [(0.5, 0.0), (1.0, 20.0), (2.0, -10.0), (3.7, 5.0)])
def test_the_five_points_come_to_the_template(scale: float, turn_deg: float) -> None:
    """At any size and tilt, a dot drawn at each point of the picture lies on the template within a px."""
    angle = np.deg2rad(turn_deg)
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = ((TEMPLATE - 256.0) @ rotation.T + 256.0 * scale * 2).astype(np.float32)
    picture = np.zeros((round(1024 * scale), round(1024 * scale), 3), np.uint8)
    for x, y in points:
        cv2.circle(picture, (round(x * 16), round(y * 16)), round(4 * scale * 16), (255, 255, 255), -1, shift=4)
    made, magnified = align(picture, points)
    assert made.shape == (SIDE_PX, SIDE_PX, 3)
    assert magnified == pytest.approx(1 / scale, rel=1e-4)
    for x, y in TEMPLATE:
        left, top = round(x) - 12, round(y) - 12
        found = cv2.moments(made[top : top + 24, left : left + 24, 0])
        assert found["m10"] / found["m00"] + left == pytest.approx(x, abs=1.0)
        assert found["m01"] / found["m00"] + top == pytest.approx(y, abs=1.0)


def test_what_it_says_is_what_it_does() -> None:
    """The text that a stranger reproduces a crop by has the template's numbers and the quality."""
    for x, y in TEMPLATE:
        assert f"{x:g}" in portraits.PREPROCESSING or f"{x}" in portraits.PREPROCESSING
        assert f"{y}" in portraits.PREPROCESSING
    assert f"quality {portraits.QUALITY}" in portraits.PREPROCESSING
