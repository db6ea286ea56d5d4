"""Eyes and mouths that are seen, and covered ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.evidence.covered import look
from cameo_verifier.settings import Settings
from fixtures.manifest import load
from fixtures.studio.covers import Eyewear, Mouthwear
from tests.bench.covered import FRAMES, Measures, faces, measures, painted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.models.landmarks import FaceLandmarker
    from cameo_verifier.types import F32, U8

PEOPLE = ("astronaut_bona_fide", "admiral_bona_fide")
PROFILE = profiles.load()


def eyes_are_seen(found: Measures) -> bool:
    lines = PROFILE["eye_contrast_min"], PROFILE["eye_light_min"], PROFILE["eye_tint_max"]
    return all(line.holds(x) for line, x in zip(lines, found[:3], strict=True))


def mouth_is_seen(found: Measures) -> bool:
    lines = PROFILE["mouth_contrast_min"], PROFILE["mouth_tint_max"]
    return all(line.holds(x) for line, x in zip(lines, found[3:], strict=True))


@pytest.fixture(scope="module")
def landmarker(kit: ModelKit) -> Iterator[FaceLandmarker]:
    """Return one that looks at each picture by itself."""
    with kit.landmarker(max_faces=1, video=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def seen(landmarker: FaceLandmarker) -> dict[str, list[tuple[U8, F32]]]:
    """Return some near-frontal pictures of each person with their landmarks."""
    files = {fixture.id: fixture.file for fixture in load()}
    return {person: list(faces(files[person], landmarker, Settings())) for person in PEOPLE}


@pytest.mark.parametrize("person", PEOPLE)
def test_a_bare_face_is_seen(seen: dict[str, list[tuple[U8, F32]]], person: str) -> None:
    """Eyes, behind clear glasses too, and a mouth that speaks stay clear of every line."""
    assert len(seen[person]) >= FRAMES // 2
    found = measures([look(*each) for each in seen[person]])
    assert eyes_are_seen(found)
    assert mouth_is_seen(found)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("worn", Eyewear)
def test_covered_eyes_are_not_seen(
    seen: dict[str, list[tuple[U8, F32]]], landmarker: FaceLandmarker, person: str, worn: Eyewear
) -> None:
    """Lenses of any colour, mirrors and a sleep mask hide the eyes and leave the mouth."""
    found = painted(*seen[person][0], worn, landmarker)
    assert found is not None
    assert not eyes_are_seen(found)
    assert mouth_is_seen(found) or worn is Eyewear.SLEEP_MASK  # under which the landmarks of the whole face are guessed


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("worn", Mouthwear)
def test_a_covered_mouth_is_not_seen(
    seen: dict[str, list[tuple[U8, F32]]], landmarker: FaceLandmarker, person: str, worn: Mouthwear
) -> None:
    """A mask of any colour, a scarf or a hand hides the mouth and leaves the eyes."""
    found = painted(*seen[person][0], worn, landmarker)
    assert found is not None
    assert not mouth_is_seen(found)
    assert eyes_are_seen(found)


@pytest.mark.parametrize("side", [16, 60])
def test_a_face_outside_the_picture_is_no_number(side: int) -> None:
    """Of landmarks that lie beyond the picture nothing is measured."""
    points = np.random.default_rng(1).uniform(200, 400, (478, 3)).astype(np.float32)
    eyes, mouth = look(np.zeros((side, side, 3), np.uint8), points)
    assert np.isnan(eyes).all()
    assert np.isnan(mouth).all()
