"""Answers without a word, rendered by the studio and judged with the real models."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from cameo_challenges.model import Challenge, Gesture, MakeGesture, Turn, TurnHead
from cameo_verifier.checks.question import Case
from cameo_verifier.pipeline import judge, verify
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import Settings
from cameo_verifier.types import Outcome, Verdict
from fixtures.studio import Defect, Persona, Voice, render

if TYPE_CHECKING:
    from cameo_challenges.model import Step
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import Judgement

STEPS: tuple[Step, ...] = (
    MakeGesture(Gesture.OPEN_MOUTH),
    TurnHead(Turn.LEFT),
    MakeGesture(Gesture.BLINK_4),
    MakeGesture(Gesture.SMILE),
    TurnHead(Turn.UP),
    MakeGesture(Gesture.CLOSE_EYES),
)
OTHER_ORDER = (*STEPS[3:], *STEPS[:3])
ANOTHER_COUNT = (*STEPS[:2], MakeGesture(Gesture.BLINK_2), *STEPS[3:])
ONE_MORE = (*STEPS, MakeGesture(Gesture.BLINK_2))


def answered(kit: ModelKit, persona: Persona, defect: Defect | None = None) -> Judgement:
    """Return the judgement of a rendered answer."""
    out = io.BytesIO()
    challenge = Challenge(STEPS)
    render(challenge, persona=persona, voice=Voice.HEART, seed=5, defect=defect, out=out, kit=kit)
    return verify(out.getvalue(), challenge, profile=load(), kit=kit, settings=Settings())


@pytest.fixture(scope="module")
def astronaut(kit: ModelKit) -> Judgement:
    """The astronaut, who smiles in the portrait and is calm here until she is to smile."""
    return answered(kit, Persona.ASTRONAUT)


def test_who_cannot_speak_is_accepted(astronaut: Judgement) -> None:
    """Turns and gestures as asked confirm a live, single person; nothing about speech is asked."""
    assert (astronaut.decision.verdict, astronaut.decision.reasons) == (Verdict.ACCEPTED, ())
    outcomes = {check.name: check.outcome for check in astronaut.checks}
    assert not {"phrase", "lips", "loudness", "noise", "speaker", "sequence"} & outcomes.keys()
    confirmed = {name for name, outcome in outcomes.items() if outcome is Outcome.PASS}
    assert {"same_person", "presentation_attack", "close_up", "movement", "depth", "gestures"} <= confirmed


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (OTHER_ORDER, Reason.MOVEMENT_WRONG_ORDER),
        (ANOTHER_COUNT, Reason.GESTURE_MISSING),
        (ONE_MORE, Reason.GESTURE_MISSING),
    ],
    ids=["another order", "another count of blinks", "one is missing"],
)
def test_another_answer_is_rejected(astronaut: Judgement, asked: tuple[Step, ...], reason: Reason) -> None:
    """A recording that answers another challenge of the same kind does not answer this one."""
    decision = judge(Case(astronaut.evidence, Challenge(asked)), load()).decision
    assert decision.verdict is Verdict.REJECTED
    assert reason in decision.reasons


def test_another_face_makes_them_too(kit: ModelKit) -> None:
    """The admiral, whose mouth is closed in the portrait and who wears glasses, is seen to do the same."""
    judgement = answered(kit, Persona.ADMIRAL)
    assert (judgement.decision.verdict, judgement.decision.reasons) == (Verdict.ACCEPTED, ())


def test_a_still_photo_is_rejected(kit: ModelKit) -> None:
    """A photograph makes no gesture."""
    decision = answered(kit, Persona.ASTRONAUT, Defect.STILL_PHOTO).decision
    assert decision.verdict is Verdict.REJECTED
    assert {Reason.GESTURE_MISSING, Reason.MOVEMENT_MISSING} <= set(decision.reasons)
