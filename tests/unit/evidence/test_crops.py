"""Pictures of a face that two attempts can be told apart by."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cameo_verifier.evidence.crops import PICTURES, SIDE_PX, crops
from cameo_verifier.settings import MediaLimits, Settings
from cameo_verifier.types import FaceTrack
from tests.unit.review.stored import RECORDINGS

if TYPE_CHECKING:
    from tests.unit.review.stored import Judged

NAME = "astronaut_bona_fide"


def test_the_pictures_are_of_the_face_and_of_four_moments(judged: Judged) -> None:
    """Four squares side by side; in each a face fills the middle, and no two are the same picture."""
    face = judged(NAME)[0].evidence.face
    assert isinstance(face, FaceTrack)
    strip = crops(RECORDINGS[NAME].read_bytes(), face, limits=MediaLimits(), fps=Settings().analysis_fps)
    picture = cv2.imdecode(np.frombuffer(strip, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture.shape == (SIDE_PX, PICTURES * SIDE_PX, 3)
    assert len(strip) < 100_000
    squares = np.split(picture, PICTURES, axis=1)
    for one, other in pairwise(squares):
        assert np.abs(one.astype(int) - other).mean() > 0.5


def test_without_a_face_there_is_no_picture(judged: Judged) -> None:
    """A track in which no face was embedded gives nothing, and the recording is not read for it in vain."""
    face = judged(NAME)[0].evidence.face
    assert isinstance(face, FaceTrack)
    nobody = replace(face, identity_t_s=np.zeros(0))
    assert crops(RECORDINGS[NAME].read_bytes(), nobody, limits=MediaLimits(), fps=Settings().analysis_fps) == b""
