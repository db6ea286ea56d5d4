from __future__ import annotations

import numpy as np
import pytest

from cameo_verifier.evidence.flicker import band_depth

FPS = 30
COUNT = 120
T_S = [index / FPS for index in range(COUNT)]


def wall() -> np.ndarray:
    return np.random.default_rng(3).uniform(60, 180, (32, 32))


def film(scene: np.ndarray, light: np.ndarray) -> list[np.ndarray]:
    """Show a scene (32, 32), or one for each picture, under light (COUNT, 32) by row."""
    noise = np.random.default_rng(4).normal(0, 0.5, (COUNT, 32, 32))
    return list(np.clip(scene * light[:, :, None] + noise, 0, 255).round().astype(np.uint8))


def rolling(depth: float, bands: float = 2.5, hertz: float = 1.7) -> np.ndarray:
    rows, t_s = np.arange(32) / 32, np.array(T_S)[:, None]
    return np.asarray(1 - depth * np.maximum(np.sin(2 * np.pi * (bands * rows - hertz * t_s)), 0) ** 2)


STEADY = np.ones((COUNT, 32))


@pytest.mark.parametrize(("depth", "bands", "hertz"), [(0.3, 2.5, 1.7), (0.3, 1.0, 4.0), (0.15, 3.0, -2.3), (0.2, 0.7, 0.9)])
def test_bands_that_roll_are_found(depth: float, bands: float, hertz: float) -> None:
    """Bands of a sixth of the light and more are measured well above the line, whatever their number, speed and way."""
    assert band_depth(T_S, film(wall(), rolling(depth, bands, hertz))) > 0.025


def test_a_turned_sensor_makes_no_difference() -> None:
    """Bands along the columns, as a sensor held upright has them, count the same."""
    pictures = film(wall(), rolling(0.3))
    upright = [picture.T for picture in pictures]
    assert band_depth(T_S, upright) == pytest.approx(band_depth(T_S, pictures), rel=1e-6)


def test_exposure_that_hunts_is_no_band() -> None:
    """Light that changes all over the picture at once has no rows."""
    hunting = 1 + 0.1 * np.sin(2 * np.pi * 1.3 * np.array(T_S))[:, None] * np.ones(32)
    assert band_depth(T_S, film(wall(), hunting)) < 0.005


def test_a_person_who_moves_is_no_band() -> None:
    """A bright head that goes up and down in the middle changes rows, but not at both edges."""
    y, x = np.mgrid[0:32, 0:32]
    heads = [wall() + 70 * np.exp(-((x - 16) ** 2 + (y - 16 - 5 * np.sin(6 * t_s)) ** 2) / 40) for t_s in T_S]
    assert band_depth(T_S, film(np.array(heads), STEADY)) < 0.005


def test_pictures_that_come_twice_do_not_hide_bands() -> None:
    """A converter that doubles each picture leaves no change between two, but bands roll on."""
    once = film(wall(), rolling(0.3))[::2]
    twice = [picture for picture in once for _ in range(2)]
    assert band_depth(T_S, twice) > 0.05


def test_too_few_pictures_have_no_bands() -> None:
    """A still photo, or half a second, has nothing that could roll."""
    assert band_depth(T_S[:12], film(wall(), rolling(0.3))[:12]) == 0.0
    assert band_depth([], []) == 0.0
