"""The pipeline on recordings that no one here made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cameo_challenges.model import Challenge, Turn, TurnHead
from cameo_verifier import pipeline
from cameo_verifier.checks import gaze
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.movements import movements
from cameo_verifier.pipeline import verify
from cameo_verifier.profile import CheckRole
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import Settings
from cameo_verifier.types import Circumstances, FaceTrack, Judgement, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit

pytestmark = pytest.mark.devdata

GENUINE = (
    "bonafide/bbaf2n.mpg",
    "bonafide/lrwp9a.mpg",
    "bonafide/numbers_phone_a.mov",
    "bonafide/numbers_webcam_b.mp4",
    "bonafide/numbers_webcam_c_5fps.mp4",
    "bonafide/pwij3p.mpg",
    "bonafide/sbwe5n.mpg",
    "bonafide/speech_hevc_portrait.mp4",
    "bonafide/speech_katiehill.mp4",
    "bonafide/swiz3n.mpg",
    "headturn/dark_phone_replay_genuine.mp4",
    "headturn/p1_live_video.mov",
    "headturn/p2_live_video.mov",
    "headturn/p3_live_video.mov",
)
REPLAYS = (
    "replay/dark_phone_replay.mp4",
    "replay/p3_replayed_on_phone.mov",
    "replay/phone_replay_b.mp4",
    "replay/screen_replay.mp4",
)
LEFT, RIGHT, UP, DOWN = Turn
TURNS = {
    "headturn/p1_live_video.mov": (LEFT, RIGHT, UP, DOWN),
    "headturn/p2_live_video.mov": (LEFT, RIGHT, UP, DOWN),
    "headturn/p3_live_video.mov": (RIGHT, LEFT, RIGHT, UP, DOWN),
}


@pytest.fixture(scope="module")
def judge(kit: ModelKit, devdata: Path) -> Callable[[str], Judgement]:
    """Return a function that judges a recording alone, once."""
    known: dict[str, Judgement] = {}

    def judged(name: str) -> Judgement:
        if name not in known:
            known[name] = verify(devdata / name, Challenge(()), profile=load(), kit=kit, settings=Settings())
        return known[name]

    return judged


def again(judgement: Judgement, challenge: Challenge, profile: str) -> Judgement:
    """Judge a recording's evidence by another profile or challenge; it does not depend on them, as nothing is to be said."""
    told = Circumstances(limits=Settings().media.model_dump())
    return pipeline.judge(Case(judgement.evidence, challenge, told), load(profile))


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_recordings_pass_every_check_of_the_picture(judge: Callable[[str], Judgement], name: str) -> None:
    """A real person before a camera passes all that decides; only the 5 fps recording asks for another try."""
    judgement = judge(name)
    decides = load(judgement.profile)
    failed = {
        c.name: c.reason
        for c in judgement.checks
        if c.outcome is not Outcome.PASS and decides.role(c.name) is not CheckRole.ADVISE
    }
    expected = {"frame_rate": Reason.FRAME_RATE_TOO_LOW} if "5fps" in name else {}
    assert failed == expected
    assert judgement.decision.verdict is (Verdict.RETRY if expected else Verdict.ACCEPTED)


@pytest.mark.parametrize("name", REPLAYS)
def test_replays_are_rejected_as_such(judge: Callable[[str], Judgement], name: str) -> None:
    """A recording of a screen that plays a face is found by the presentation-attack check."""
    decision = judge(name).decision
    assert decision.verdict is Verdict.REJECTED
    assert Reason.SCREEN_OR_PRINT in decision.reasons


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_recordings_stay_clear_of_a_displays_marks(judge: Callable[[str], Judgement], name: str) -> None:
    """Nothing periodic lies over a real person, no bands roll, and a closer crop shows a person too: by more than a little."""
    scores = {check.name: check.score or 0.0 for check in judge(name).checks}
    assert scores["moire"] < 6.0
    assert scores["flicker"] < 0.01
    assert scores["close_up"] > 0.5


@pytest.mark.parametrize("name", [name for name in REPLAYS if "p3" not in name])
def test_skin_alone_gives_most_replays_away(judge: Callable[[str], Judgement], name: str) -> None:
    """Three of four replays are known by the closer crop, without an edge of the display; the fourth needs its surroundings."""
    result = next(check for check in judge(name).checks if check.name == "close_up")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.SCREEN_OR_PRINT)


@pytest.mark.parametrize("name", TURNS)
def test_turns_come_out_in_the_order_they_happen(judge: Callable[[str], Judgement], name: str) -> None:
    """Left is the person's own left, and the order is that of the recording."""
    face = judge(name).evidence.face
    assert isinstance(face, FaceTrack)
    profile = load()
    found = movements(
        face.t_s, face.pose_deg, min_deg=profile["turn_deg_min"].value, centre_deg=profile["turn_centre_deg_max"].value
    )
    assert tuple(m.turn for m in found) == TURNS[name]


def test_some_look_young_and_none_is_locked_out_for_it(judge: Callable[[str], Judgement]) -> None:
    """Four genuine recordings are marked; judged by the profile for minors each gets the verdict it gets by the default."""
    marked = {name for name in GENUINE if judge(name).minor_safeguards}
    assert marked == {
        *("bonafide/lrwp9a.mpg", "bonafide/numbers_phone_a.mov", "bonafide/speech_hevc_portrait.mp4"),
        "headturn/dark_phone_replay_genuine.mp4",
    }
    assert {judge(name).profile for name in marked} == {"minor"}
    for name in GENUINE:
        strict = again(judge(name), Challenge(()), "minor")
        assert strict.decision == judge(name).decision, name


@pytest.mark.parametrize("name", [*TURNS, "bonafide/speech_katiehill.mp4", "bonafide/speech_hevc_portrait.mp4"])
def test_living_eyes_go_against_the_turning_head(judge: Callable[[str], Judgement], name: str) -> None:
    """People who turn their heads before a camera keep looking at it, at least in part."""
    result = gaze.check(Case(judge(name).evidence, Challenge(())), load())
    assert result.outcome is Outcome.PASS
    assert result.score is not None
    assert result.score < -0.3


def test_a_replayed_head_turn_makes_the_same_turns(judge: Callable[[str], Judgement]) -> None:
    """Turning the head says nothing about a screen: the replay answers the movements and is rejected all the same."""
    judgement = again(judge(REPLAYS[1]), Challenge((TurnHead(LEFT), TurnHead(UP))), "default")
    assert Reason.SCREEN_OR_PRINT in judgement.decision.reasons
    assert Reason.MOVEMENT_MISSING not in judgement.decision.reasons
