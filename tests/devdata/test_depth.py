"""Depth of real heads that turn, and of their photographs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import pytest

from cameo_verifier.profiles import load
from cameo_verifier.settings import Settings
from tests.bench.depth import FPS, FRAMES, filmed, follow, holds, sheet_of, video

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit

pytestmark = pytest.mark.devdata


@pytest.mark.parametrize("name", ["p1", "p2", "p3"])
def test_real_heads_are_solid(kit: ModelKit, devdata: Path, name: str) -> None:
    """People who turn their heads before a phone are as deep as heads."""
    found, _ = video(devdata / "headturn" / f"{name}_live_video.mov", kit, Settings())
    assert load()["relief_pairs_min"].holds(found.pairs)
    assert load()["relief_min"].holds(found.depth)


@pytest.mark.parametrize("held", ["turned 45°", "tipped 45°", "round 0.8 upright, turned 40°", "bent upright while tipped"])
@pytest.mark.parametrize("name", ["p1", "p2", "p3"])
def test_their_photographs_are_flat(kit: ModelKit, devdata: Path, name: str, held: str) -> None:
    """A photograph of the same person, turned, tipped or bent until the landmark model sees a turn, is judged flat."""
    picture = cv2.cvtColor(cv2.imread(str(devdata / "headturn" / f"{name}_live_selfie.jpg")), cv2.COLOR_BGR2RGB)
    sheet = sheet_of(picture, kit)
    assert sheet is not None
    found, turn = follow(filmed(sheet, [picture], holds()[held]), FRAMES / FPS, kit)
    assert turn > 8
    assert load()["relief_pairs_min"].holds(found.pairs)
    assert not load()["relief_min"].holds(found.depth)


def test_a_replayed_turn_is_solid_all_the_same(kit: ModelKit, devdata: Path) -> None:
    """A video of a head that turns keeps its parallax: depth says nothing against a replay, other checks have to."""
    found, _ = video(devdata / "replay" / "p3_replayed_on_phone.mov", kit, Settings())
    assert load()["relief_min"].holds(found.depth)
