"""Guidance: each defect is told once it lasts, cleared once it is gone, and nobody begins before all is right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.live.guidance import Defect, GuidanceLimits, Guide
from cameo_verifier.live.observation import Heard, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cameo_verifier.live.observation import Observation

LIMITS = GuidanceLimits(0.2, 0.85, 0.25, 20.0, 30.0, 225.0, 12.0, -80.0, -30.0)
GOOD = Seen(0.0, faces=1, face_share=0.5, centre=(0.5, 0.45), luma=120.0, yaw=3.0, pitch=-4.0, fps=25.0)
DEFECTS = {
    Defect.NO_FACE: {"faces": 0, "face_share": 0.0},
    Defect.SEVERAL_FACES: {"faces": 2},
    Defect.TOO_FEW_PICTURES: {"fps": 8.0},
    Defect.TOO_DARK: {"luma": 20.0},
    Defect.TOO_BRIGHT: {"luma": 240.0},
    Defect.COME_CLOSER: {"face_share": 0.1},
    Defect.MOVE_BACK: {"face_share": 0.95},
    Defect.CENTRE_FACE: {"centre": (0.85, 0.5)},
    Defect.LOOK_STRAIGHT: {"yaw": -35.0},
    Defect.SILENT_MICROPHONE: {"level_db": -120.0},
    Defect.TOO_LOUD: {"level_db": -20.0},
}


def observed(start_s: float, end_s: float, *, level_db: float = -55.0, **seen: object) -> Iterator[Observation]:
    """Yield ten pictures and stretches of sound a second, from one time to before another."""
    for tenth in range(round(start_s * 10), round(end_s * 10)):
        yield replace(GOOD, media_s=tenth / 10, **seen)
        yield Heard(tenth / 10, level_db, speech=False)


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_told_within_a_second_and_cleared_when_it_is_gone(defect: Defect) -> None:
    """It comes after 2 s, and goes after 4 s."""
    guide = Guide(LIMITS)
    told: list[tuple[float, tuple[Defect, ...]]] = [(0.0, ())]
    for part in (observed(0, 2), observed(2, 4, **DEFECTS[defect]), observed(4, 6)):  # type: ignore[arg-type]
        for each in part:
            guide.observe(each)
            if guide.told != told[-1][1]:
                told.append((each.media_s, guide.told))
    (_, nothing), (came_s, now), (went_s, then) = told
    assert (nothing, now, then) == ((), (defect,), ())
    assert 2.3 <= came_s <= 3.0
    assert 4.3 <= went_s <= 5.0
    assert guide.ready


def test_what_lasts_for_a_moment_is_not_told() -> None:
    """Two pictures without a face, and the next good: nothing flickers, but the person is not ready at once."""
    guide = Guide(LIMITS)
    for part in (observed(0, 1), observed(1, 1.2, faces=0)):
        for each in part:
            guide.observe(each)
    assert not guide.ready
    for each in observed(1.2, 1.6):
        guide.observe(each)
        assert guide.told == ()
        assert not guide.ready
    for each in observed(1.6, 1.9):
        guide.observe(each)
    assert guide.ready


def test_nobody_is_ready_before_half_a_second_of_picture_and_sound() -> None:
    """Neither pictures alone nor sound alone make ready; people who do not speak need no sound."""
    seen = [each for each in observed(0, 3) if isinstance(each, Seen)]
    heard = [each for each in observed(0, 3) if isinstance(each, Heard)]
    for guide, observations, ready in (
        (Guide(LIMITS), seen, False),
        (Guide(LIMITS), heard, False),
        (Guide(LIMITS, sound=False), seen, True),
    ):
        for each in observations:
            guide.observe(each)
        assert guide.ready is ready
    guide = Guide(LIMITS)
    for each in observed(0, 0.5):
        guide.observe(each)
        assert not guide.ready


def test_the_worst_is_told_first() -> None:
    """A dark, far face with a silent microphone: all three, in the order of `Defect`."""
    guide = Guide(LIMITS)
    for each in observed(0, 2, luma=10.0, face_share=0.1, level_db=-120.0):
        guide.observe(each)
    assert guide.told == (Defect.TOO_DARK, Defect.COME_CLOSER, Defect.SILENT_MICROPHONE)
