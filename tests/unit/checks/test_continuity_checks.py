from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_challenges.model import Challenge
from cameo_verifier.checks import frozen, picture_times, sound_cuts, sound_repeat, splice
from cameo_verifier.checks.question import Case
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Missing, Outcome, PictureTrace, SoundRepeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult, Evidence

NO_CHALLENGE = Challenge(())
FPS = 30
FRAMES = 90


def picture(**changed: Any) -> PictureTrace:
    """Six seconds at 30 pictures a second that change a little all the time."""
    change = np.full(6 * FPS, 0.6, np.float32)
    change[0] = 0.0
    return replace(PictureTrace(np.arange(6 * FPS) / FPS, change, 50.0, repeat=2.0, reversal=1.5), **changed)


def moving_head(jump_at: int | None = None) -> np.ndarray:
    """Landmarks of a head that sways by some px a picture; from `jump_at` on it is elsewhere."""
    landmarks = np.zeros((FRAMES, 478, 3), np.float32)
    landmarks[:, :, 0] = (300 + 20 * np.sin(np.arange(FRAMES) / 8))[:, None]
    if jump_at is not None:
        landmarks[jump_at:, :, 0] += 30
    return landmarks


@pytest.fixture
def judge(make_evidence: Callable[..., Evidence], profile: Profile) -> Callable[..., CheckResult]:
    """Put one question to good evidence with some parts replaced."""

    def ask(module: Any, *, trace: object = None, repeat: object = None, **parts: Any) -> CheckResult:
        parts["face"] = parts.get("face", {"landmarks": moving_head()})
        evidence = make_evidence(**parts)
        evidence = replace(evidence, picture=trace or picture(), repeat=repeat or SoundRepeat(0.5, 1.0, 2.0))
        result: CheckResult = module.check(Case(evidence, NO_CHALLENGE), profile)
        return result

    return ask


@pytest.mark.parametrize("module", [frozen, splice, picture_times, sound_cuts, sound_repeat])
def test_a_live_take_passes(module: Any, judge: Callable[..., CheckResult]) -> None:
    """A picture that moves on without a jump, with its own sound, is one live take."""
    assert judge(module).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("changed", "name"), [({"repeat": 0.3}, "repeat"), ({"reversal": 0.3}, "reversal")], ids=["again", "backwards"]
)
def test_a_stretch_that_comes_again_is_a_loop(changed: dict[str, float], name: str, judge: Callable[..., CheckResult]) -> None:
    """A stretch that comes again, either way round, fails for FROZEN_OR_LOOPED and says which."""
    result = judge(frozen, trace=picture(**changed))
    assert (result.outcome, result.reason, result.score) == (Outcome.FAIL, Reason.FROZEN_OR_LOOPED, 0.3)
    assert name in result.detail


def test_a_head_that_turns_and_comes_back_is_no_reversal(judge: Callable[..., CheckResult]) -> None:
    """A stretch that runs backwards while the head turns there and back is natural; while the head rests it is not."""
    pose = np.zeros((FRAMES, 3), np.float32)
    pose[30:45, 0] = np.concatenate([np.linspace(0, 20, 8), np.linspace(20, 0, 7)])
    turning = {"landmarks": moving_head(), "pose_deg": pose}
    during = picture(reversal=0.3, reversal_s=(2.0, 2.8))
    assert judge(frozen, trace=during, face=turning).outcome is Outcome.PASS
    at_rest = picture(reversal=0.3, reversal_s=(4.0, 4.8))
    assert judge(frozen, trace=at_rest, face=turning).reason is Reason.FROZEN_OR_LOOPED


def test_a_picture_that_stops_is_frozen(judge: Callable[..., CheckResult]) -> None:
    """Most of a second without change fails; three pictures that come twice, as phones make them, do not."""
    stopped, doubled = picture().change.copy(), picture().change.copy()
    stopped[40:62] = 0.02
    doubled[[40, 60, 80]] = 0.0
    result = judge(frozen, trace=picture(change=stopped))
    assert (result.outcome, result.reason, result.unit) == (Outcome.FAIL, Reason.FROZEN_OR_LOOPED, "s")
    assert judge(frozen, trace=picture(change=doubled)).outcome is Outcome.PASS


def test_an_empty_room_and_a_covered_lens_are_not_frozen(judge: Callable[..., CheckResult]) -> None:
    """What does not move while no face is there is a room; without any face nothing is said."""
    stopped, faces = picture().change.copy(), np.ones(FRAMES, np.int32)
    stopped[40:62] = 0.02
    faces[19:32] = 0
    assert judge(frozen, trace=picture(change=stopped), face={"faces": faces}).outcome is Outcome.PASS
    faces[21:31] = 1
    assert judge(frozen, trace=picture(change=stopped), face={"faces": faces}).reason is Reason.FROZEN_OR_LOOPED
    nobody = judge(frozen, trace=picture(change=np.zeros_like(stopped)), face=Missing(Reason.NO_FACE))
    assert (nobody.outcome, nobody.reason) == (Outcome.UNABLE, Reason.NO_FACE)


def test_what_cannot_be_compared_is_judged_by_its_stops_alone(judge: Callable[..., CheckResult]) -> None:
    """Where nothing moved enough to compare stretches, only the time without change counts."""
    result = judge(frozen, trace=picture(repeat=float("inf"), reversal=float("inf")))
    assert (result.outcome, result.unit, result.score) == (Outcome.PASS, "s", 0.0)


def test_a_jump_of_face_and_picture_is_a_cut(judge: Callable[..., CheckResult]) -> None:
    """Face and picture that jump together fail for SPLICED; either alone, as a slip or a refreshed picture, does not."""
    change = picture().change.copy()
    change[80] = 6.0
    both = judge(splice, trace=picture(change=change), face={"landmarks": moving_head(40)})
    assert (both.outcome, both.reason) == (Outcome.FAIL, Reason.SPLICED)
    assert "2.67 s" in both.detail
    assert judge(splice, trace=picture(change=change)).outcome is Outcome.PASS
    assert judge(splice, face={"landmarks": moving_head(40)}).outcome is Outcome.PASS


def test_a_whole_picture_that_changes_at_once_is_a_cut(judge: Callable[..., CheckResult]) -> None:
    """A change of the whole picture that stands out fails for SPLICED and says when, with or without a face to see."""
    result = judge(splice, trace=picture(cut=3.5, cut_s=4.2), face=Missing(Reason.NO_FACE))
    assert (result.outcome, result.reason, result.score) == (Outcome.FAIL, Reason.SPLICED, 3.5)
    assert "4.20 s" in result.detail
    assert judge(splice, trace=picture(cut=1.8)).outcome is Outcome.PASS


def test_no_cut_is_claimed_where_a_step_outlasts_a_movement(judge: Callable[..., CheckResult]) -> None:
    """At 12.5 pictures a second a change or a jump that stands out is asked for again; at 15 and more it is SPLICED."""
    change = picture().change.copy()
    change[80] = 6.0
    for step_s, reason in ((0.08, Reason.FRAME_RATE_TOO_LOW), (1 / 15, Reason.SPLICED), (0.04, Reason.SPLICED)):
        assert judge(splice, trace=picture(cut=3.5, cut_step_s=step_s)).reason is reason
    face = {"landmarks": moving_head(40), "t_s": np.arange(FRAMES) * 0.08}
    slow = picture(change=change, t_s=np.arange(6 * FPS) * 0.04)
    result = judge(splice, trace=slow, face=face)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.FRAME_RATE_TOO_LOW)


def test_words_pasted_into_silence_are_a_splice(judge: Callable[..., CheckResult]) -> None:
    """A sound that stops at once again and again fails for SPLICED and says when; a click does not, and no sound says nothing."""
    result = judge(sound_cuts, sound={"stops_s": np.arange(1.0, 7.0)})
    assert (result.outcome, result.reason, result.score) == (Outcome.FAIL, Reason.SPLICED, 6.0)
    assert "1.00, 2.00" in result.detail
    assert judge(sound_cuts, sound={"stops_s": np.array([1.0])}).outcome is Outcome.PASS
    assert judge(sound_cuts, sound=Missing(Reason.NO_AUDIO)).outcome is Outcome.UNABLE


def test_pictures_that_come_too_soon_are_of_another_camera(judge: Callable[..., CheckResult]) -> None:
    """Two seconds at 120 pictures a second in a recording of 30 fail; skipped pictures and half the rate in the dark do not."""
    steady = picture().t_s
    fast = np.concatenate([steady[:120], steady[119] + np.arange(1, 61) / 120])
    skipping = np.delete(np.arange(200) / FPS, slice(5, 100, 5))[:180]
    dark = np.cumsum(np.where(np.arange(180) < 100, 2, 1)) / FPS
    result = judge(picture_times, trace=picture(t_s=fast))
    assert (result.outcome, result.reason, result.score) == (Outcome.FAIL, Reason.SPLICED, pytest.approx(1 / 3, abs=0.01))
    for t_s in (skipping, dark, steady[:1]):
        assert judge(picture_times, trace=picture(t_s=t_s)).score == 0.0
    assert judge(picture_times, trace=Missing(Reason.NO_VIDEO)).outcome is Outcome.UNABLE


def test_a_time_without_pictures_is_a_gap(judge: Callable[..., CheckResult]) -> None:
    """A camera that shows nothing for more than a second was not one camera."""
    t_s = picture().t_s.copy()
    t_s[90:] += 1.5
    result = judge(splice, trace=picture(t_s=t_s))
    assert (result.reason, result.score) == (Reason.SPLICED, pytest.approx(1.5 + 1 / FPS))


def test_sound_that_comes_again_to_the_sample_is_a_copy(judge: Callable[..., CheckResult]) -> None:
    """A piece of sound that comes again fails for SPLICED and says where."""
    result = judge(sound_repeat, repeat=SoundRepeat(0.99, 1.5, 2.5))
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.SPLICED)
    assert "1.50 s and 2.50 s" in result.detail


def test_without_material_nothing_is_claimed(judge: Callable[..., CheckResult]) -> None:
    """Without picture, face or sound the checks are unable and say why."""
    assert judge(frozen, trace=Missing(Reason.NO_VIDEO)).outcome is Outcome.UNABLE
    assert judge(splice, trace=Missing(Reason.NO_VIDEO)).reason is Reason.NO_VIDEO
    assert judge(splice, face=Missing(Reason.NO_FACE)).outcome is Outcome.UNABLE
    assert judge(sound_repeat, repeat=Missing(Reason.NO_AUDIO)).outcome is Outcome.UNABLE
