from __future__ import annotations

import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.evidence.moire import _OVAL, GridSearch

LINE = profiles.load()["grid_max"].value
HEIGHT, WIDTH = 480, 640
CENTRE, RADII = (320.0, 230.0), (95.0, 125.0)


def landmarks(scale: float = 1.0) -> np.ndarray:
    """A face that is an oval and nothing else."""
    points = np.full((478, 3), [*CENTRE, 0], np.float32)
    angle = np.linspace(0, 2 * np.pi, len(_OVAL), endpoint=False)
    points[list(_OVAL), 0] += scale * RADII[0] * np.sin(angle)
    points[list(_OVAL), 1] -= scale * RADII[1] * np.cos(angle)
    return points


def scene(seed: int = 1) -> np.ndarray:
    """Grey levels of a face with brows, eyes and a mouth before a shaded wall with an edge."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    shade = np.asarray(120 + 30 * x / WIDTH + 25 * (x > 500), np.float32)
    face = ((x - CENTRE[0]) / RADII[0]) ** 2 + ((y - CENTRE[1]) / RADII[1]) ** 2 < 1
    shade[face] = 165 - 0.1 * np.abs(x[face] - 300)
    for row, tall in ((180, 4), (200, 6), (280, 8)):
        shade[(np.abs(y - row) < tall) & (np.abs(np.abs(x - CENTRE[0]) - 40) < 25)] -= 60
    return shade + np.random.default_rng(seed).normal(0, 2, shade.shape).astype(np.float32)


def grid(depth: float, *, period_px: float = 7.0, turned: float = 0.1) -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return np.asarray(1 + depth * np.sin(2 * np.pi / period_px * (x * np.cos(turned) + y * np.sin(turned))))


def blocks(turned: float) -> np.ndarray:
    """Grey levels of the edges of blocks of eight px, `turned` radians askew."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    along, down = x * np.cos(turned) + y * np.sin(turned), y * np.cos(turned) - x * np.sin(turned)
    return np.asarray(6 * ((along % 8 < 1) | (down % 8 < 1)), np.float32)


def grid_deviations(rgb: np.ndarray, points: np.ndarray) -> float:
    """What one picture shows."""
    return GridSearch().add(rgb, points)


def picture(grey: np.ndarray) -> np.ndarray:
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def on_face() -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return np.asarray(((x - CENTRE[0]) / RADII[0]) ** 2 + ((y - CENTRE[1]) / RADII[1]) ** 2 < 1)


@pytest.mark.parametrize("seed", range(4))
def test_a_live_scene_has_no_grid(seed: int) -> None:
    """A face with its features, a wall with an edge and a sensor's noise: no frequency stands out of both."""
    assert grid_deviations(picture(scene(seed)), landmarks()) < LINE


@pytest.mark.parametrize(("period_px", "turned"), [(3.1, 0.3), (5.0, 0.05), (7.0, -0.2), (11.0, 0.1), (9.0, 1.2)])
def test_a_grid_over_all_of_it_stands_out(period_px: float, turned: float) -> None:
    """Stripes of four percent of the light are found whatever their spacing and direction."""
    assert grid_deviations(picture(scene() * grid(0.04, period_px=period_px, turned=turned)), landmarks()) > LINE


def test_what_is_periodic_beside_the_face_does_not_count() -> None:
    """Blinds behind a person and a mask of stripes before a wall are no display: only one of the two has the pattern."""
    striped = scene() * grid(0.2)
    assert grid_deviations(picture(np.where(on_face(), scene(), striped)), landmarks()) < LINE
    assert grid_deviations(picture(np.where(on_face(), striped, scene())), landmarks()) < LINE


def test_two_patterns_of_different_spacing_are_no_grid() -> None:
    """Cloth of one spacing around a face with another one is not one display."""
    mixed = np.where(on_face(), scene() * grid(0.1, period_px=5.0), scene() * grid(0.1, period_px=9.0))
    assert grid_deviations(picture(mixed), landmarks()) < LINE


def test_a_face_too_small_or_without_surroundings_cannot_be_judged() -> None:
    """Where too few squares fit the answer is not a number, never a low one."""
    assert np.isnan(grid_deviations(picture(scene()), landmarks(0.2)))
    assert np.isnan(grid_deviations(picture(scene()), landmarks(3.5)))


def test_what_lies_square_to_the_picture_is_a_codec_s() -> None:
    """Edges of blocks of eight, over face and surroundings alike, are no display; the same lattice held askew is."""
    assert grid_deviations(picture(scene() + blocks(0.0)), landmarks()) < LINE
    assert grid_deviations(picture(scene() + blocks(0.15)), landmarks()) > LINE


def test_a_faint_grid_shows_over_the_frames_while_chance_does_not() -> None:
    """Eight frames together tell a grid of a thousandth of the light from none, which no single one of them does."""
    search, live = GridSearch(), GridSearch()
    faint = grid(0.001)
    seen = [search.add(picture(scene(seed) * faint), landmarks()) for seed in range(8)]
    none = [live.add(picture(scene(seed)), landmarks()) for seed in range(8)]
    assert seen[0] < LINE < seen[-1]
    assert max(none) < LINE


def test_a_frame_that_cannot_be_judged_does_not_count() -> None:
    """A face too small in between changes nothing."""
    search, alone = GridSearch(), GridSearch()
    first = picture(scene(1) * grid(0.04))
    second = picture(scene(2) * grid(0.04))
    search.add(first, landmarks())
    alone.add(first, landmarks())
    assert np.isnan(search.add(second, landmarks(0.2)))
    assert search.add(second, landmarks()) == alone.add(second, landmarks())


def test_the_spectrum_says_where_the_grid_is() -> None:
    """The frequency that stands out most is the grid's, by what the search returned; none that does not count has a value."""
    search = GridSearch()
    for seed in range(8):
        score = search.add(picture(scene(seed) * grid(0.03)), landmarks())
    assert search.spectrum.shape == (64, 33)
    assert float(np.nanmax(search.spectrum)) == pytest.approx(score)
    assert np.isnan(search.spectrum[32, 0])
    row, column = np.unravel_index(int(np.nanargmax(search.spectrum)), search.spectrum.shape)
    cycles = np.hypot(row - 32, column) / 64
    assert 1 / cycles == pytest.approx(7.0, rel=0.1)
    assert np.degrees(np.arctan2(row - 32, column)) == pytest.approx(np.degrees(0.1), abs=6)
