"""dlib's age network: the chip it looks at, and what is made of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cameo_verifier.errors import ModelKitError
from cameo_verifier.evidence.picture import observe
from cameo_verifier.models.dlib_age import DlibAgeEstimator, expected_age, face_chip
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.types import FaceTrack, Frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cameo_verifier.settings import Settings
    from cameo_verifier.types import F32, U8, FaceObservation

CORNERS_AND_NOSE = (263, 362, 33, 133, 2)
# dlib's mean face on the unit square, outer and inner eye corners and the base of the nose, and where it puts them in a chip of
# 64 px with a padding of a fifth: (0.2 + p) / 1.4, of the 63 px from the centre of the first pixel to that of the last.
MEAN_FACE = np.array(
    [(0.85957, 0.21350), (0.64606, 0.22897), (0.12058, 0.21373), (0.33409, 0.22906), (0.49011, 0.62780)], np.float64
)
IN_CHIP = (0.2 + MEAN_FACE) / 1.4 * 63
SIZE = (640, 800)


def mesh(points: np.ndarray) -> F32:
    """Landmarks with only those set that the chip is aligned by."""
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[list(CORNERS_AND_NOSE), :2] = points
    return landmarks


def placed(side: float, turned_deg: float, centre: tuple[float, float]) -> np.ndarray:
    """The mean face as large as `side` px, turned in the picture about its own centre, which lies at `centre`."""
    turn = np.deg2rad(turned_deg)
    rotation = np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
    return (MEAN_FACE - 0.5) * side @ rotation.T + centre


def with_dot(point: Sequence[float], radius: float) -> U8:
    """A dark picture with a white disc at a point, which counts from the corner of the first pixel."""
    rows, columns = np.ogrid[0.5 : SIZE[0], 0.5 : SIZE[1]]
    picture = np.full((*SIZE, 3), 20, np.uint8)
    picture[(columns - point[0]) ** 2 + (rows - point[1]) ** 2 <= radius**2] = 255
    return picture


def centre_of(chip: U8) -> np.ndarray:
    """Where the disc is in a chip, in px from the centre of the first one; outside the picture a chip is darker than the rest."""
    light = np.maximum(chip.astype(np.float64)[..., 0] - 20, 0)
    rows, columns = np.mgrid[0:64, 0:64]
    return np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum()


@given(
    side=st.floats(40, 300),
    turned_deg=st.floats(-40, 40),
    x=st.floats(250, 550),
    y=st.floats(250, 390),
    point=st.integers(0, 4),
)
@settings(max_examples=40)
def test_a_face_lands_where_dlibs_mean_face_has_it(side: float, turned_deg: float, x: float, y: float, point: int) -> None:
    """Whatever its size, its place and its turn in the picture, each of the five points comes out at its place in the chip."""
    points = placed(side, turned_deg, (x, y))
    chip = face_chip(with_dot(points[point], radius=side / 20), mesh(points))
    np.testing.assert_allclose(centre_of(chip), IN_CHIP[point], atol=0.5)


@given(moved=arrays(np.float64, (5, 2), elements=st.floats(-12, 12)))
@settings(max_examples=20)
def test_a_face_that_is_no_mean_face_is_fitted_by_least_squares(moved: np.ndarray) -> None:
    """The similarity from the mean face that misses the five points the least puts a mark above the nose where it says."""
    points = placed(180, 10, (400, 320)) + moved
    design = np.stack([IN_CHIP @ (1, 1j), np.ones(5)], axis=1)
    turn, shift = np.linalg.lstsq(design, (points - 0.5) @ (1, 1j), rcond=None)[0]
    mark = (31 + 25j) * turn + shift + (0.5 + 0.5j)
    np.testing.assert_allclose(centre_of(face_chip(with_dot((mark.real, mark.imag), 9), mesh(points))), (31, 25), atol=0.5)


def test_outside_the_picture_the_chip_is_black() -> None:
    """As with dlib; a face that is cut by the edge keeps its place."""
    grey = np.full((*SIZE, 3), 90, np.uint8)
    cut = face_chip(grey, mesh(placed(120, 0, (0, 320))))
    assert (cut[32, 0] == 0).all()
    assert (cut[32, 63] == 90).all()
    assert not face_chip(grey, mesh(placed(120, 0, (-900, -900)))).any()
    assert not face_chip(grey, mesh(placed(120, 0, (2000, 2000)))).any()


@pytest.mark.parametrize("value", [100.0, float("nan"), float("inf")])
def test_a_face_without_a_shape_is_refused(value: float) -> None:
    """Five points that are one, or not numbers, have no similarity to anything."""
    with pytest.raises(ValueError, match="cannot be aligned"):
        face_chip(np.zeros((*SIZE, 3), np.uint8), mesh(np.full((5, 2), value)))


def test_the_expected_age_is_the_mean_of_the_years_the_bins_stand_for() -> None:
    """The first bin is a quarter of a year, the others their number of years; what does not add up to 1 is scaled."""
    bins = np.zeros((3, 81), np.float32)
    bins[0, 0] = bins[1, 80] = 1
    bins[2, [0, 1, 2, 40]] = 0.4, 0.2, 0.2, 0.2
    assert [expected_age(row) for row in bins] == pytest.approx([0.25, 80, 0.1 + 0.2 + 0.4 + 8])
    assert expected_age(np.full(81, 3, np.float32)) == pytest.approx((0.25 + sum(range(1, 81))) / 81)


def test_the_network_is_shown_what_it_was_trained_on(
    astronaut: U8, astronaut_face: FaceObservation, kit: ModelKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Colour means taken off, a 256th, RGB, channels first; the answer is the expected age of what it says."""
    shown = []
    session = kit.dlib_age._session

    class Watched:
        def run(self, outputs: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            shown.append(inputs["images"])
            return session.run(outputs, inputs)

    monkeypatch.setattr(kit.dlib_age, "_session", Watched())
    years = kit.dlib_age.estimate(astronaut, astronaut_face.landmarks)
    chip = face_chip(astronaut, astronaut_face.landmarks).astype(np.float64)
    means = np.array([122.782, 117.001, 104.298])
    np.testing.assert_allclose(shown[0], ((chip - means) / 256).transpose(2, 0, 1)[None], atol=1e-6)
    assert years == pytest.approx(expected_age(session.run(None, {"images": shown[0]})[0][0]))


def test_the_evidence_keeps_what_both_networks_say(astronaut: U8, astronaut_face: FaceObservation, kit: ModelKit) -> None:
    """A row for each picture, the kit's network first."""
    track = observe([Frame(0.0, astronaut)], kit, duration_s=1.0, still=True)
    assert isinstance(track, FaceTrack)
    both = [network.estimate(astronaut, astronaut_face.landmarks) for network in (kit.age, kit.dlib_age)]
    np.testing.assert_allclose(track.ages, [both], atol=0.5)
    assert abs(both[0] - both[1]) > 1


def test_a_kit_without_the_file_names_it_and_the_command(empty_site: Settings) -> None:
    """A kit that was pulled before the second network was part of it says how to get it."""
    with ModelKit.open(empty_site) as kit, pytest.raises(ModelKitError, match=r"age_dlib.onnx .*run `cameo models pull`"):
        _ = kit.dlib_age


def test_a_file_that_is_no_network_is_our_error(tmp_path: Path) -> None:
    """Not the runtime's."""
    (tmp_path / "age_dlib.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelKitError, match=r"age_dlib.onnx"):
        DlibAgeEstimator(tmp_path / "age_dlib.onnx", threads=1)
