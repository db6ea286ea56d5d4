"""Gestures, each in its place between the turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cameo_challenges.model import Challenge, Gesture, MakeGesture, Step, Turn, TurnHead
from cameo_verifier.checks import gestures
from cameo_verifier.checks.question import Case
from cameo_verifier.profile import CheckRole
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Missing, Outcome
from tests.made_faces import doing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from tests.unit.checks.conftest import MakeEvidence

ASKED = (Gesture.SMILE, Turn.LEFT, Gesture.BLINK_4, Turn.UP, Gesture.OPEN_MOUTH)
APART_S = 3.0


def challenge(*steps: Turn | Gesture) -> Challenge:
    each: list[Step] = [TurnHead(step) if isinstance(step, Turn) else MakeGesture(step) for step in steps]
    return Challenge(tuple(each))


@pytest.mark.parametrize(
    ("done", "reason"),
    [
        (ASKED, None),
        ((*ASKED, Gesture.BLINK_2), None),
        ((*ASKED, Gesture.BLINK_2, Gesture.BLINK_2), Reason.MOVEMENT_WRONG_ORDER),
        (ASKED[:4], Reason.GESTURE_MISSING),
        ((*ASKED[:2], Gesture.BLINK_2, *ASKED[3:]), Reason.GESTURE_MISSING),
        (ASKED[::-1], Reason.MOVEMENT_WRONG_ORDER),
        ((Turn.LEFT, Gesture.SMILE, *ASKED[2:]), Reason.MOVEMENT_WRONG_ORDER),
        ((), Reason.GESTURE_MISSING),
    ],
)
def test_gestures(make_evidence: MakeEvidence, profile: Profile, done: tuple[Turn | Gesture, ...], reason: Reason | None) -> None:
    """All of them in their places pass, with one more at most; a missing, miscounted or misplaced one does not."""
    face = doing(*((1.0 + APART_S * index, step) for index, step in enumerate(done)), seconds=APART_S * len(done) + 3)
    result = gestures.check(Case(make_evidence(face=face), challenge(*ASKED)), profile)
    assert (result.reason, result.outcome) == (reason, Outcome.FAIL if reason else Outcome.PASS)
    assert (result.score == result.threshold) == (reason is None or len(done) > len(ASKED))


def test_two_gestures_at_once_are_not_one_after_the_other(make_evidence: MakeEvidence, profile: Profile) -> None:
    """A mask that does everything at once has not done one step after another."""
    both = doing((1.0, Gesture.SMILE), (1.0, Gesture.CLOSE_EYES), seconds=6)
    assert gestures.check(Case(make_evidence(face=both), challenge(Gesture.SMILE, Gesture.CLOSE_EYES)), profile).reason is (
        Reason.MOVEMENT_WRONG_ORDER
    )


def test_it_is_asked_where_gestures_are(make_evidence: MakeEvidence, profile: Profile) -> None:
    """It must pass where gestures were asked, and only there; without a face there is no answer."""
    assert gestures.QUESTION.applies(challenge(*ASKED))
    assert not gestures.QUESTION.applies(challenge(Turn.LEFT))
    assert profile.role("gestures") is CheckRole.CONFIRM
    absent = gestures.check(Case(make_evidence(face=Missing(Reason.NO_FACE)), challenge(*ASKED)), profile)
    assert (absent.outcome, absent.reason) == (Outcome.UNABLE, Reason.NO_FACE)
