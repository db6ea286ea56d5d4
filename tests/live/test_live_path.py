"""Live sessions over gRPC with the real pipeline: a rendered person prepares, is prompted and judged.

The studio's pictures stand in for a camera, which is an injection: what is shown is the flow, and each defect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from cameo.v1 import attempt_pb2, session_service_pb2
from cameo.v1.reason_pb2 import Reason
from cameo_challenges.model import Say, Turn, TurnHead
from fixtures.studio import Persona
from fixtures.studio.live import LivePerson
from fixtures.studio.picture_filters import darken

if TYPE_CHECKING:
    from cameo_challenges.model import Step
    from cameo_verifier.types import U8
    from tests.live.conftest import Site

pytestmark = [pytest.mark.models, pytest.mark.asyncio(loop_scope="module")]


async def test_a_person_who_answers_each_prompt_is_accepted(site: Site) -> None:
    """Preparation, five prompts, a verdict for the client, and for the app the receipt."""
    created = await site.create()
    assert created.session.state == session_service_pb2.SESSION_STATE_WAITING
    player = site.player(created.capture_token)
    await player.greet()
    await player.prepare()
    await player.answer()
    result = await player.finish()
    found = await site.session(created.session.id)
    assert result is not None
    assert result.verdict == attempt_pb2.VERDICT_ACCEPTED
    assert found.session.state == session_service_pb2.SESSION_STATE_JUDGED
    assert found.result.attempt.id == found.session.attempt_id == result.attempt_id
    assert found.result.receipt.token
    assert len(player.steps) == player.told("welcome")[0].prompts == 5


async def test_what_is_wrong_is_told_and_cleared_by_what_the_worker_sees_and_hears(site: Site) -> None:
    """In one preparation: dark, far away, two faces, a silent microphone, each told and cleared; then it starts."""
    player = site.player((await site.create()).capture_token)
    person = player.person
    assert isinstance(person, LivePerson)
    await player.greet()
    # One after the other without a moment in which all is right.
    for code, change in (
        (session_service_pb2.GUIDANCE_CODE_SEVERAL_FACES, {"bystander": Persona.ADMIRAL}),
        (session_service_pb2.GUIDANCE_CODE_TOO_DARK, {"filters": (darken,)}),
        (session_service_pb2.GUIDANCE_CODE_COME_CLOSER, {"filters": (far_away,)}),
        (session_service_pb2.GUIDANCE_CODE_SILENT_MICROPHONE, {"audible": False}),
        (None, {}),
    ):
        for name, value in ({"bystander": None, "filters": (), "audible": True} | change).items():
            setattr(person, name, value)
        if code is not None:
            await player.prepare(lambda code=code: any(list(told.codes) == [code] for told in player.told("guidance")[-1:]))
            assert not player.told("start")
    await player.prepare()
    assert list(player.told("guidance")[-1].codes) == []
    await player.leave()


@pytest.mark.parametrize("attack", ["for another challenge", "another person from the middle on", "in another order"])
async def test_what_is_not_this_person_answering_these_prompts_is_not_accepted(site: Site, attack: str) -> None:
    """An answer made in advance, a face that changes in the middle, steps done in another order: rejected."""
    created = await site.create()
    player = site.player(created.capture_token)
    person = player.person
    assert isinstance(person, LivePerson)
    waiting: list[Step] = []
    advance = iter((Say("three nine"), TurnHead(Turn.UP), Say("one winter four"), TurnHead(Turn.LEFT), Say("five zero marble")))

    def does(_: object, number: int, step: Step) -> None:
        match attack:
            case "for another challenge":
                person.answer(next(advance))
            case "another person from the middle on":
                if number == MIDDLE:
                    person.persona = Persona.ADMIRAL
                person.answer(step)
            case _:
                # Each pair the other way round.
                waiting.append(step)
                if number % 2:
                    person.answer(waiting.pop())
                    person.answer(waiting.pop())
                elif number == LAST:
                    person.answer(step)

    await player.greet()
    await player.prepare()
    await player.answer(does)
    result = await player.finish()
    assert result is not None
    assert result.verdict == attempt_pb2.VERDICT_REJECTED, attempt_pb2.Verdict.Name(result.verdict)
    found = await site.session(created.session.id)
    assert found.result.attempt.verdict == attempt_pb2.VERDICT_REJECTED
    assert not found.result.HasField("receipt")
    reasons = {Reason.Name(each) for each in result.reasons}
    assert reasons & REASONS[attack], reasons


REASONS = {
    "for another challenge": {"REASON_PHRASE_MISMATCH"},
    "another person from the middle on": {"REASON_FACE_CHANGED"},
    "in another order": {
        "REASON_SPOKE_TOO_LATE",
        "REASON_SPOKE_TOO_EARLY",
        "REASON_MOVEMENT_WRONG_ORDER",
        "REASON_PHRASE_MISMATCH",
    },
}
MIDDLE, LAST = 2, 4


def far_away(picture: U8, time_s: float) -> U8:  # noqa: ARG001 - a picture filter
    """Return the room from two and a half times as far, with its edges drawn out."""
    height, width = picture.shape[:2]
    inner_h, inner_w = height * 2 // 5, width * 2 // 5
    small = cv2.resize(picture, (inner_w, inner_h), interpolation=cv2.INTER_AREA)
    y, x = (height - inner_h) // 2, (width - inner_w) // 2
    down, right = height - inner_h - y, width - inner_w - x
    return np.asarray(cv2.copyMakeBorder(small, y, down, x, right, cv2.BORDER_REPLICATE))
