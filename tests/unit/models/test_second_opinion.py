"""A second opinion on presentation attacks, from the setting to the verdict, with networks that can be computed by hand."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier import profiles
from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import index
from cameo_verifier.models.crop import crop_scaled, face_box
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.models.second_opinion import MANIFEST, SecondOpinion
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack, Outcome, Verdict
from cameo_verifier.workers.judge import OpenJudge, Response
from fixtures.manifest import load as load_fixtures
from tests.second_opinion import AGAINST_ALL, BY_COLOUR, SIDE_PX, save_network, write_folder, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.crop import Box
    from cameo_verifier.types import F32, U8, FaceObservation, Judgement

CLIP = next(fixture for fixture in load_fixtures() if fixture.id == "astronaut_bona_fide")
OTHER = BY_COLOUR[::-1].copy()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two networks with the authors' scales."""
    return write_folder(tmp_path / "second", v2=(BY_COLOUR, 2.7), v1se=(OTHER, 4.0))


def authors_box(size: tuple[int, int], box: Box, scale: float) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom, inclusive, as the authors' code has them in a picture of `size` (width, height)."""
    near, far = [], []
    scale = min(scale, *((length - 1) / side for length, side in zip(size, box[2:], strict=True)))
    for length, start, side in zip(size, box[:2], box[2:], strict=True):
        low = start + side / 2 - side * scale / 2
        high = low + side * scale
        low, high = (0.0, high - low) if low < 0 else (low, high)
        low, high = (low - (high - length + 1), length - 1.0) if high > length - 1 else (low, high)
        near.append(int(low))
        far.append(int(high))
    return near[0], near[1], far[0], far[1]


def by_hand(rgb: U8, landmarks: F32, matrix: F32, scale: float) -> float:
    """Return the probability of a live face by the authors' steps: crop, sample down, BGR as 0..255, softmax, index 1."""
    left, top, right, bottom = authors_box((rgb.shape[1], rgb.shape[0]), face_box(landmarks), scale)
    seen = cv2.resize(rgb[top : bottom + 1, left : right + 1, ::-1], (SIDE_PX, SIDE_PX))
    odds = np.exp(seen.reshape(-1, 3).mean(axis=0) / 255 @ matrix.astype(np.float64))
    return float(odds[1] / odds.sum())


def test_the_wide_crop_has_the_mean_of_both_opinions(
    folder: Path, kit: ModelKit, astronaut: U8, astronaut_face: FaceObservation
) -> None:
    """Half the kit's network, half the mean of the folder's, each with its own crop; the closer crop is the kit's alone."""
    marks = astronaut_face.landmarks
    first = [by_hand(astronaut, marks, BY_COLOUR, 2.7), by_hand(astronaut, marks, OTHER, 4.0)]
    assert abs(first[0] - first[1]) > 0.1
    with SecondOpinion(folder, threads=1) as second:
        assert second.score(astronaut, marks) == pytest.approx(np.mean(first), abs=1e-4)
    with ModelKit.open(Settings(pad_second=folder)) as both:
        alone = kit.presentation_attack.score(astronaut, marks)
        assert both.presentation_attack.score(astronaut, marks) == pytest.approx((alone + np.mean(first)) / 2, abs=1e-4)
        assert both.presentation_attack.score_close(astronaut, marks) == kit.presentation_attack.score_close(astronaut, marks)


def test_the_scale_of_the_manifest_is_the_crop(tmp_path: Path, astronaut: U8, astronaut_face: FaceObservation) -> None:
    """Another scale sees another part of the picture."""
    for number, scale in enumerate((1.0, 2.7, 4)):
        with SecondOpinion(write_folder(tmp_path / str(number), v2=(BY_COLOUR, scale)), threads=1) as second:
            expected = by_hand(astronaut, astronaut_face.landmarks, BY_COLOUR, scale)
            assert second.score(astronaut, astronaut_face.landmarks) == pytest.approx(expected, abs=1e-4)


@given(
    left=st.floats(-30, 230),
    top=st.floats(-30, 180),
    width=st.floats(20, 240),
    height=st.floats(20, 190),
    scale=st.sampled_from((2.7, 4.0)),
)
def test_a_crop_is_where_the_authors_have_it(left: float, top: float, width: float, height: float, scale: float) -> None:
    """Wherever the face is, the box is limited and shifted into the picture as by the authors' code; rounding apart, a px."""
    places = np.zeros((200, 256, 3), np.uint8)
    places[..., 0], places[..., 1] = np.arange(256), np.arange(200)[:, None]
    box = (left, top, width, height)
    seen = crop_scaled(places, box, scale=scale, side_px=512, interpolation=cv2.INTER_NEAREST)
    found = [int(seen[..., 0].min()), int(seen[..., 1].min()), int(seen[..., 0].max()), int(seen[..., 1].max())]
    np.testing.assert_allclose(found, authors_box((256, 200), box, scale), atol=1)


def _lacks_a_file(folder: Path) -> None:
    (folder / "v1se.onnx").unlink()


def _lacks_the_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def _altered(folder: Path) -> None:
    content = bytearray((folder / "v1se.onnx").read_bytes())
    content[-20] ^= 1
    (folder / "v1se.onnx").write_bytes(content)


def _no_onnx(folder: Path) -> None:
    (folder / "v1se.onnx").write_bytes(b"weights as the authors ship them, .pth")
    write_manifest(folder, [("v1se.onnx", 4.0)])


def _empty(folder: Path) -> None:
    (folder / "v1se.onnx").write_bytes(b"")
    write_manifest(folder, [("v1se.onnx", 4.0)])


def _weights_elsewhere(folder: Path) -> None:
    model = onnx.load(folder / "v1se.onnx")
    options = {"save_as_external_data": True, "location": "v1se.data", "size_threshold": 0, "convert_attribute": True}
    onnx.save(model, folder / "v1se.onnx", **options)
    write_manifest(folder, [("v1se.onnx", 4.0)])


def _another_size(folder: Path) -> None:
    save_network(folder / "v1se.onnx", OTHER, side_px=128)
    write_manifest(folder, [("v1se.onnx", 4.0)])


def _two_classes(folder: Path) -> None:
    save_network(folder / "v1se.onnx", OTHER[:, :2])
    write_manifest(folder, [("v1se.onnx", 4.0)])


def _probabilities(folder: Path) -> None:
    save_network(folder / "v1se.onnx", OTHER, softmax=True)
    write_manifest(folder, [("v1se.onnx", 4.0)])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_lacks_a_file, r"second/v1se.onnx .* is missing: put it there, or take it out of manifest.toml"),
        (_lacks_the_manifest, r"second/manifest.toml .* write a \[\[network\]\] for each file, with file, sha256 and scale"),
        (
            _altered,
            r"second/v1se.onnx .* is not the file of manifest.toml, its SHA-256 is [0-9a-f]{64}: put the right file there",
        ),
        (_no_onnx, r"second/v1se.onnx .* is no ONNX file: export it anew"),
        (_empty, r"second/v1se.onnx .* is no network that can be loaded: export it anew"),
        (_weights_elsewhere, r"second/v1se.onnx .* keeps its weights in another file, which nothing checks: export it anew"),
        (_another_size, r"second/v1se.onnx .* takes \[1, 3, 128, 128\].*\(1, 3, 80, 80\); export it anew"),
        (_two_classes, r"second/v1se.onnx .* gives \(1, 2\), not \(1, 3\) finite logits: export it anew"),
        (_probabilities, r"second/v1se.onnx .* gives probabilities, not logits; leave its softmax out"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_by_name(folder: Path, spoil: object, message: str) -> None:
    """The kit does not open, and says which file and what to do."""
    assert callable(spoil)
    spoil(folder)
    with pytest.raises(ModelKitError, match=message):
        ModelKit.open(Settings(pad_second=folder))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "or none"),
        ("[network]\n", "or none"),
        ('schema = 1\n[[network]]\nfile = "a"\n', "something else than tables"),
        ('[[network]]\nfile = "a"\nsha256 = "0"\n', "other keys than file, sha256 and scale"),
        ('[[network]]\nfile = "a"\nsha256 = "0"\nscale = 2.7\nsize = 80\n', "other keys than file, sha256 and scale"),
        ('[[network]]\nfile = "../a"\nsha256 = "0"\nscale = 2.7\n', "'../a' is not the name of a file in this folder"),
        ('[[network]]\nfile = "a"\nsha256 = 0\nscale = 2.7\n', "sha256 of a is not text"),
        ('[[network]]\nfile = "a"\nsha256 = "0"\nscale = 27\n', "scale of a is 27, not a number from 1 to 8"),
        ('[[network]]\nfile = "a"\nsha256 = "0"\nscale = nan\n', "scale of a is nan"),
        ('[[network]]\nfile = "a"\nsha256 = "0"\nscale = "2.7"\n', "scale of a is '2.7'"),
        ('[[network]]\nfile = "a"\nsha256 = "0"\nscale = 2\n' * 2, "names one file twice"),
        ("[[network\n", "at line 1"),
    ],
)
def test_a_manifest_is_read_strictly(tmp_path: Path, text: str, message: str) -> None:
    """A slip never changes what is loaded or how; the message names the manifest."""
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ModelKitError, match=rf"{MANIFEST} \(pad_second\) cannot be used: .*{message}"):
        ModelKit.open(Settings(pad_second=tmp_path))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path is found when the kit opens, in the server's worker too."""
    settings = Settings(pad_second=tmp_path / "none")
    for opens in (lambda: ModelKit.open(settings), OpenJudge(settings, profiles.load())):
        with pytest.raises(
            ModelKitError, match=r"pad_second .*none: there is no such folder; give that of the networks, or unset"
        ):
            opens()


def test_the_environment_names_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off by default; `CAMEO_PAD_SECOND` turns it on."""
    assert Settings().pad_second is None
    monkeypatch.setenv("CAMEO_PAD_SECOND", str(folder))
    assert Settings().pad_second == folder


def test_the_digest_covers_files_and_crops(folder: Path, kit: ModelKit) -> None:
    """It is that of the manifest, so another scale is another digest; without the setting there is none."""
    with ModelKit.open(Settings(pad_second=folder)) as one:
        before = one.digests
    assert {name: digest for name, digest in before.items() if kit.digests.get(name) != digest} == {
        "presentation-attack-second": index.sha256(folder / MANIFEST)
    }
    write_manifest(folder, [("v2.onnx", 2.7), ("v1se.onnx", 3.9)])
    with ModelKit.open(Settings(pad_second=folder)) as other:
        assert other.digests["presentation-attack-second"] != before["presentation-attack-second"]


def _judged(settings: Settings, profile: profiles.Profile) -> Judgement:
    """Judge the clip as a worker of the server does, with what is carried to it."""
    judge = pickle.loads(pickle.dumps(OpenJudge(settings, profile)))()  # noqa: S301 - our own bytes
    judgement: Judgement = judge(Response(CLIP.file.read_bytes(), CLIP.challenge), lambda: False)
    return judgement


@pytest.mark.models
def test_a_verdict_can_turn_on_it(tmp_path: Path) -> None:
    """A second opinion against everybody halves every frame, shows in the digests, and fails a profile whose line lies above.

    It does not accuse where the closer crop is sure of a live face.
    """
    file = tmp_path / "site.toml"
    file.write_text(
        'extends = "default"\n[thresholds.live_p20_min]\nvalue = 0.6\nunit = "p(live)"\n'
        'direction = "at_least"\nsource = "a test"\n'
    )
    against = write_folder(tmp_path / "second", v2=(AGAINST_ALL, 2.7))
    alone, both = (_judged(settings, profiles.load(str(file))) for settings in (Settings(), Settings(pad_second=against)))

    assert isinstance(alone.evidence.face, FaceTrack)
    assert isinstance(both.evidence.face, FaceTrack)
    np.testing.assert_allclose(both.evidence.face.live, alone.evidence.face.live / 2, atol=1e-3)
    np.testing.assert_array_equal(both.evidence.face.live_close, alone.evidence.face.live_close)
    assert "model:presentation-attack-second" not in alone.digests
    assert both.digests["model:presentation-attack-second"] == index.sha256(against / MANIFEST)
    found = next(check for check in both.checks if check.name == "presentation_attack")
    assert (found.outcome, found.reason) == (Outcome.FAIL, Reason.TOO_DARK)
    assert (alone.decision.verdict, both.decision.verdict) == (Verdict.ACCEPTED, Verdict.RETRY)
