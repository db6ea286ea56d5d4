from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.models.landmarks import FaceLandmarker, head_pose_deg
from cameo_verifier.settings import Settings
from cameo_verifier.types import Frame

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import F32, U8, FaceObservation

angles = st.floats(-80, 80)


def transform(yaw: float, pitch: float, roll: float, scale: float) -> F32:
    """A head turned to its left, up, and leaning to its left shoulder; x is its left, y up, z towards the camera."""
    a, b, c = (math.radians(angle) for angle in (yaw, -pitch, -roll))
    about_y = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    about_z = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = scale * about_y @ about_x @ about_z
    matrix[:3, 3] = (3, -2, -40)
    return matrix.astype(np.float32)


@given(yaw=angles, pitch=angles, roll=angles, scale=st.floats(0.5, 2))
def test_a_pose_is_read_back_whatever_the_scale(yaw: float, pitch: float, roll: float, scale: float) -> None:
    """Yaw, pitch and roll come out of the matrix they went into, within a hundredth of a degree."""
    assert head_pose_deg(transform(yaw, pitch, roll, scale)) == pytest.approx((yaw, pitch, roll), abs=0.01)


def test_a_face_comes_with_pixels_blendshapes_and_pose(astronaut: U8, astronaut_face: FaceObservation) -> None:
    """Landmarks lie in pixels of the picture, depth in the same scale, and a portrait looks roughly ahead."""
    height, width = astronaut.shape[:2]
    landmarks = astronaut_face.landmarks

    assert landmarks.shape == (478, 3)
    assert landmarks.dtype == np.float32
    assert 0 < landmarks[:, 0].min() < landmarks[:, 0].max() < width
    assert 0 < landmarks[:, 1].min() < landmarks[:, 1].max() < height
    assert landmarks[1, 2] < landmarks[234, 2], "the nose is nearer than the cheek"
    assert landmarks[468, 0] < landmarks[473, 0], "the person's right eye is on the left of the picture"
    assert astronaut_face.blendshapes.shape == (52,)
    assert np.all((astronaut_face.blendshapes >= 0) & (astronaut_face.blendshapes <= 1))
    assert max(map(abs, head_pose_deg(astronaut_face.transform))) < 25


def test_a_mirrored_picture_turns_the_head_the_other_way(astronaut: U8, landmarker: FaceLandmarker) -> None:
    """Mirroring changes the sign of yaw and roll, and of nothing else."""
    rotated = cv2.warpAffine(astronaut, cv2.getRotationMatrix2D((224, 120), -15, 1), (512, 512))
    (plain,) = landmarker.detect(Frame(0.0, rotated))
    (mirrored,) = landmarker.detect(Frame(0.0, np.ascontiguousarray(rotated[:, ::-1])))
    yaw, pitch, roll = head_pose_deg(plain.transform)

    assert roll > 5, "the picture was turned clockwise: the head leans to its left shoulder"
    assert head_pose_deg(mirrored.transform) == pytest.approx((-yaw, pitch, -roll), abs=4)


def test_the_largest_face_comes_first(astronaut: U8, landmarker: FaceLandmarker) -> None:
    """Of two faces the larger is the first, wherever it stands."""
    head = astronaut[:256, 96:352]
    canvas = np.full((256, 512, 3), 90, np.uint8)
    canvas[:192, :192] = cv2.resize(head, (192, 192))
    canvas[:, 256:] = head

    for picture, first_is_right in ((canvas, True), (np.ascontiguousarray(canvas[:, ::-1]), False)):
        faces = landmarker.detect(Frame(0.0, picture))
        assert len(faces) == 2
        assert [face.landmarks[1, 0] > 256 for face in faces] == [first_is_right, not first_is_right]


def test_no_face_is_an_empty_answer(landmarker: FaceLandmarker) -> None:
    """A picture of nobody yields no face rather than an error."""
    assert landmarker.detect(Frame(0.0, np.full((240, 320, 3), 128, np.uint8))) == ()


def test_the_same_frames_give_the_same_landmarks_to_the_bit(astronaut: U8, kit: ModelKit) -> None:
    """Tracking a recording twice computes the same, so that a replay can be compared exactly."""

    def track() -> list[bytes]:
        with kit.landmarker(max_faces=1, video=True) as landmarker:
            shifted = [np.roll(astronaut, 3 * step, axis=1) for step in range(4)]
            return [landmarker.detect(Frame(step / 15, rgb))[0].landmarks.tobytes() for step, rgb in enumerate(shifted)]

    assert track() == track()


def test_frames_of_the_same_millisecond_are_still_in_order(astronaut: U8, kit: ModelKit) -> None:
    """Times that round to one millisecond do not stop the tracker."""
    with kit.landmarker(max_faces=1, video=True) as landmarker:
        assert [len(landmarker.detect(Frame(0.0001 * step, astronaut))) for step in range(3)] == [1, 1, 1]


@pytest.mark.models
def test_opening_is_silent_and_closing_twice_does_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """The native library's chatter stays out of the service's error stream."""
    with ModelKit.open(Settings()) as kit, kit.landmarker(max_faces=1, video=True) as landmarker:
        landmarker.close()
        landmarker.close()

    assert capfd.readouterr().err == ""


def test_a_file_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    """A damaged or missing file is our error with the command to run, not the library's."""
    path = tmp_path / "face_landmarker.task"

    with pytest.raises(ModelKitError, match=r"face_landmarker.task is missing; run: cameo models pull"):
        FaceLandmarker(path, max_faces=1, video=False)
    path.write_bytes(b"no bundle at all")
    with pytest.raises(ModelKitError, match=r"face_landmarker.task cannot be loaded; run: cameo models pull"):
        FaceLandmarker(path, max_faces=1, video=False)
