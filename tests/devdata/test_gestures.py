"""Gestures of people who were asked for none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cameo_verifier.checks import gestures
from cameo_verifier.evidence.gestures import Made
from cameo_verifier.profiles import load
from tests.bench.gestures import challenges, passes, tracks

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import FaceTrack

pytestmark = pytest.mark.devdata


@pytest.fixture(scope="module")
def genuine(kit: ModelKit, devdata: Path) -> dict[str, FaceTrack]:
    """The face tracks of genuine recordings."""
    return tracks(devdata, kit)


def test_nobody_answers_a_challenge_by_accident(genuine: dict[str, FaceTrack]) -> None:
    """No genuine recording passes for the answer to any of a thousand random challenges."""
    profile, asked = load(), challenges()
    for name, face in genuine.items():
        assert not any(passes(face, challenge, profile) for challenge in asked), name


def test_who_turns_silently_makes_no_gesture(genuine: dict[str, FaceTrack]) -> None:
    """People who turn their heads without a word show no gesture: those of talkers are their speech and their blinks."""
    turning = {name: face for name, face in genuine.items() if name.endswith("_live_video.mov")}
    assert len(turning) == 3
    for name, face in turning.items():
        assert not any(isinstance(each, Made) for each in gestures.seen(face, load())), name
