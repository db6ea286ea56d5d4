"""The three paths of a live session with the real pipeline: who cannot speak, and who cannot turn, is accepted as others are.

The studio's pictures stand in for a camera, which is an injection. Its light does not change with the colours of the screen, so
`screen_light`, which advises, finds no answer to them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import grpc
import pytest

from cameo.v1 import attempt_pb2, challenge_pb2
from cameo.v1.session_service_pb2 import Need
from cameo_challenges.colours import LEAST_S, LENGTH
from cameo_challenges.model import MakeGesture, Say, TurnHead
from tests.grpc.client import refused

if TYPE_CHECKING:
    from tests.live.conftest import Site

pytestmark = [pytest.mark.models, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize(
    ("need", "kinds", "path"),
    [
        (Need.NEED_NO_TURNS, {Say}, challenge_pb2.ANSWER_PATH_SPEECH_AND_LIGHT),
        (Need.NEED_NO_SPEECH, {TurnHead, MakeGesture}, challenge_pb2.ANSWER_PATH_TURNS_AND_GESTURES),
        (Need.NEED_NO_LIGHT, {Say, TurnHead}, challenge_pb2.ANSWER_PATH_SPEECH_AND_TURNS),
    ],
)
async def test_each_path_is_accepted(site: Site, need: Need, kinds: set[type], path: int) -> None:
    """Nothing is asked that the person cannot do; the receipt is earned, and the attempt says by which path."""
    created = await site.create(needs=[need])
    player = site.player(created.capture_token)
    player.person.wordless = need == Need.NEED_NO_SPEECH
    await player.greet()
    await player.prepare()
    await player.answer()
    result = await player.finish()
    found = (await site.session(created.session.id)).result
    assert result is not None
    assert result.verdict == attempt_pb2.VERDICT_ACCEPTED, list(result.reasons)
    assert {type(step) for step in player.steps} == kinds
    assert found.attempt.path == path
    assert found.receipt.token
    shown = [at for at, message in player.heard if message.HasField("light")]
    assert len(shown) == (0 if need == Need.NEED_NO_LIGHT else LENGTH)
    assert all(later - earlier >= LEAST_S for earlier, later in pairwise(shown))


@pytest.mark.parametrize(
    "needs",
    [
        (Need.NEED_NO_SPEECH, Need.NEED_NO_TURNS),
        (Need.NEED_NO_SPEECH, Need.NEED_NO_LIGHT),
        (Need.NEED_NO_TURNS, Need.NEED_NO_LIGHT),
    ],
)
async def test_who_can_do_one_thing_alone_is_told_that_there_is_no_path(site: Site, needs: tuple[Need, ...]) -> None:
    """The app learns it when it asks, before a person sits before a camera."""
    error = await refused(site.create(needs=needs))
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PATH_UNAVAILABLE")
