"""The questions about the picture, on evidence made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Say, Turn, TurnHead
from cameo_verifier.checks import (
    alone,
    bezel,
    blink,
    close_up,
    eyes,
    face_size,
    flicker,
    light,
    moire,
    mouth,
    movement,
    presence,
    presentation_attack,
    same_person,
    sequence,
    sharpness,
    upscaled,
)
from cameo_verifier.checks.question import Case
from cameo_verifier.profile import CheckRole
from cameo_verifier.reasons import Kind, Reason
from cameo_verifier.types import Evidence, Missing, Outcome, PictureTrace, Word

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

MakeEvidence = Callable[..., Evidence]
NOTHING = Challenge(())


def column(value: float, count: int = 90) -> np.ndarray:
    return np.full(count, value, np.float32)


def rows(*values: float) -> np.ndarray:
    return np.tile(np.float32(values), (12, 1))


def gap(start: int, stop: int) -> np.ndarray:
    faces = np.ones(90, np.int32)
    faces[start:stop] = 0
    return faces


def two_people() -> np.ndarray:
    rows = np.zeros((16, 512), np.float32)
    rows[:8, 0] = rows[8:, 1] = 1
    return rows


@pytest.mark.parametrize(
    ("module", "face", "reason"),
    [
        (light, {"luma": column(20), "eye_white": column(18)}, Reason.TOO_DARK),
        (light, {"luma": column(240)}, Reason.TOO_BRIGHT),
        (sharpness, {"sharpness": column(0.005)}, Reason.BLURRED),
        (face_size, {"face_px": column(40)}, Reason.FACE_TOO_SMALL),
        (presence, {"faces": gap(30, 50)}, Reason.FACE_LEFT_FRAME),
        (presence, {"faces": gap(0, 20)}, Reason.FACE_LEFT_FRAME),
        (presence, {"faces": gap(70, 90)}, Reason.FACE_LEFT_FRAME),
        (alone, {"faces": np.where(np.arange(90) < 10, 2, 1).astype(np.int32)}, Reason.MULTIPLE_FACES),
        (same_person, {"embeddings": two_people()}, Reason.FACE_CHANGED),
        (presentation_attack, {"live": column(0.05, 24), "live_close": column(0.1, 12)}, Reason.SCREEN_OR_PRINT),
        (close_up, {"live_close": column(0.1, 12)}, Reason.SCREEN_OR_PRINT),
        (bezel, {"bezel": column(0.9, 12)}, Reason.DISPLAY_VISIBLE),
        (moire, {"grid": column(9.0, 24)}, Reason.DISPLAY_VISIBLE),
        (eyes, {"eyes": rows(0.05, -0.2, 0.05)}, Reason.EYES_NOT_VISIBLE),
        (eyes, {"eyes": rows(0.8, -2.4, 0.05)}, Reason.EYES_NOT_VISIBLE),
        (eyes, {"eyes": rows(0.8, -0.2, 0.9)}, Reason.EYES_NOT_VISIBLE),
        (mouth, {"mouth": rows(0.0, 0.01, 0.0, 0.2, 0.05)}, Reason.MOUTH_NOT_VISIBLE),
        (mouth, {"mouth": rows(-0.2, 0.2, 0.1, 0.9, 0.4)}, Reason.MOUTH_NOT_VISIBLE),
        (blink, {"blendshapes": np.zeros((90, 52), np.float32)}, Reason.NO_BLINK),
    ],
)
def test_one_defect_fails_for_its_own_reason(
    make_evidence: MakeEvidence, profile: Profile, module: Any, face: dict[str, Any], reason: Reason
) -> None:
    """Good evidence passes, and the same with one defect fails with that defect's reason, score and threshold."""
    good = module.check(Case(make_evidence(), NOTHING), profile)
    assert (good.outcome, good.reason) == (Outcome.PASS, None)
    bad = module.check(Case(make_evidence(face=face), NOTHING), profile)
    assert (bad.outcome, bad.reason) == (Outcome.FAIL, reason)
    assert bad.score is not None
    assert bad.threshold is not None


def test_a_face_is_small_relative_to_its_picture(make_evidence: MakeEvidence, profile: Profile) -> None:
    """103 px are enough in a small picture, too few in one of 1280; where most show no face, the second look's count."""
    for face, outcome in (
        ({"face_px": column(103), "face_share": column(103 / 1280)}, Outcome.FAIL),
        ({"face_px": column(103), "face_share": column(103 / 360)}, Outcome.PASS),
        ({"face_share": column(0.2), "faces": gap(10, 90), "small_share": column(0.06, 5)}, Outcome.FAIL),
        ({"face_share": column(0.2), "faces": gap(10, 20), "small_share": column(0.06, 1)}, Outcome.PASS),
    ):
        result = face_size.check(Case(make_evidence(face=face), NOTHING), profile)
        assert (result.outcome, result.reason) == (outcome, Reason.FACE_TOO_SMALL if outcome is Outcome.FAIL else None)


@pytest.mark.parametrize("module", [presentation_attack, close_up, same_person, eyes, mouth])
def test_few_scored_frames_say_what_keeps_them_few(make_evidence: MakeEvidence, profile: Profile, module: Any) -> None:
    """A face that is gone, or turned away, in most of a recording does not make it short; a short one does."""
    few = {"live": column(0.9, 3), "live_close": column(0.9, 2), "embeddings": two_people()[:3]}
    few |= {"eyes": rows(0.8, -0.2, 0.05)[:1], "mouth": rows(-0.2, 0.2, 0.1, 0.4, 0.05)[:1]}
    aside = np.zeros((90, 3), np.float32)
    aside[5:, 0] = 40.0
    for face, reason in (
        ({**few, "faces": gap(8, 85)}, Reason.FACE_LEFT_FRAME),
        ({**few, "pose_deg": aside}, Reason.FACE_TURNED_AWAY),
        (few, Reason.RECORDING_TOO_SHORT),
    ):
        result = module.check(Case(make_evidence(face=face), NOTHING), profile)
        assert (result.outcome, result.reason) == (Outcome.UNABLE, reason)


def test_no_question_of_the_skin_passes_unjudged(profile: Profile) -> None:
    """Both crops have to confirm: one that could not be scored is no pass."""
    assert {profile.role(name) for name in ("presentation_attack", "close_up")} == {CheckRole.CONFIRM}


@pytest.mark.parametrize(
    "module",
    [light, sharpness, face_size, presence, alone, same_person, presentation_attack, close_up, bezel, moire, blink, eyes, mouth],
)
def test_without_a_picture_a_check_says_so(make_evidence: MakeEvidence, profile: Profile, module: Any) -> None:
    """A check that cannot run is unable, with the reason why."""
    result = module.check(Case(make_evidence(face=Missing(Reason.NO_VIDEO)), NOTHING), profile)
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.NO_VIDEO)


def test_no_face_at_all_is_a_failure_of_presence(make_evidence: MakeEvidence, profile: Profile) -> None:
    """A picture without any face answers the question of presence with no."""
    result = presence.check(Case(make_evidence(face=Missing(Reason.NO_FACE)), NOTHING), profile)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.NO_FACE)


def test_a_replay_that_shines_in_single_frames_still_fails(make_evidence: MakeEvidence, profile: Profile) -> None:
    """A quarter of the frames scored live does not save a replay."""
    live = np.where(np.arange(24) % 4 == 0, 0.98, 0.1).astype(np.float32)
    result = presentation_attack.check(Case(make_evidence(face={"live": live, "live_close": column(0.5, 12)}), NOTHING), profile)
    assert result.reason is Reason.SCREEN_OR_PRINT


def test_one_crop_that_another_denies_asks_for_better_light(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Where the closer crop is sure of a live face the wide one accuses nobody, and lets nobody in."""
    for close, reason in ((0.97, Reason.TOO_DARK), (0.85, Reason.SCREEN_OR_PRINT)):
        face = {"live": column(0.1, 24), "live_close": column(close, 12)}
        result = presentation_attack.check(Case(make_evidence(face=face), NOTHING), profile)
        assert (result.outcome, result.reason) == (Outcome.FAIL, reason)


def test_a_display_that_is_seen_is_not_excused_by_the_dark() -> None:
    """What the network makes of the dark is excused; a border or a grid is there in any light."""
    assert not [
        reason
        for reason in (Reason.TOO_DARK, Reason.TOO_BRIGHT, Reason.FACE_TOO_SMALL, Reason.MOUTH_NOT_VISIBLE)
        if Reason.DISPLAY_VISIBLE in reason.excuses
    ]


def test_a_border_in_one_frame_is_chance(make_evidence: MakeEvidence, profile: Profile) -> None:
    """One frame shows nothing; a display that fills the picture in all but two of them is known by those."""
    one, two = column(0.2, 12), column(0.2, 12)
    one[3] = two[3] = two[7] = 0.9
    assert bezel.check(Case(make_evidence(face={"bezel": one}), NOTHING), profile).outcome is Outcome.PASS
    assert bezel.check(Case(make_evidence(face={"bezel": two}), NOTHING), profile).reason is Reason.DISPLAY_VISIBLE


@pytest.mark.parametrize(
    ("module", "face"),
    [
        (presentation_attack, {"live": column(0.99, 11)}),
        (close_up, {"live_close": column(0.99, 5)}),
        (bezel, {"bezel": column(0.9, 2)}),
        (moire, {"grid": np.array([9.0, 9.0, 9.0, *[np.nan] * 21], np.float32)}),
        (same_person, {"embeddings": two_people()[:5]}),
        (eyes, {"eyes": rows(0.8, -0.2, 0.05)[:2]}),
        (mouth, {"mouth": rows(-0.2, 0.2, 0.1, 0.4, 0.05)[:2]}),
    ],
)
def test_too_few_frames_are_no_answer(make_evidence: MakeEvidence, profile: Profile, module: Any, face: dict[str, Any]) -> None:
    """Fewer frames than the profile asks for cannot confirm anything."""
    assert module.check(Case(make_evidence(face=face), NOTHING), profile).outcome is Outcome.UNABLE


@pytest.mark.parametrize("module", [eyes, mouth])
def test_in_the_dark_nothing_is_said_to_be_covered(make_evidence: MakeEvidence, profile: Profile, module: Any) -> None:
    """Where too little light falls on the face to tell, light is asked for, and not bare eyes or a bare mouth."""
    face = {"luma": column(20), "eye_white": column(18), "eyes": rows(0.0, 0.0, 0.0), "mouth": rows(0.0, 0.0, 0.0, 0.0, 0.0)}
    result = module.check(Case(make_evidence(face=face), NOTHING), profile)
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.TOO_DARK)


@pytest.mark.parametrize(
    ("module", "face"), [(eyes, {"eyes": rows(*[np.nan] * 3)}), (mouth, {"mouth": rows(*[np.nan] * 5)})], ids=("eyes", "mouth")
)
def test_eyes_and_mouth_beside_the_picture_are_not_seen(
    make_evidence: MakeEvidence, profile: Profile, module: Any, face: dict[str, Any]
) -> None:
    """What was never in the picture is asked for by its name, without a score."""
    result = module.check(Case(make_evidence(face=face), NOTHING), profile)
    assert (result.outcome, result.score) == (Outcome.UNABLE, None)
    assert result.reason in (Reason.EYES_NOT_VISIBLE, Reason.MOUTH_NOT_VISIBLE)


def test_blinks_cover_no_eyes(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Eyes that are shut in less than half of the frames looked at are seen."""
    shut = rows(0.8, -0.2, 0.05)
    shut[:5] = (0.0, np.nan, np.nan)
    assert eyes.check(Case(make_evidence(face={"eyes": shut}), NOTHING), profile).outcome is Outcome.PASS


def test_what_is_live_on_one_side_only_is_a_display(make_evidence: MakeEvidence, profile: Profile) -> None:
    """A close face counts mirrored as well: one that the network takes for live the one way round alone fails."""
    one_way = np.tile(np.array([0.95, 0.1], np.float32), (12, 1))
    result = close_up.check(Case(make_evidence(face={"live_close": one_way}), NOTHING), profile)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.SCREEN_OR_PRINT)


@pytest.mark.parametrize(("luma", "live", "outcome"), [(140, 0.4, "fail"), (100, 0.4, "pass"), (100, 0.1, "fail")])
def test_poor_light_lowers_the_line_and_opens_no_door(
    make_evidence: MakeEvidence, profile: Profile, luma: float, live: float, outcome: str
) -> None:
    """Skin that looks doubtful fails in fair light and passes against the light; what looks like a display fails in any."""
    face = {"luma": column(luma), "eye_white": column(luma), "live_close": np.full((12, 2), live, np.float32)}
    assert close_up.check(Case(make_evidence(face=face), NOTHING), profile).outcome.value == outcome


def test_what_neither_people_nor_displays_score_is_asked_for_again(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Between the worst display and the worst person in clear light nobody is accused, and nobody passes."""
    face = {"eye_white": column(140), "live_close": np.full((12, 2), 0.47, np.float32)}
    result = close_up.check(Case(make_evidence(face=face), NOTHING), profile)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TOO_DARK)


def test_dark_skin_in_good_light_is_light_enough(make_evidence: MakeEvidence, profile: Profile) -> None:
    """A face of luma 25 whose eyes are white is no dark picture; where the eyes were not seen, the face alone tells."""
    dark_skin = {"luma": column(25), "eye_white": column(110)}
    assert light.check(Case(make_evidence(face=dark_skin), NOTHING), profile).outcome is Outcome.PASS
    unseen = {"luma": column(25), "eye_white": column(float("nan"))}
    assert light.check(Case(make_evidence(face=unseen), NOTHING), profile).reason is Reason.TOO_DARK


def test_a_poor_picture_of_one_person_is_not_called_another(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Frames less alike than usual, and more than two people's, ask again; the same for a possible minor."""
    rows = np.zeros((16, 512), np.float32)
    rows[:, 0] = 1
    rows[8:, 0], rows[8:, 1] = 0.4, np.sqrt(1 - 0.4**2)
    for judging in (profile, profile.judging(minor=True)):
        result = same_person.check(Case(make_evidence(face={"embeddings": rows}), NOTHING), judging)
        assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.BLURRED)


def test_a_codec_that_smears_every_face_is_no_other_person(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Frames that are like nobody, themselves included, are no two people; one frame like nobody else's is none either."""
    rng = np.random.default_rng(6)
    smeared = rng.normal(size=(16, 512)).astype(np.float32)
    smeared[:, 0] += 8
    alone = np.zeros((16, 512), np.float32)
    alone[:, 0] = 1
    alone[3:5, 0], alone[3:5, 1:3] = 0, np.eye(2)
    for frames in (smeared, alone):
        embeddings = frames / np.linalg.norm(frames, axis=1, keepdims=True)
        result = same_person.check(Case(make_evidence(face={"embeddings": embeddings}), NOTHING), profile)
        assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.BLURRED)


def test_an_upscaled_picture_is_remarked_on_in_fair_light(make_evidence: MakeEvidence, profile: Profile) -> None:
    """A spectrum that bends does not pass; in the dark, where noise reduction bends it, or without a picture, nothing is said."""
    good, bent = upscaled.check(Case(make_evidence(), NOTHING), profile), {"bend_db": 9.0}
    assert good.outcome is Outcome.PASS
    found = upscaled.check(Case(make_evidence(face=bent), NOTHING), profile)
    assert (found.outcome, found.reason, found.score) == (Outcome.FAIL, Reason.NOT_CONFIRMED, 9.0)
    for face, reason in (
        ({**bent, "luma": column(45), "eye_white": column(40)}, Reason.TOO_DARK),
        ({"bend_db": float("nan")}, Reason.RECORDING_TOO_SHORT),
        (Missing(Reason.NO_VIDEO), Reason.NO_VIDEO),
    ):
        unable = upscaled.check(Case(make_evidence(face=face), NOTHING), profile)
        assert (unable.outcome, unable.reason) == (Outcome.UNABLE, reason)
    assert profile.role("upscaled") is CheckRole.ADVISE


def test_a_frame_of_chance_is_no_display(make_evidence: MakeEvidence, profile: Profile) -> None:
    """What stands out in three frames and not in all together is no grid; frames that could not be judged do not count."""
    grid = np.array([9.0, 9.0, 9.0, *[4.0] * 20, np.nan], np.float32)
    assert moire.check(Case(make_evidence(face={"grid": grid}), NOTHING), profile).outcome is Outcome.PASS


def test_bands_ask_for_another_light(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Bands in the picture may be a lamp's: they are a matter of quality, and without a picture there is no answer."""
    good = make_evidence()
    steady = PictureTrace(np.arange(90) / 15.0, column(1.0), 50.0, flicker=0.003)
    assert flicker.check(Case(replace(good, picture=steady), NOTHING), profile).outcome is Outcome.PASS
    banded = flicker.check(Case(replace(good, picture=replace(steady, flicker=0.12)), NOTHING), profile)
    assert (banded.outcome, banded.reason, banded.score) == (Outcome.FAIL, Reason.LIGHT_FLICKERS, 0.12)
    assert Reason.LIGHT_FLICKERS.kind is Kind.QUALITY
    assert flicker.check(Case(replace(good, picture=Missing(Reason.NO_VIDEO)), NOTHING), profile).outcome is Outcome.UNABLE


def nodding(*turns: tuple[float, Turn, float]) -> dict[str, Any]:
    """Return a pose track of 90 frames with turns of (peak second, way, degrees), each 1 s long."""
    t_s = np.arange(90) / 15.0
    pose = np.zeros((90, 3), np.float32)
    for at, turn, deg in turns:
        bump = deg * np.clip(np.cos((t_s - at) * np.pi), 0, None) * (np.abs(t_s - at) < 0.5)
        axis, sign = {Turn.LEFT: (0, 1), Turn.RIGHT: (0, -1), Turn.UP: (1, 1), Turn.DOWN: (1, -1)}[turn]
        pose[:, axis] += sign * bump.astype(np.float32)
    return {"pose_deg": pose}


LEFT_UP = Challenge((TurnHead(Turn.LEFT), TurnHead(Turn.UP)))


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([(1, Turn.LEFT, 30), (4, Turn.UP, 20)], None),
        ([(1, Turn.LEFT, 30), (2.5, Turn.DOWN, 13), (4, Turn.UP, 25)], None),
        ([(1, Turn.LEFT, 30), (2.5, Turn.DOWN, 30), (4, Turn.UP, 25)], None),
        ([(1, Turn.LEFT, 30)], Reason.MOVEMENT_MISSING),
        ([], Reason.MOVEMENT_MISSING),
        ([(1, Turn.RIGHT, 30), (4, Turn.UP, 30)], Reason.MOVEMENT_MISSING),
        ([(1, Turn.UP, 30), (4, Turn.LEFT, 30)], Reason.MOVEMENT_WRONG_ORDER),
        ([(0.7, Turn.LEFT, 30), (2, Turn.RIGHT, 30), (3.3, Turn.UP, 30), (4.6, Turn.DOWN, 30)], Reason.MOVEMENT_WRONG_ORDER),
    ],
)
def test_movements(
    make_evidence: MakeEvidence, profile: Profile, turns: list[tuple[float, Turn, float]], reason: Reason | None
) -> None:
    """The asked turns in order pass, with one false start at most; missing, mirrored, swapped or sweeping ones do not."""
    result = movement.check(Case(make_evidence(face=nodding(*turns)), LEFT_UP), profile)
    assert (result.reason, result.outcome) == (reason, Outcome.FAIL if reason else Outcome.PASS)


def test_a_mirrored_answer_is_refused_and_remarked_on(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Turns that a mirror shows are MOVEMENT_MISSING, whose hint and detail say what is wrong; others have no such remark."""
    mirrored = movement.check(Case(make_evidence(face=nodding((1, Turn.RIGHT, 30), (4, Turn.UP, 30))), LEFT_UP), profile)
    assert mirrored.reason is Reason.MOVEMENT_MISSING
    assert "in a mirror they are the asked ones" in mirrored.detail
    assert "not mirrored" in Reason.MOVEMENT_MISSING.hint
    for turns in ([(1, Turn.LEFT, 30)], [(1, Turn.LEFT, 30), (4, Turn.UP, 30)], [(1, Turn.DOWN, 30), (4, Turn.UP, 30)]):
        assert "mirror" not in movement.check(Case(make_evidence(face=nodding(*turns)), LEFT_UP), profile).detail


@pytest.mark.parametrize(
    ("one", "two", "reason"), [(0.3, 4.0, None), (3.0, 4.0, Reason.SPOKE_TOO_LATE), (0.3, 0.9, Reason.SPOKE_TOO_EARLY)]
)
def test_words_belong_before_and_after_the_turn_between_them(
    make_evidence: MakeEvidence, profile: Profile, one: float, two: float, reason: Reason | None
) -> None:
    """Words on the wrong side of a turn fail, and the reason says on which."""
    challenge = Challenge((Say("seven"), TurnHead(Turn.LEFT), Say("four")))
    words = (Word("seven", one, one + 0.4, 0.9), Word("four", two, two + 0.4, 0.9))
    evidence = make_evidence(face=nodding((2.0, Turn.LEFT, 30)), sound={"words": words, "text": "seven four"})
    assert sequence.check(Case(evidence, challenge), profile).reason is reason


def test_words_misplaced_in_noise_are_asked_for_again(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Below 15 dB words on the wrong side of a turn are the noise's fault; words in their place pass in it."""
    challenge = Challenge((Say("seven"), TurnHead(Turn.LEFT), Say("four")))
    for one, outcome, reason in ((3.0, Outcome.UNABLE, Reason.TOO_NOISY), (0.3, Outcome.PASS, None)):
        words = (Word("seven", one, one + 0.4, 0.9), Word("four", 4.0, 4.4, 0.9))
        sound = {"words": words, "text": "seven four", "level_dbfs": -20.0, "noise_dbfs": -32.0}
        result = sequence.check(Case(make_evidence(face=nodding((2.0, Turn.LEFT, 30)), sound=sound), challenge), profile)
        assert (result.outcome, result.reason) == (outcome, reason)
