"""What a person says in `hello` that they cannot do: the path it leads to, with scripted judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cameo.v1 import challenge_pb2
from cameo.v1.session_service_pb2 import Hello, Need
from cameo.v1.verification_service_pb2 import GetAttemptRequest
from cameo.v1.verification_service_pb2_grpc import VerificationServiceStub
from tests.live.test_sessions import opened

if TYPE_CHECKING:
    from pathlib import Path

NO_SPEECH, NO_TURNS, NO_LIGHT = Need.NEED_NO_SPEECH, Need.NEED_NO_TURNS, Need.NEED_NO_LIGHT


@pytest.mark.parametrize(
    ("ask", "said", "path"),
    [
        (True, [NO_TURNS], challenge_pb2.ANSWER_PATH_SPEECH_AND_LIGHT),
        (True, [NO_SPEECH], challenge_pb2.ANSWER_PATH_TURNS_AND_GESTURES),
        (True, [NO_LIGHT], challenge_pb2.ANSWER_PATH_SPEECH_AND_TURNS),
        (False, [NO_LIGHT], challenge_pb2.ANSWER_PATH_SPEECH_AND_TURNS),
        (False, [], challenge_pb2.ANSWER_PATH_SPEECH_AND_TURNS),
    ],
)
async def test_the_person_is_given_the_path(tmp_path: Path, said: list[Need], path: int, *, ask: bool) -> None:
    """The welcome says whether there is light, and the attempt which path it took."""
    async with opened(tmp_path, live={"light": True}) as site:
        created = await site.create(ask_needs=ask)
        player = site.player(created)
        player.hello = Hello(needs=said)
        await player.greet()
        await player.prepare()
        await player.begin()
        await player.play(lambda: bool(player.steps))
        assert player.told("welcome")[0].light == (NO_LIGHT not in said)
        request = GetAttemptRequest(attempt_id=(await site.get(created)).session.attempt_id)
        attempt = await VerificationServiceStub(site.channel).GetAttempt(request, metadata=site.metadata)  # type: ignore[no-untyped-call]
        assert attempt.path == path
        await player.leave()
        await site.becomes(created, "ENDED CALLER_GONE")


@pytest.mark.parametrize(
    ("asked", "said", "reason"),
    [
        ({}, [NO_TURNS], "REQUEST_INVALID"),
        ({}, [NO_SPEECH], "REQUEST_INVALID"),
        ({"ask_needs": True}, [0], "REQUEST_INVALID"),
        ({"ask_needs": True}, [NO_SPEECH, NO_TURNS], "PATH_UNAVAILABLE"),
        ({"ask_needs": True, "needs": [NO_TURNS]}, [NO_SPEECH], "PATH_UNAVAILABLE"),
        ({"needs": [NO_TURNS]}, [NO_LIGHT], "PATH_UNAVAILABLE"),
    ],
)
async def test_what_there_is_no_path_for_is_refused_by_name(
    tmp_path: Path, asked: dict[str, object], said: list[Need], reason: str
) -> None:
    """Nothing is spent: the same session can be used with another choice."""
    async with opened(tmp_path, live={"light": True}) as site:
        created = await site.create(**asked)
        player = site.player(created)
        player.hello = Hello(needs=said)
        await player.greet()
        assert (await player.refusal()).reason == reason
        await site.becomes(created, "WAITING")
        again = site.player(created)
        await again.greet()
        await again.prepare()
