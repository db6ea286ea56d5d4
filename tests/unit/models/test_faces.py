from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.errors import ModelKitError
from cameo_verifier.media import open_recording
from cameo_verifier.models.crop import crop_scaled, face_box, squared
from cameo_verifier.models.face_embedding import FaceEmbedder, five_points
from cameo_verifier.models.presentation_attack import PresentationAttackScorer
from cameo_verifier.settings import MediaLimits, Settings
from cameo_verifier.types import Frame

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.models.landmarks import FaceLandmarker
    from cameo_verifier.types import U8, FaceObservation

STILL = MediaLimits(max_bytes=1 << 26)


def read(path: Path) -> U8:
    """One picture, upright, as a recording's frames come."""
    with open_recording(path, limits=STILL) as still:
        return next(still.frames()).rgb


@given(
    left=st.floats(-50, 250),
    top=st.floats(-50, 150),
    width=st.floats(5, 400),
    height=st.floats(5, 400),
    scale=st.floats(0.5, 5),
)
def test_a_crop_never_leaves_the_picture(left: float, top: float, width: float, height: float, scale: float) -> None:
    """Whatever the box, the crop shows only pixels of the picture and has the size asked for."""
    picture = np.full((200, 300, 3), 200, np.uint8)

    crop = crop_scaled(picture, (left, top, width, height), scale=scale, side_px=32)

    assert crop.shape == (32, 32, 3)
    assert np.all(crop == 200)


def test_a_crop_at_the_border_is_shifted_in_and_one_too_large_is_limited() -> None:
    """The box keeps its scaled size where it can by moving, and is made smaller only where the picture is."""
    x = np.tile(np.arange(300, dtype=np.uint8)[None, :, None], (200, 1, 3)).astype(np.uint8)

    shifted = crop_scaled(x, (0.0, 80.0, 40.0, 40.0), scale=2, side_px=81)
    limited = crop_scaled(x, (60.0, 50.0, 100.0, 100.0), scale=9, side_px=200)

    assert (shifted[0, 0, 0], shifted[0, -1, 0]) == (0, 80)
    assert (limited[0, 0, 0], limited[0, -1, 0]) == (10, 209)


def test_a_square_keeps_the_centre_and_the_longer_side() -> None:
    """Squaring a box grows its shorter side around the same centre."""
    assert squared((10.0, 20.0, 30.0, 50.0)) == (0.0, 20.0, 50.0, 50.0)


def test_the_five_points_are_in_the_order_arcface_was_trained_on(astronaut_face: FaceObservation) -> None:
    """Eyes, nose, mouth corners; of each pair the one on the left of the picture first."""
    right_eye, left_eye, nose, mouth_right, mouth_left = five_points(astronaut_face.landmarks)

    assert right_eye[0] < nose[0] < left_eye[0]
    assert mouth_right[0] < mouth_left[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(mouth_right[1], mouth_left[1])


def test_an_aligned_face_has_its_eyes_where_arcface_wants_them(
    astronaut: U8, landmarker: FaceLandmarker, astronaut_face: FaceObservation, kit: ModelKit
) -> None:
    """A face turned in the picture comes out upright, at the template's scale, in RGB."""
    turn = cv2.getRotationMatrix2D((224, 120), 20, 0.8)
    rotated = cv2.warpAffine(astronaut, turn, (512, 512))
    (face,) = landmarker.detect(Frame(0.0, rotated))

    upright = kit.face_embedder.align(astronaut, astronaut_face.landmarks)
    turned = kit.face_embedder.align(rotated, face.landmarks)

    assert upright.shape == turned.shape == (112, 112, 3)
    assert upright.dtype == np.uint8
    assert upright[..., 0].mean() > upright[..., 2].mean(), "skin is redder than blue"
    assert np.corrcoef(upright[20:100, 20:92].ravel(), turned[20:100, 20:92].ravel())[0, 1] > 0.95


def test_an_embedding_has_unit_length_and_survives_a_turn_of_the_picture(
    astronaut: U8, landmarker: FaceLandmarker, astronaut_face: FaceObservation, kit: ModelKit
) -> None:
    """The same face turned and smaller, or darker, is still the same."""
    embedder = kit.face_embedder
    embedding = embedder.embed(embedder.align(astronaut, astronaut_face.landmarks))
    rotated = cv2.warpAffine(astronaut, cv2.getRotationMatrix2D((224, 120), 20, 0.7), (512, 512))
    (face,) = landmarker.detect(Frame(0.0, rotated))

    assert embedding.shape == (512,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-6)
    assert embedding @ embedder.embed(embedder.align(rotated, face.landmarks)) > 0.85
    assert embedding @ embedder.embed(embedder.align((astronaut * 0.6).astype(np.uint8), astronaut_face.landmarks)) > 0.9


def test_colours_are_fed_to_the_embedder_in_the_right_order(
    astronaut: U8, astronaut_face: FaceObservation, kit: ModelKit
) -> None:
    """The runner gives what (x - 127.5) / 127.5 in RGB gives when the network is run by hand."""
    aligned = kit.face_embedder.align(astronaut, astronaut_face.landmarks)
    session = kit.face_embedder._recognizer.session
    blob = ((aligned.astype(np.float32) - 127.5) / 127.5).transpose(2, 0, 1)[None]
    (by_hand,) = session.run(None, {session.get_inputs()[0].name: blob})

    np.testing.assert_allclose(kit.face_embedder.embed(aligned), by_hand[0] / np.linalg.norm(by_hand[0]), atol=1e-6)


def test_a_network_that_is_no_face_recogniser_is_refused(kit: ModelKit) -> None:
    """A file of another input size is refused by name instead of giving numbers that mean nothing."""
    path = Settings().models / "presentation_attack.onnx"

    with pytest.raises(ModelKitError, match=r"presentation_attack.onnx takes \[1, 3, 128, 128\].*\(1, 3, 112, 112\)"):
        FaceEmbedder(path, threads=1)
    assert kit.face_embedder is kit.face_embedder


def test_a_screen_around_the_face_lowers_the_live_score(
    astronaut: U8, astronaut_face: FaceObservation, landmarker: FaceLandmarker, kit: ModelKit
) -> None:
    """A portrait held up as a small bright picture in a dark frame looks less alive than the portrait itself."""
    live = kit.presentation_attack.score(astronaut, astronaut_face.landmarks)
    held = np.full((480, 640, 3), 12, np.uint8)
    held[112:368, 192:448] = cv2.resize(astronaut[:256, 96:352], (256, 256))
    (face,) = landmarker.detect(Frame(0.0, held))

    assert 0.9 < live <= 1
    assert kit.presentation_attack.score(held, face.landmarks) < live


def test_an_adult_is_estimated_to_be_an_adult(astronaut: U8, astronaut_face: FaceObservation, kit: ModelKit) -> None:
    """The portrait of a woman of 43 comes out between 28 and 55, by either network."""
    assert 28 < kit.age.estimate(astronaut, astronaut_face.landmarks) < 55
    assert 28 < kit.dlib_age.estimate(astronaut, astronaut_face.landmarks) < 55


def test_a_face_box_spans_the_landmarks(astronaut_face: FaceObservation) -> None:
    """The box touches the outermost landmarks."""
    left, top, width, height = face_box(astronaut_face.landmarks)

    assert (left, top) == pytest.approx(astronaut_face.landmarks[:, :2].min(axis=0))
    assert (left + width, top + height) == pytest.approx(astronaut_face.landmarks[:, :2].max(axis=0))


def test_a_missing_network_names_the_command(tmp_path: Path) -> None:
    """Opening an adapter on nothing is our error with the command that mends it."""
    with pytest.raises(ModelKitError, match=r"nothing.onnx is missing; run: cameo models pull"):
        PresentationAttackScorer(tmp_path / "nothing.onnx", threads=1)


@pytest.mark.devdata
def test_stills_of_prints_and_screens_score_below_stills_of_people(
    devdata: Path, kit: ModelKit, landmarker: FaceLandmarker
) -> None:
    """Selfies and the genuine test picture score above 0.5, the print and the tablet below 0.1."""

    def live(path: Path) -> float:
        rgb = read(path)
        return kit.presentation_attack.score(rgb, landmarker.detect(Frame(0.0, rgb))[0].landmarks)

    genuine = [live(path) for path in (*sorted((devdata / "headturn").glob("*selfie.jpg")), devdata / "replay" / "image_T1.jpg")]
    attacks = [live(devdata / "replay" / name) for name in ("image_F1.jpg", "image_F2.jpg")]

    assert min(genuine) > 0.5, genuine
    assert max(attacks) < 0.1, attacks
