"""How much light falls on a face, whatever the colour of its skin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from cameo_verifier.evidence.light import eye_white
from fixtures.studio.portrait import MARGIN, Persona, load

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32, U8

EYES = (33, 133, 263, 362)


@pytest.fixture(scope="module")
def portrait(kit: ModelKit) -> tuple[U8, F32]:
    """A public-domain portrait in grey, and the landmarks of its face."""
    with kit.landmarker(max_faces=1, video=False) as landmarker:
        found = load(Persona.ASTRONAUT, landmarker)
    seen = np.ascontiguousarray(found.plate[MARGIN:-MARGIN, MARGIN:-MARGIN])
    return np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), np.uint8), found.landmarks


def test_dark_skin_leaves_the_white_of_the_eyes(portrait: tuple[U8, F32]) -> None:
    """Skin of a third of its luma changes the white by nothing, light of a third by two thirds."""
    grey, landmarks = portrait
    white = eye_white(grey, landmarks)
    assert white > 80
    dark_skin = (grey * 0.33).astype(np.uint8)
    for corner in (EYES[:2], EYES[2:]):
        (x0, y0), (x1, y1) = landmarks[list(corner), :2].min(axis=0), landmarks[list(corner), :2].max(axis=0)
        reach = int(x1 - x0) // 2
        eye = np.s_[int(y0) - reach : int(y1) + reach, int(x0) - 2 : int(x1) + 2]
        dark_skin[eye] = grey[eye]
    assert eye_white(dark_skin, landmarks) == pytest.approx(white)
    assert eye_white((grey * 0.33).astype(np.uint8), landmarks) == pytest.approx(white * 0.33, abs=1)


def test_eyes_that_are_shut_or_outside_show_no_white(portrait: tuple[U8, F32]) -> None:
    """A lid that meets the other, and a face beyond the edge of the picture, have no white to measure."""
    grey, landmarks = portrait
    shut = landmarks.copy()
    shut[:, :2] = landmarks[33, :2]
    assert np.isnan(eye_white(grey, shut))
    assert np.isnan(eye_white(grey, landmarks + 5000))
