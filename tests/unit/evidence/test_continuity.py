from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_verifier.evidence.continuity import Glances, longest_still_s
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Missing, PictureTrace

if TYPE_CHECKING:
    from collections.abc import Sequence

FPS = 25
SECONDS = 5


def live(seed: int = 1, *, noise: float = 0.4) -> list[np.ndarray]:
    """Thumbnails of a bright patch that wanders and opens a mouth before a textured wall, seen with noise."""
    rng = np.random.default_rng(seed)
    wall = rng.uniform(60, 180, (32, 32))

    def walk(reach: float) -> np.ndarray:
        steps = np.cumsum(np.convolve(rng.normal(size=FPS * SECONDS + 12), np.ones(13) / 13, "valid"))
        return np.asarray(steps / np.ptp(steps) * reach)

    y, x = np.mgrid[:32, :32]
    frames = []
    for right, down, mouth in zip(walk(10), walk(4), walk(60), strict=True):
        face = 70 * np.exp(-((x - 16 - right) ** 2 + (y - 14 - down) ** 2) / 30)
        face -= mouth * np.exp(-((x - 16 - right) ** 2 + (y - 18 - down) ** 2) / 4)
        frames.append(np.clip(wall + face + rng.normal(0, noise, (32, 32)), 0, 255).round().astype(np.uint8))
    return frames


def trace(frames: Sequence[np.ndarray]) -> PictureTrace:
    glances = Glances()
    for index, frame in enumerate(frames):
        glances.add(index / FPS, frame)
    found = glances.trace()
    assert isinstance(found, PictureTrace)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_live_moments_are_no_nearer_than_neighbours(seed: int) -> None:
    """In a picture that moves with noise nothing comes again, forwards or backwards, and nothing stands still."""
    found = trace(live(seed))
    assert found.repeat > 1.0
    assert found.reversal > 1.0
    assert longest_still_s(found, still=0.1) == 0.0


def test_a_second_that_comes_twice_is_found_where_it_is() -> None:
    """A second put in twice has no distance from itself, and both places are named."""
    frames = live()
    found = trace([*frames[:60], *frames[35:60], *frames[60:]])
    assert found.repeat < 0.05
    one, other = found.repeat_s
    assert other - one == pytest.approx(1.0, abs=0.05)
    assert 1.3 < one < 1.8


def test_a_second_run_backwards_is_found() -> None:
    """A second that is followed by itself backwards has no distance from it."""
    frames = live()
    found = trace([*frames[:60], *frames[35:60][::-1], *frames[35:]])
    assert found.reversal < 0.05


def test_a_stop_is_as_long_as_it_lasts() -> None:
    """The longest stop is measured in seconds, and single pictures that come twice are none."""
    frames = live()
    stopped = trace([*frames[:40], *[frames[40]] * 20, *frames[41:]])
    assert longest_still_s(stopped, still=0.1) == pytest.approx(19 / FPS, abs=0.01)
    doubled = trace([frame for frame in frames for _ in range(2)])
    assert longest_still_s(doubled, still=0.1) == pytest.approx(1 / FPS)


def test_a_refreshed_picture_does_not_end_a_stop() -> None:
    """One picture in ten that a codec makes anew leaves a stop one; every second one that changes is movement."""
    change = np.full(51, 0.02, np.float32)
    change[[15, 30]] = 0.4
    t_s = np.arange(51) / FPS
    assert longest_still_s(PictureTrace(t_s, change, 50.0), still=0.1) == pytest.approx(2.0)
    change[::2] = 0.6
    assert longest_still_s(PictureTrace(t_s, change, 50.0), still=0.1) == pytest.approx(1 / FPS)


def test_a_dark_picture_is_allowed_less_change() -> None:
    """What counts as no change falls with the contrast, so that a live person in the dark does not stand still."""
    found = trace([np.full((32, 32), 8 + (index % 2), np.uint8) for index in range(30)])
    dark = PictureTrace(found.t_s, np.full(30, 0.05, np.float32), contrast=5.0)
    bright = PictureTrace(found.t_s, np.full(30, 0.05, np.float32), contrast=60.0)
    assert longest_still_s(dark, still=0.1) == 0.0
    assert longest_still_s(bright, still=0.1) > 1.0


def test_nothing_to_compare_is_infinitely_far() -> None:
    """A picture that never changes, and one of a few frames, have no stretches to compare; none at all is missing."""
    assert trace([np.full((32, 32), 90, np.uint8)] * 60).repeat == float("inf")
    assert trace(live()[:8]).reversal == float("inf")
    assert Glances().trace() == Missing(Reason.NO_VIDEO)
