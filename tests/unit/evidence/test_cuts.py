from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.evidence.cuts import Cut, sharpest_cut

if TYPE_CHECKING:
    from cameo_verifier.types import F32

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
    found = sharpest_cut(times(), filmed(elsewhere(1.0)))
    assert found.score > LINE
    assert found.at_s == pytest.approx(CUT / FPS)
    assert found.step_s == pytest.approx(1 / FPS)


@pytest.mark.parametrize("turn_s", [0.3, 0.5, 1.0])
def test_a_head_that_turns_there_is_none(turn_s: float) -> None:
    """A head that moves by a tenth of the picture, rising to its speed and falling from it, does not stand out."""
    share = np.clip((times() - 1.5) / turn_s, 0, 1)
    moved = swaying() + 4 * share**3 * (10 - 15 * share + 6 * share**2)
    assert sharpest_cut(times(), filmed(moved)).score < 2.0


def test_a_hand_that_jerks_is_none() -> None:
    """A camera that is shifted at once shows all of it elsewhere, head and wall alike, and that is one take."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:32, :32].astype(np.float32)
    at = rng.normal(0, 0.02, (COUNT, 2)) + 0.4 * (np.arange(COUNT) >= CUT)[:, None]
    pictures = np.stack([100 + 40 * np.sin((x - dx) / 3) * np.cos((y - dy) / 4) + rng.normal(0, 0.3, (32, 32)) for dx, dy in at])
    assert sharpest_cut(times(), pictures.astype(np.float32)).score < 2.0


def in_a_hand(*, shift_px: float, zoom: float, roll_deg: float, fps: float, jerk_s: float, head_px: float = 0.0) -> F32:
    """Thumbnails of a head before a wall with large shapes; the camera jerks at 2 s, the head goes elsewhere at once with it."""
    rng = np.random.default_rng(9)
    along = np.arange(320, dtype=np.float32)
    down = np.exp(-(((along - 160) / 100) ** 4))
    wall = 100 + cv2.GaussianBlur(rng.normal(0, 900, (320, 320)).astype(np.float32), (0, 0), 20)
    pictures = []
    for t_s in np.arange(100) / fps:
        after = float(np.clip((t_s - 2) / jerk_s, 0, 1))
        right = 160 + head_px * (t_s > 2 + 1e-6) + 3 * np.sin(t_s)
        picture = wall + np.outer(down, 70 * np.exp(-(((along - right) / 70) ** 4)))
        move = cv2.getRotationMatrix2D((160, 160), after * roll_deg, 1 + after * zoom)
        move[:, 2] += after * shift_px
        moved = cv2.warpAffine(picture, move, (320, 320), borderMode=cv2.BORDER_REFLECT)
        pictures.append(cv2.resize(moved, (32, 32), interpolation=cv2.INTER_AREA) + rng.normal(0, 0.2, (32, 32)))
    return np.clip(np.stack(pictures), 0, 255).round().astype(np.float32)


@pytest.mark.parametrize("fps", [25, 15, 12.5, 10])
def test_a_hand_that_jerks_in_one_step_is_none(fps: float) -> None:
    """A camera that shifts, comes nearer and rolls within 0.13 s is one take, however few pictures that leaves."""
    jerked = in_a_hand(shift_px=7, zoom=0.02, roll_deg=0.6, fps=fps, jerk_s=0.13)
    found = sharpest_cut(np.arange(100) / fps, jerked)
    assert found.score < 2.0
    assert found.step_s == pytest.approx(1 / fps) or found.score == 0.0


@pytest.mark.parametrize("fps", [25, 15, 12.5])
def test_a_jerk_hides_no_cut(fps: float) -> None:
    """A head that is elsewhere before its background at the same moment still stands out."""
    cut = in_a_hand(shift_px=7, zoom=0.02, roll_deg=0.6, fps=fps, jerk_s=1 / fps, head_px=25)
    assert sharpest_cut(np.arange(100) / fps, cut).score > LINE


def test_no_hand_moves_a_camera_so_fast() -> None:
    """Half of the picture in a twenty-fifth of a second is not undone: a take that is framed elsewhere is another take."""
    elsewhere_at_once = in_a_hand(shift_px=60, zoom=0.0, roll_deg=0.0, fps=25, jerk_s=0.04)
    assert sharpest_cut(np.arange(100) / 25, elsewhere_at_once).score > LINE


def test_a_mouth_that_opens_at_once_is_none() -> None:
    """What changes in a small part of the picture only is no cut: lips part by half of the contrast in one picture."""
    mouth = 60.0 * (np.arange(COUNT) % 20 >= 10)
    assert sharpest_cut(times(), filmed(swaying(), mouth=mouth)).score < 2.0


def test_light_that_changes_at_once_is_none() -> None:
    """A lamp at one side that goes on moves nothing."""
    pictures = filmed(swaying())
    pictures[CUT:] *= 1 + 0.2 * np.linspace(0, 1, 32, dtype=np.float32)
    assert sharpest_cut(times(), pictures).score < 2.0


def test_a_refreshed_picture_is_none() -> None:
    """A codec that writes a picture anew changes every pixel a little and moves nothing."""
    pictures = filmed(swaying(), noise=0.1)
    pictures[CUT:] += np.random.default_rng(3).normal(0, 1.5, (32, 32))
    assert sharpest_cut(times(), pictures).score < 2.0


@pytest.mark.parametrize("held", [False, True], ids=["left out", "repeated"])
def test_pictures_that_were_lost_are_no_cut(held: bool) -> None:  # noqa: FBT001 - pytest gives it by position
    """A head that moved on while a recorder lost three pictures is no cut, whether their times show it or copies fill in."""
    pictures, t_s = filmed(np.asarray(6 * np.sin(np.arange(COUNT) / 8))), times()
    lost = slice(CUT, CUT + 3)
    unmarked = sharpest_cut(t_s[:-3], np.delete(pictures, lost, axis=0)).score
    if held:
        pictures[lost] = pictures[CUT - 1]
    else:
        t_s, pictures = np.delete(t_s, lost), np.delete(pictures, lost, axis=0)
    assert unmarked > LINE
    assert sharpest_cut(t_s, pictures).score < 2.0


def test_nothing_to_compare_is_no_cut() -> None:
    """A few pictures, and one that never changes, have no cut."""
    assert sharpest_cut(times(6), filmed(elsewhere(3.0)[47:53])) == Cut()
    assert sharpest_cut(times(), np.full((COUNT, 32, 32), 90, np.float32)) == Cut()
