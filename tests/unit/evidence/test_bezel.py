from __future__ import annotations

import cv2
import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.evidence.bezel import border

LINE = profiles.load()["bezel_max"].value
HEIGHT, WIDTH = 480, 640
HEAD = (320, 190)


def landmarks(left: float = 0.0) -> np.ndarray:
    """An oval face of 100 x 130 px in the middle of the picture."""
    turns = np.linspace(0, 2 * np.pi, 478)
    oval = np.stack([HEAD[0] - left + 50 * np.sin(turns), HEAD[1] + 65 * np.cos(turns), np.zeros(478)], axis=1)
    return oval.astype(np.float32)


def room(seed: int = 3) -> np.ndarray:
    """A wall that is lit from one side, with grain."""
    shade = np.linspace(110, 160, WIDTH)[None, :, None] + np.random.default_rng(seed).normal(0, 4, (HEIGHT, WIDTH, 1))
    return np.repeat(np.clip(shade, 0, 255).astype(np.uint8), 3, axis=2)


def person(rgb: np.ndarray) -> np.ndarray:
    """A head on shoulders that reach out of the picture below."""
    cv2.ellipse(rgb, (320, 520), (190, 230), 0, 0, 360, (60, 70, 110), -1)
    cv2.ellipse(rgb, HEAD, (60, 78), 0, 0, 360, (200, 160, 140), -1)
    for x in (298, 342):
        cv2.circle(rgb, (x, 175), 6, (40, 30, 30), -1)
    return rgb


def turned(corners: list[tuple[float, float]], degrees: float) -> np.ndarray:
    spin = cv2.getRotationMatrix2D((320, 240), degrees, 1.0)
    points = np.array(corners) @ spin[:, :2].T + spin[:, 2]
    return np.asarray(points.round(), np.int32)


def display(degrees: float = 0.0) -> np.ndarray:
    """The person on a display with a dark bezel, held before a wall."""
    shown = person(room())
    outer = turned([(170, 20), (470, 20), (470, 420), (170, 420)], degrees)
    inner = turned([(190, 40), (450, 40), (450, 400), (190, 400)], degrees)
    picture = room(seed=4)
    cv2.fillPoly(picture, [outer], (20, 20, 22))
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [inner], 1)
    return np.where(mask[..., None] == 1, shown, picture)


@pytest.mark.parametrize("degrees", [0.0, 7.0, -15.0])
def test_a_display_before_the_camera_has_a_border(degrees: float) -> None:
    """A bezel is found as it is held, straight or askew; in a large picture as in a small one."""
    assert border(display(degrees), landmarks()).covered > LINE
    large = cv2.resize(display(degrees), None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    assert border(large, landmarks() * np.float32(2)).covered > LINE


def test_a_person_covers_the_frame_of_a_door_and_the_sill_of_a_window() -> None:
    """What stands behind a person has no lower edge where the person is."""
    door = room()
    cv2.rectangle(door, (170, 20), (470, 470), (50, 40, 30), 12)
    assert border(person(door), landmarks()).covered < LINE
    window = room()
    cv2.rectangle(window, (170, 20), (470, 400), (240, 240, 240), -1)
    assert border(person(window), landmarks()).covered < LINE


def test_a_desk_and_a_picture_on_the_wall_are_no_border() -> None:
    """A straight edge below that meets none beside the head is a desk; a frame beside the head does not hold it."""
    desk = person(room())
    desk[420:] = (120, 80, 40)
    cv2.rectangle(desk, (500, 60), (600, 200), (20, 20, 20), 8)
    assert border(desk, landmarks()).covered < LINE


def test_bars_that_a_camera_puts_around_a_picture_are_no_border() -> None:
    """Black above, below and beside the picture is cut off, and the display within it is still found."""
    framed = np.zeros((HEIGHT + 160, WIDTH + 200, 3), np.uint8)
    framed[80:-80, 100:-100] = person(room())
    moved = landmarks() + np.float32([100, 80, 0])
    assert border(framed, moved).covered < LINE
    framed[80:-80, 100:-100] = display()
    assert border(framed, moved).covered > LINE


def test_a_picture_without_an_edge_shows_nothing() -> None:
    """A plain picture, and one that is smaller than its face, are no error."""
    assert border(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), landmarks()).covered == 0.0
    assert border(np.full((8, 8, 3), 90, np.uint8), landmarks()).covered == 0.0


def test_the_corners_of_a_border_are_those_of_the_display() -> None:
    """In px of the picture as it was given, whatever its size; without a border there are none."""
    for scale in (1, 2):
        picture = cv2.resize(display(), None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        corners = border(picture, landmarks() * np.float32(scale)).corners / scale
        assert np.abs(corners[1:3] - [[180, 410], [460, 410]]).max() < 15
        assert np.abs(corners[[0, 3], 0] - [180, 460]).max() < 15
        assert np.abs(corners[[0, 3], 1] - 125).max() < 2
    assert np.isnan(border(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), landmarks()).corners).all()
