"""`cameo_client` against a server: uploads, tokens for each call, errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from cameo.v1.attempt_pb2 import VERDICT_ACCEPTED
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.challenge_service_pb2_grpc import ChallengeServiceStub
from cameo.v1.session_service_pb2 import SESSION_STATE_WAITING
from cameo_client import CallError, call, create_session, get_session, messages, open_channel, verify
from cameo_client.upload import VerifyResponseConfig
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.grpc.server import OpenServer


async def test_an_upload_is_judged_once_however_often_it_is_sent(serve: OpenServer) -> None:
    """The same request id gets the same attempt; another one finds the challenge spent, and the error says so."""
    async with serve() as client:

        def play() -> tuple[str, str, str]:
            with open_channel(client.server.address) as channel:
                stub = ChallengeServiceStub(channel)
                challenge = call(lambda: stub.IssueChallenge(IssueChallengeRequest(subject="account-7")))
                how = {"challenge_id": challenge.id, "audience": AUDIENCE}
                request_id = str(uuid4())
                first = verify(channel, b"accept", request_id=request_id, **how)
                again = verify(channel, b"accept", request_id=request_id, **how)
                assert first.attempt.verdict == VERDICT_ACCEPTED
                with pytest.raises(CallError) as refused:
                    verify(channel, b"accept", **how)
                return first.attempt.id, again.attempt.id, refused.value.reason

        first, again, reason = await asyncio.to_thread(play)
        assert first == again
        assert reason == "CHALLENGE_SPENT"


async def test_a_token_is_asked_for_each_call(serve: OpenServer, tmp_path: Path) -> None:
    """Tokens are short-lived: the channel sends the one that holds now."""
    app = App.make(tmp_path)
    tokens = iter([app.token("app", "backend"), app.token("generator", AUDIENCE), "no.such.token"])
    async with serve(**app.settings) as client:

        def play() -> list[str]:
            told = []
            with open_channel(client.server.address, lambda: next(tokens)) as channel:
                stub = ChallengeServiceStub(channel)
                for _ in range(3):
                    try:
                        call(lambda: stub.IssueChallenge(IssueChallengeRequest(subject="account-7")))
                        told.append("issued")
                    except CallError as error:
                        told.append(error.reason)
            return told

        assert await asyncio.to_thread(play) == ["issued", "CALLER_NOT_ALLOWED", "CALLER_TOKEN_REFUSED"]


def test_an_upload_is_the_config_and_the_bytes_in_order() -> None:
    """No byte is lost or added, whatever the length; an empty recording is the config alone."""
    config = VerifyResponseConfig(challenge_id="c")
    for length in (0, 1, 7, 8, 9, 24):
        recording = bytes(range(length))
        first, *rest = messages(config, recording, chunk_bytes=8)
        assert first.config == config
        assert b"".join(message.chunk for message in rest) == recording
        assert all(0 < len(message.chunk) <= 8 for message in rest)


async def test_a_live_session_is_created_once_however_often_it_is_asked_for(serve: OpenServer) -> None:
    """The same request id returns the same session, which waits; an unknown one is an error with its reason."""
    async with serve() as client:

        def play() -> None:
            with open_channel(client.server.address) as channel:
                request_id = str(uuid4())
                how = {"subject": "account-7", "audience": AUDIENCE, "request_id": request_id}
                first, again = create_session(channel, **how), create_session(channel, **how)
                assert first.session.id == again.session.id
                assert again.capture_token
                assert get_session(channel, first.session.id).session.state == SESSION_STATE_WAITING
                with pytest.raises(CallError) as refused:
                    get_session(channel, "nothing")
                assert refused.value.reason == "SESSION_UNKNOWN"

        await asyncio.to_thread(play)
