"""Figures that are not over time, and the frames that checks cropped, in numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.console.pictures import PICTURES, pictures
from cameo_verifier.evidence.relief import pairs
from cameo_verifier.media.recording import looked_at
from cameo_verifier.models.crop import CLOSE, WIDE, face_box
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, FaceTrack, MediaInfo, Missing

if TYPE_CHECKING:
    from cameo_verifier.console.pictures import Picture
    from tests.unit.review.stored import Judged

PROFILE = profiles.load()


def made(evidence: Evidence) -> dict[str, Picture]:
    """Return the pictures by id."""
    return {each.id: each for each in pictures(evidence, PROFILE)}


def of(judged: Judged, name: str) -> tuple[Evidence, FaceTrack]:
    """Return the evidence of a committed recording, and its face."""
    evidence = judged(name)[0].evidence
    assert isinstance(evidence.face, FaceTrack)
    return evidence, evidence.face


def dots(picture: Picture) -> list[ET.Element]:
    """Return the dots of a drawing."""
    return [each for each in ET.fromstring(picture.drawing).iter() if (each.get("class") or "").startswith("dot")]  # noqa: S314 - our own


def test_depth_is_drawn_pair_by_pair(judged: Judged) -> None:
    """A dot for each pair of frames, which leads to its moment; those of a head are above the line."""
    evidence, face = of(judged, "astronaut_bona_fide")
    found = dots(made(evidence)["depth"])
    drawn = pairs(face)
    assert [float(each.get("data-at") or "nan") for each in found] == pytest.approx(face.t_s[drawn.after], abs=1e-3)
    bad = [each for each in found if each.get("class") == "dot bad"]
    assert len(bad) == int((drawn.depth < PROFILE["relief_min"].value).sum()) < len(found) / 3


def test_a_grid_stands_out_of_the_spectrum(judged: Judged) -> None:
    """A display filmed has a peak over the line, drawn so and said so; a person has none."""
    found = made(of(judged, "screen_replay")[0])["spectrum"]
    assert 'class="over"' in found.drawing
    said = re.search(r"by ([\d.]+) deviations; more than ([\d.]+) counts", found.says)
    assert said is not None
    assert float(said[1]) > float(said[2])
    (frame,) = found.frames
    assert frame.detail
    assert 'class="over"' not in made(of(judged, "astronaut_bona_fide")[0])["spectrum"].drawing


def test_crops_are_those_that_the_network_saw(judged: Judged) -> None:
    """As many as were scored, wide and close, each around the face of its frame and inside the picture."""
    evidence, face = of(judged, "screen_replay")
    width, height = looked_at(evidence.media)
    told = made(evidence)
    assert len(told["wide"].frames) == len(face.live)
    assert len(told["close"].frames) == len(face.live_close)
    frames = [(frame, scale) for name, scale in (("wide", WIDE), ("close", CLOSE)) for frame in told[name].frames]
    for frame, scale in frames:
        left, top, across, down = frame.box
        own = face_box(face.landmarks[int(np.abs(face.t_s - frame.t_s).argmin())])
        assert left >= 0
        assert top >= 0
        assert left + across <= width
        assert top + down <= height
        assert across == pytest.approx(min(scale * own[2], width - 1, own[2] * (height - 1) / own[3]), rel=0.02)
    assert sum(frame.against for frame, _ in frames) > len(frames) / 2


def test_a_border_is_drawn_where_it_was_found(judged: Judged) -> None:
    """The corners that were kept, the most covered frame first."""
    evidence, face = of(judged, "screen_replay")
    corners = np.array([[10, 20], [10, 400], [300, 400], [300, 20]], np.float32)
    found = replace(
        face,
        bezel=np.array([0.1, 0.9], np.float32),
        bezel_t_s=np.array([1.0, 2.0]),
        bezel_px=np.stack([corners * np.nan, corners]),
    )
    first, second = made(replace(evidence, face=found))["edges"].frames
    assert (first.t_s, first.quad, first.against) == (2.0, tuple(corners.ravel()), True)
    assert (second.t_s, second.quad, second.against) == (1.0, (), False)


def test_what_was_not_kept_is_said(judged: Judged) -> None:
    """Tracks of before say so, instead of showing nothing; without a face each picture says that."""
    evidence, face = of(judged, "screen_replay")
    nothing = np.zeros(0)
    before = replace(
        face,
        grid_t_s=nothing,
        grid_spectrum=np.zeros((0, 0), np.float32),
        bezel_t_s=nothing,
        bezel_px=np.zeros((0, 4, 2), np.float32),
    )
    told = made(replace(evidence, face=before))
    for name in ("spectrum", "edges"):
        assert "Not kept" in told[name].says
        assert told[name].frames == ()
    without = made(Evidence(MediaInfo("mp4", 10, "", 0.0), Missing(Reason.NO_FACE), Missing(Reason.NO_AUDIO)))
    assert list(without) == list(PICTURES)
    assert {each.says for each in without.values()} == {"No face was followed."}


def test_drawings_are_well_formed_and_hold_no_style(judged: Judged) -> None:
    """The pages' policy allows no style in the markup."""
    for name in ("astronaut_bona_fide", "still_photo", "screen_replay"):
        for each in made(of(judged, name)[0]).values():
            if each.drawing:
                root = ET.fromstring(each.drawing)  # noqa: S314 - our own picture
                assert not [part for part in root.iter() if part.get("style")]
                assert "nan" not in each.drawing
