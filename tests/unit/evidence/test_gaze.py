"""Eyes against the head, on a turning eyeball that is projected by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_verifier.checks import gaze
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.gaze import eye_turn
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, FaceTrack, MediaInfo, Missing, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_challenges.model import Challenge

RADIUS_MM, WIDTH_MM = 12.0, 30.0
CORNERS = ((33, 133), (362, 263))
NOBODY: Challenge = None  # type: ignore[assignment]  # the check asks nothing of it
FRAMES = 90


def turning(eyes: Callable[[np.ndarray], np.ndarray], *, reach_deg: float = 25.0, noise: float = 0.0) -> FaceTrack:
    """Return a head that turns there and back; `eyes` gives the yaw of the eyes in the head for that of the head, degrees."""
    yaw = reach_deg * np.sin(np.linspace(0, 4 * np.pi, FRAMES))
    rng = np.random.default_rng(1)
    landmarks = np.zeros((FRAMES, 478, 3), np.float32)
    head, eye = np.radians(yaw), np.radians(eyes(yaw))
    for (left, right), iris, centre in zip(CORNERS, (468, 473), (-31.0, 31.0), strict=True):
        # The picture's x grows to the person's left, to which a positive yaw turns.
        for index, offset in ((left, -WIDTH_MM / 2), (right, WIDTH_MM / 2)):
            landmarks[:, index, 0] = (centre + offset) * np.cos(head)
        across, forward = RADIUS_MM * np.sin(eye), RADIUS_MM * (np.cos(eye) - 1)
        landmarks[:, iris, 0] = (centre + across) * np.cos(head) + forward * np.sin(head)
        landmarks[:, iris, 0] += rng.normal(0, noise, FRAMES)
    none = np.zeros(0, np.float32)
    return FaceTrack(
        t_s=np.arange(FRAMES) / 15, faces=np.ones(FRAMES, np.int32), landmarks=landmarks,
        pose_deg=np.stack([yaw, 0 * yaw, 0 * yaw], axis=1).astype(np.float32), blendshapes=np.zeros((FRAMES, 52), np.float32),
        face_px=none, luma=none, sharpness=none, eye_white=none, identity_t_s=np.zeros(0), identity_yaw_deg=none,
        embeddings=np.zeros((0, 512), np.float32), live_t_s=np.zeros(0), live=none, ages=none,
    )  # fmt: skip


def asked(face: FaceTrack | Missing) -> tuple[Outcome, Reason | None]:
    result = gaze.check(Case(Evidence(MediaInfo("mp4", 0, "", 6.0), face, Missing(Reason.NO_AUDIO)), NOBODY), load())
    return result.outcome, result.reason


def test_eyes_that_hold_the_camera_go_against_the_head() -> None:
    """An eyeball that rolls back by the head's own turn moves its iris by 0.7 % of the eye for each degree."""
    held = turning(lambda yaw: -yaw, noise=0.3)
    assert eye_turn(held).percent_per_deg == pytest.approx(-0.7, abs=0.08)
    assert eye_turn(held).span_deg == pytest.approx(50, abs=3)
    assert asked(held) == (Outcome.PASS, None)


def test_eyes_fixed_in_the_head_do_not_pass() -> None:
    """The irises of a portrait stay where they are painted."""
    fixed = turning(np.zeros_like, noise=0.3)
    assert eye_turn(fixed).percent_per_deg == pytest.approx(0.0, abs=0.08)
    assert asked(fixed) == (Outcome.FAIL, Reason.NOT_CONFIRMED)


def test_a_blink_or_a_head_turned_far_says_nothing() -> None:
    """Irises under closed lids and beyond 30 degrees are left out, however wrong they are."""
    face = turning(lambda yaw: -yaw, reach_deg=50)
    away = np.abs(face.pose_deg[:, 0]) > 30
    face.landmarks[away, 468, 0] += 40
    face.blendshapes[10:20, 9] = 0.9
    face.landmarks[10:20, 473, 0] -= 40
    found = eye_turn(face)
    assert found.percent_per_deg == pytest.approx(-0.7, abs=0.08)
    assert found.frames == int((~away).sum() - (~away)[10:20].sum())


def test_a_head_that_rests_is_not_judged() -> None:
    """Too little yaw gives no answer; neither does a recording without a face, or one that never shows it from the front."""
    assert asked(turning(lambda yaw: -yaw, reach_deg=3)) == (Outcome.UNABLE, Reason.MOVEMENT_MISSING)
    assert asked(Missing(Reason.NO_FACE)) == (Outcome.UNABLE, Reason.NO_FACE)
    absent = turning(lambda yaw: -yaw)
    absent.pose_deg[:] = np.nan
    assert asked(absent) == (Outcome.UNABLE, Reason.MOVEMENT_MISSING)
