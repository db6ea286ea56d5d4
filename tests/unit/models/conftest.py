"""Pictures of public record that ship inside packages this project already depends on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import skimage

from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceObservation, Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.models.landmarks import FaceLandmarker
    from cameo_verifier.types import U8


@pytest.fixture(scope="session")
def astronaut() -> U8:
    """NASA's portrait of Eileen Collins, (512, 512, 3) uint8 RGB."""
    return skimage.io.imread(Path(skimage.__file__).parent / "data" / "astronaut.png")[..., :3]


@pytest.fixture(scope="session")
def landmarker(kit: ModelKit) -> Iterator[FaceLandmarker]:
    """A landmarker for single pictures."""
    with kit.landmarker(max_faces=2, video=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def astronaut_face(astronaut: U8, landmarker: FaceLandmarker) -> FaceObservation:
    """The face of that portrait."""
    (face,) = landmarker.detect(Frame(0.0, astronaut))
    return face


@pytest.fixture
def empty_site(tmp_path: Path) -> Settings:
    """A site whose model kit was never pulled."""
    return Settings(models=tmp_path / "models")
