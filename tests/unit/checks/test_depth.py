"""Is the face that turns a solid one?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Turn, TurnHead
from cameo_verifier.checks.depth import check
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.relief import SKIN, lean
from cameo_verifier.profile import CheckRole
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, Missing, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult

FRAMES = 90
ASKED = Challenge((TurnHead(Turn.LEFT), TurnHead(Turn.UP)))


def turning(depth: float, pairs: int = 12, lost: int = 0) -> dict[str, Any]:
    """Return the face of a head turned left and up by 8 degrees in each pair, with that share of its depth; `lost` pairs lost."""
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-80, 80, (2, 478))
    z = -35 * np.exp(-((x / 20) ** 2) - (y / 30) ** 2)
    landmarks = np.tile(np.column_stack([x + 200, y + 200, z]).astype(np.float32), (FRAMES, 1, 1))
    pose = np.zeros((FRAMES, 3), np.float32)
    pose[1::4, 0] = 8
    pose[3::4, 1] = 8
    if pairs >= 4:
        pose[60:68, 0] = pose[76:84, 1] = 15
    rows = np.array([(2 * i, 2 * i + 1) for i in range(pairs)], np.int32).reshape(-1, 2)
    skin = landmarks[0, list(SKIN)]
    points = np.stack([skin[:, :2] + depth * skin[:, 2:] * lean(pose[a], pose[b]) for a, b in rows] or [skin[:, :2]])[:pairs]
    points[:lost] = np.nan
    return {"landmarks": landmarks, "pose_deg": pose, "turn_rows": rows, "turn_points": points.astype(np.float32)}


@pytest.fixture
def judge(make_evidence: Callable[..., Evidence], profile: Profile) -> Callable[..., CheckResult]:
    """Return a function that puts the question to a face turned in pairs of frames."""

    def judged(face: object) -> CheckResult:
        return check(Case(make_evidence(face=face), ASKED), profile)

    return judged


def test_a_head_passes(judge: Callable[..., CheckResult]) -> None:
    """The score is the depth as a share of a head's, and the detail says out of how many pairs."""
    result = judge(turning(0.9))
    assert result.outcome is Outcome.PASS
    assert result.score == pytest.approx(0.9, abs=0.02)
    assert (result.unit, result.reason, result.detail) == ("of a head's depth", None, "12 of 12 pairs of frames")


@pytest.mark.parametrize("depth", [0.0, 0.10, -0.4])
def test_a_plane_fails_as_flat(judge: Callable[..., CheckResult], depth: float) -> None:
    """Nothing, too little, or depth that goes the wrong way: flat."""
    result = judge(turning(depth))
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.FLAT_FACE)
    assert result.score == pytest.approx(depth, abs=0.02)


def test_a_depth_between_prints_and_heads_asks_again(judge: Callable[..., CheckResult]) -> None:
    """A lens against the light makes a head as shallow as some prints are: neither is passed, neither accused."""
    result = judge(turning(0.15))
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.BLURRED)


def test_a_codec_that_smears_the_skin_is_not_called_flat(judge: Callable[..., CheckResult]) -> None:
    """Where the skin strays by more than a head's depth would move it, heads look like prints: nobody is accused."""
    face = turning(0.0)
    face["turn_points"] = face["turn_points"] + np.random.default_rng(5).normal(0, 4, face["turn_points"].shape).astype(
        np.float32
    )
    result = judge(face)
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.BLURRED)


def test_a_head_that_only_nods_is_not_called_flat(judge: Callable[..., CheckResult]) -> None:
    """Some degrees to and fro while talking show no depth in a small picture of a real head."""
    face = turning(0.0)
    face["pose_deg"][60:] = 0
    result = judge(face)
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.MOVEMENT_MISSING)


def test_dark_skin_in_good_light_is_not_darkness(judge: Callable[..., CheckResult]) -> None:
    """The white of the eyes tells the light: a dark face in it is judged like a light one."""
    result = judge({**turning(0.0), "luma": np.full(FRAMES, 45, np.float32), "eye_white": np.full(FRAMES, 110, np.float32)})
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.FLAT_FACE)


def test_a_face_in_the_dark_is_not_called_flat(judge: Callable[..., CheckResult]) -> None:
    """Where it is too dark to follow the skin, too little depth asks for light; enough of it passes."""
    dark = {"luma": np.full(FRAMES, 55, np.float32), "eye_white": np.full(FRAMES, 50, np.float32)}
    result = judge({**turning(0.1), **dark})
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.TOO_DARK)
    assert judge({**turning(0.9), **dark}).outcome is Outcome.PASS


def test_a_head_that_did_not_turn_cannot_be_judged(judge: Callable[..., CheckResult]) -> None:
    """Without turns the check says that they are missing, with no score."""
    result = judge(turning(0.9, pairs=3))
    assert (result.outcome, result.reason, result.score) == (Outcome.UNABLE, Reason.MOVEMENT_MISSING, None)
    assert result.detail == "3 of 3 pairs of frames, 4 are needed"


def test_turns_too_blurred_to_follow_cannot_be_judged(judge: Callable[..., CheckResult]) -> None:
    """Where the head turned but its skin was lost, the picture is to blame: another try, no accusation."""
    result = judge(turning(0.9, pairs=12, lost=9))
    assert (result.outcome, result.reason, result.score) == (Outcome.UNABLE, Reason.BLURRED, None)


def test_no_face_is_no_depth(judge: Callable[..., CheckResult]) -> None:
    """A recording without a face says why."""
    result = judge(Missing(Reason.NO_FACE))
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.NO_FACE)


def test_depth_confirms_where_turns_are_asked(profile: Profile) -> None:
    """A turn whose depth cannot be seen is not confirmed: a blurred photograph must not slip through as unjudged."""
    assert profile.role("depth") is CheckRole.CONFIRM
