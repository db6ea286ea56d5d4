"""Depth out of what the picture of a turning face does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_challenges.model import Turn
from cameo_verifier.evidence.parallax import BURST, PAIRS, Parallax
from cameo_verifier.evidence.picture import observe
from cameo_verifier.evidence.relief import SKIN, lean, relief
from cameo_verifier.media import open_recording
from cameo_verifier.models.landmarks import head_pose_deg
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack, Frame
from fixtures.manifest import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32, F64, U8

FIXTURES = {fixture.id: fixture for fixture in load()}
ANGLES = st.floats(-35, 35)


def axes(pose_deg: tuple[float, float, float]) -> F64:
    """Return the rotation of a head, canonical to camera: x to the person's left, y up, z out of the face."""
    yaw, pitch, roll = np.radians(pose_deg)
    left = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    up = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    leaning = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return left @ up @ leaning


def solid_face(rng: np.random.Generator) -> F64:
    """Return (478, 3) canonical cm: a curved face with a nose."""
    x, y = rng.uniform(-7, 7, 478), rng.uniform(-9, 9, 478)
    nose = 3.0 * np.exp(-(x**2) / 3 - (y + 1) ** 2 / 8)
    return np.column_stack([x, y, nose - 0.04 * x**2 - 0.02 * y**2])


def seen(face: F64, pose_deg: tuple[float, float, float]) -> F32:
    """Return (478, 3) px of a face in a pose, orthographic, z away from the camera."""
    turned = face @ axes(pose_deg).T * 12
    return (turned * [1, -1, -1] + [300, 250, 0]).astype(np.float32)


def track(landmarks: F32, pose_deg: F32, rows: np.ndarray, points: F32) -> FaceTrack:
    none = np.zeros(0, np.float32)
    return FaceTrack(
        t_s=np.arange(len(landmarks)) / 15, faces=np.ones(len(landmarks), np.int32), landmarks=landmarks, pose_deg=pose_deg,
        blendshapes=none, face_px=none, luma=none, sharpness=none,
        eye_white=none, identity_t_s=np.zeros(0), identity_yaw_deg=none,
        embeddings=none, live_t_s=np.zeros(0), live=none, ages=none,
        turn_rows=rows.astype(np.int32), turn_points=points.astype(np.float32),
    )  # fmt: skip


def filmed(content: F64, poses: list[tuple[float, float, float]]) -> FaceTrack:
    """Return a track whose landmarks and poses are a head's, and whose picture shows `content` turned the same way."""
    head = solid_face(np.random.default_rng(5))
    landmarks = np.stack([seen(head, pose) for pose in poses])
    shown = np.stack([seen(content, pose) for pose in poses])
    # The content starts where the landmarks are: a photograph of the head lies under them in every first frame.
    points = landmarks[:-1, list(SKIN), :2] + shown[1:, list(SKIN), :2] - shown[:-1, list(SKIN), :2]
    rows = np.stack([np.arange(len(poses) - 1), np.arange(1, len(poses))], axis=1)
    return track(landmarks, np.array(poses, np.float32), rows, points)


@given(ANGLES, ANGLES, ANGLES)
def test_lean_reads_poses_as_the_landmark_model_writes_them(yaw: float, pitch: float, roll: float) -> None:
    """A pose read off a transform leans by that transform's own third column, right and down in the picture."""
    transform = np.eye(4)
    transform[:3, :3] = axes((yaw, pitch, roll))
    pose = np.array(head_pose_deg(transform.astype(np.float32)))
    assert lean(np.zeros(3), pose) == pytest.approx(transform[:2, 2] * [-1, 1], abs=1e-4)


@given(ANGLES, ANGLES, st.floats(-20, 20), st.sampled_from([(8, 0), (-8, 0), (0, 8), (0, -8), (6, 6)]))
def test_a_solid_face_is_as_deep_as_it_is(yaw: float, pitch: float, roll: float, step: tuple[int, int]) -> None:
    """From any pose, turned any way, a head has the depth of a head."""
    there = (yaw, pitch, roll), (yaw + step[0], pitch + step[1], roll)
    assert relief(filmed(solid_face(np.random.default_rng(5)), list(there))).depth == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("share", [0.25, 0.5, 2.0])
def test_depth_is_a_size(share: float) -> None:
    """A face of half the depth measures half, not merely something that goes the same way."""
    face = solid_face(np.random.default_rng(5)) * [1, 1, share]
    assert relief(filmed(face, [(0, 0, 0), (8, 0, 0), (0, 8, 0), (-8, 0, 0)])).depth == pytest.approx(share, rel=0.1)


@pytest.mark.parametrize("bend", [(0.0, 0.0), (0.05, 0.0), (0.0, 0.05), (-0.04, 0.0), (0.03, 0.03)])
def test_a_plane_and_a_bent_sheet_have_no_depth(bend: tuple[float, float]) -> None:
    """Turned in the same poses, a photograph measures nothing, however it is bent."""
    head = solid_face(np.random.default_rng(5))
    sheet = np.column_stack([head[:, :2], -bend[0] * head[:, 0] ** 2 - bend[1] * head[:, 1] ** 2])
    assert abs(relief(filmed(sheet, [(0, 0, 0), (8, 0, 0), (0, 8, 0), (-8, 4, 5)])).depth) < 0.1


def test_a_plane_stays_flat_in_perspective() -> None:
    """A homography, however strong, is no depth."""
    head = solid_face(np.random.default_rng(5))
    landmarks = seen(head, (0, 0, 0))
    flat = np.column_stack([landmarks[list(SKIN), :2] - [300, 250], np.ones(len(SKIN))])
    moved = flat @ np.array([[0.8, 0.02, 30], [0.01, 1.0, -5], [8e-4, 2e-4, 1.0]]).T
    points = moved[:, :2] / moved[:, 2:] + [300, 250]
    poses = np.array([(0, 0, 0), (10, 0, 0)], np.float32)
    found = relief(track(np.stack([landmarks, landmarks]), poses, np.array([[0, 1]]), points[None]))
    assert abs(found.depth) < 0.12


def test_skin_that_moves_by_itself_hardly_matters() -> None:
    """A fifth of the points going their own way, as with speech, and noise of half a px change the depth by less than a fifth."""
    rng = np.random.default_rng(8)
    clean = filmed(solid_face(np.random.default_rng(5)), [(0, 0, 0), (8, 0, 0), (0, 8, 0), (-8, 0, 0), (0, -8, 0)])
    points = clean.turn_points + rng.normal(0, 0.5, clean.turn_points.shape).astype(np.float32)
    points[:, ::5] += [4, 9]
    assert relief(track(clean.landmarks, clean.pose_deg, clean.turn_rows, points)).depth == pytest.approx(1, abs=0.2)


def test_a_print_that_is_folded_for_a_moment_stays_flat() -> None:
    """Depth in a few pairs of frames is not the depth of a head."""
    head = solid_face(np.random.default_rng(5))
    poses = [(0, 0, 0), (8, 0, 0), (0, 8, 0), (-8, 0, 0), (0, -8, 0), (8, 8, 0), (-8, -8, 0)]
    folded, flat = filmed(head * [1, 1, 2], list(poses)), filmed(head * [1, 1, 0], list(poses))
    points = flat.turn_points.copy()
    points[:2] = folded.turn_points[:2]
    assert abs(relief(track(flat.landmarks, flat.pose_deg, flat.turn_rows, points)).depth) < 0.1


def test_points_that_were_lost_are_left_out() -> None:
    """Lost points change nothing, and a pair that lost most of them is not counted."""
    whole = filmed(solid_face(np.random.default_rng(5)), [(0, 0, 0), (8, 0, 0), (0, 8, 0)])
    points = whole.turn_points.copy()
    points[0, 60:] = np.nan
    points[1, 10:] = np.nan
    found = relief(track(whole.landmarks, whole.pose_deg, whole.turn_rows, points))
    assert found.pairs == 1
    assert found.depth == pytest.approx(1, abs=0.2)


def test_without_turns_there_is_no_depth() -> None:
    """No pair of frames, no number."""
    found = relief(filmed(solid_face(np.random.default_rng(5)), [(0, 0, 0)]))
    assert found.pairs == 0
    assert np.isnan(found.depth)


@pytest.fixture(scope="module")
def watched(kit: ModelKit) -> Callable[[str], FaceTrack]:
    """Return a function that observes a fixture, once."""
    known: dict[str, FaceTrack] = {}

    def watch(name: str) -> FaceTrack:
        if name not in known:
            with open_recording(FIXTURES[name].file, limits=Settings().media) as source:
                found = observe(source.frames(max_fps=15.0), kit, duration_s=source.info.duration_s)
            assert isinstance(found, FaceTrack)
            known[name] = found
        return known[name]

    return watch


@pytest.mark.parametrize("name", ["astronaut_bona_fide", "admiral_bona_fide", "dark"])
def test_a_head_that_turns_shows_its_depth(watched: Callable[[str], FaceTrack], name: str) -> None:
    """The heads of the studio are solid, in the dark too, and every turn is measured."""
    face = watched(name)
    assert 0.33 < relief(face).depth < 1.5
    assert len(face.turn_rows) > 8 * len([turn for turn in FIXTURES[name].challenge.turns if turn in Turn])
    assert np.all(face.turn_rows[:, 0] < face.turn_rows[:, 1])
    assert face.turn_points.shape == (len(face.turn_rows), len(SKIN), 2)


def test_a_head_at_rest_is_not_followed(watched: Callable[[str], FaceTrack]) -> None:
    """Where nothing turns, nothing is measured and nothing is paid for."""
    assert len(watched("still_photo").turn_rows) == 0


def test_a_photograph_turned_before_the_camera_is_flat(kit: ModelKit) -> None:
    """Turned by up to 45 degrees the landmark model reports a head that turns; the picture has no depth."""
    face = flat_turn(kit)
    assert np.ptp(face.pose_deg[:, 0]) > 8
    found = relief(face)
    assert found.pairs >= 4
    assert abs(found.depth) < 0.25


def flat_turn(kit: ModelKit) -> FaceTrack:
    """Return the track of one frame of a fixture, warped as a sheet that is turned about its upright axis."""
    import cv2  # noqa: PLC0415 - only this one draws

    with open_recording(FIXTURES["admiral_bona_fide"].file, limits=Settings().media) as source:
        still = next(iter(source.frames(max_fps=15.0))).rgb

    def askew(degrees: float) -> U8:
        height, width = still.shape[:2]
        focal, (sine, cosine) = 1.1 * width, (np.sin(np.radians(degrees)), np.cos(np.radians(degrees)))
        to_middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
        turned = np.array([[cosine, 0, 0], [0, 1, 0], [sine / focal, 0, 1]])
        picture = cv2.warpPerspective(still, np.linalg.inv(to_middle) @ turned @ to_middle, (width, height))
        return np.asarray(picture, np.uint8)

    frames = [Frame(i / 15, askew(45 * np.sin(2 * np.pi * i / 30))) for i in range(31)]
    found = observe(frames, kit, duration_s=2.0)
    assert isinstance(found, FaceTrack)
    return found


def test_pairs_are_limited_and_spread() -> None:
    """A head that never stops turning costs no more than the limit, and its end is still looked at."""
    rng = np.random.default_rng(2)
    head, picture = solid_face(rng), rng.integers(0, 255, (480, 640, 3), np.uint8)
    parallax = Parallax(20.0)
    for i in range(300):
        pose = (20 * np.sin(i / 5), 0.0, 0.0)
        parallax.add(i, i / 15, picture, seen(head, pose), pose)
    rows = parallax.rows()
    assert BURST + 0.8 * PAIRS < len(rows) <= BURST + PAIRS
    assert rows[-1, 1] > 280
    assert np.all(rows[:, 1] - rows[:, 0] <= 30)


def test_a_face_outside_the_picture_is_left_out() -> None:
    """Landmarks that lie beyond the border cut nothing out and raise nothing."""
    parallax, picture = Parallax(2.0), np.zeros((480, 640, 3), np.uint8)
    head = solid_face(np.random.default_rng(2))
    for i in range(10):
        parallax.add(i, i / 15, picture, seen(head, (2.0 * i, 0, 0)) + np.float32([5000, 0, 0]), (2.0 * i, 0.0, 0.0))
    assert len(parallax.rows()) == 0
    assert parallax.points().shape == (0, len(SKIN), 2)
