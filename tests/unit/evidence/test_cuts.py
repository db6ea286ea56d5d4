from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from verifier import profiles
from verifier.evidence.cuts import sharpest_cut

if TYPE_CHECKING:
    from verifier.types import F32

FPS = 25
COUNT = 100
CUT = 50
LINE = profiles.load()["cut_max"].value


def filmed(right: np.ndarray, *, mouth: np.ndarray | None = None, noise: float = 0.3) -> F32:
    """Thumbnails (N, 32, 32) of a head before a textured wall, `right` px from the middle, its mouth as dark as `mouth` says."""
    rng = np.random.default_rng(5)
    wall = rng.uniform(60, 120, (32, 32))
    y, x = np.mgrid[:32, :32]
    pictures = []
    for index, at in enumerate(right):
        head = 80 * np.exp(-(((x - 16 - at) / 7) ** 4) - ((y - 16) / 10) ** 4)
        lips = 0.0 if mouth is None else mouth[index] * np.exp(-((x - 16 - at) ** 2 + (y - 22) ** 2) / 3)
        pictures.append(wall + head - lips + rng.normal(0, noise, (32, 32)))
    levels: F32 = np.clip(np.stack(pictures), 0, 255).round().astype(np.float32)
    return levels


def swaying(count: int = COUNT) -> np.ndarray:
    return np.asarray(0.3 * np.sin(np.arange(count) / 15))


def times(count: int = COUNT) -> np.ndarray:
    return np.arange(count) / FPS


def elsewhere(px: float) -> np.ndarray:
    return np.asarray(swaying() + px * (np.arange(COUNT) >= CUT))


def test_a_head_that_is_elsewhere_at_once_is_a_cut() -> None:
    """A thirtieth of the picture from one picture to the next stands out, and the moment is named."""
    score, at_s = sharpest_cut(times(), filmed(elsewhere(1.0)))
    assert score > LINE
    assert at_s == pytest.approx(CUT / FPS)


@pytest.mark.parametrize("turn_s", [0.3, 0.5, 1.0])
def test_a_head_that_turns_there_is_none(turn_s: float) -> None:
    """A head that moves by a tenth of the picture, rising to its speed and falling from it, does not stand out."""
    share = np.clip((times() - 1.5) / turn_s, 0, 1)
    moved = swaying() + 4 * share**3 * (10 - 15 * share + 6 * share**2)
    assert sharpest_cut(times(), filmed(moved))[0] < 2.0


def test_a_hand_that_jerks_is_none() -> None:
    """A camera that is shifted at once shows all of it elsewhere, head and wall alike, and that is one take."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:32, :32].astype(np.float32)
    at = rng.normal(0, 0.02, (COUNT, 2)) + 0.4 * (np.arange(COUNT) >= CUT)[:, None]
    pictures = np.stack([100 + 40 * np.sin((x - dx) / 3) * np.cos((y - dy) / 4) + rng.normal(0, 0.3, (32, 32)) for dx, dy in at])
    assert sharpest_cut(times(), pictures.astype(np.float32))[0] < 2.0


def test_a_mouth_that_opens_at_once_is_none() -> None:
    """What changes in a small part of the picture only is no cut: lips part by half of the contrast in one picture."""
    mouth = 60.0 * (np.arange(COUNT) % 20 >= 10)
    assert sharpest_cut(times(), filmed(swaying(), mouth=mouth))[0] < 2.0


def test_light_that_changes_at_once_is_none() -> None:
    """A lamp at one side that goes on moves nothing."""
    pictures = filmed(swaying())
    pictures[CUT:] *= 1 + 0.2 * np.linspace(0, 1, 32, dtype=np.float32)
    assert sharpest_cut(times(), pictures)[0] < 2.0


def test_a_refreshed_picture_is_none() -> None:
    """A codec that writes a picture anew changes every pixel a little and moves nothing."""
    pictures = filmed(swaying(), noise=0.1)
    pictures[CUT:] += np.random.default_rng(3).normal(0, 1.5, (32, 32))
    assert sharpest_cut(times(), pictures)[0] < 2.0


@pytest.mark.parametrize("held", [False, True], ids=["left out", "repeated"])
def test_pictures_that_were_lost_are_no_cut(held: bool) -> None:  # noqa: FBT001 - pytest gives it by position
    """A head that moved on while a recorder lost three pictures is no cut, whether their times show it or copies fill in."""
    pictures, t_s = filmed(np.asarray(6 * np.sin(np.arange(COUNT) / 8))), times()
    lost = slice(CUT, CUT + 3)
    unmarked = sharpest_cut(t_s[:-3], np.delete(pictures, lost, axis=0))[0]
    if held:
        pictures[lost] = pictures[CUT - 1]
    else:
        t_s, pictures = np.delete(t_s, lost), np.delete(pictures, lost, axis=0)
    assert unmarked > LINE
    assert sharpest_cut(t_s, pictures)[0] < 2.0


def test_nothing_to_compare_is_no_cut() -> None:
    """A few pictures, and one that never changes, have no cut."""
    assert sharpest_cut(times(6), filmed(elsewhere(3.0)[47:53])) == (0.0, 0.0)
    assert sharpest_cut(times(), np.full((COUNT, 32, 32), 90, np.float32)) == (0.0, 0.0)
