"""Rate limits over the wire: a refusal has a retry delay, and loses nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import grpc

from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo_verifier.settings import Settings
from cameo_verifier.store.db.engine import open_database
from tests.grpc.client import refused
from tests.grpc.test_refusals import Clock
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.grpc.server import OpenServer


async def test_open_challenges_are_bounded_by_a_setting(serve: OpenServer) -> None:
    """RESOURCE_EXHAUSTED with a hint, the setting's name and the delay; another person has theirs, and a spent one makes room."""
    async with serve(open_challenges=2) as client:
        first, _ = [await client.challenge() for _ in range(2)]
        answer = await refused(client.challenges.IssueChallenge(IssueChallengeRequest(subject="account-1")))
        assert (answer.code, answer.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_ATTEMPTS")
        assert answer.metadata == {"hint": "Wait before you try again.", "limit": "open_challenges"}
        assert answer.retry_s is not None
        assert 1 <= answer.retry_s <= 180
        await client.challenge("account-2")
        await client.verify(first.id, b"reject")
        await client.challenge()


async def test_attempts_are_bounded_before_an_upload_and_spend_nothing(serve: OpenServer) -> None:
    """With a challenge that is open already; after the time that was told, that challenge would have been good."""
    clock = Clock()
    async with serve(attempts_an_hour=2, challenge_ttl_s=7200, clock=clock) as client:
        first, second, third = [await client.challenge() for _ in range(3)]
        for each in (first, second):
            await client.verify(each.id, b"reject")
        upload = client.verification.VerifyResponse()
        answer = await refused(client.verify(third.id, b"accept"))
        upload.cancel()
        assert (answer.code, answer.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_ATTEMPTS")
        assert answer.metadata["limit"] == "attempts_an_hour"
        assert answer.retry_s is not None
        assert client.judged().count("begin accept") == 0
        clock.ahead = timedelta(seconds=answer.retry_s + 1)
        assert (await client.verify(third.id, b"accept")).receipt.token


async def test_rejections_in_a_row_have_to_wait(serve: OpenServer) -> None:
    """By two settings; the delay is the one that is set."""
    async with serve(failures_in_a_row=2, failure_wait_s=500) as client:
        for _ in range(2):
            await client.verify((await client.challenge()).id, b"reject")
        answer = await refused(client.challenges.IssueChallenge(IssueChallengeRequest(subject="account-1")))
        assert answer.metadata["limit"] == "failures_in_a_row"
        assert answer.retry_s is not None
        assert 490 < answer.retry_s <= 500


async def test_a_server_removes_what_nobody_answered(serve: OpenServer, tmp_path: Path) -> None:
    """An hour after it expired; until then whoever answers it is told that it has."""
    clock = Clock()
    async with serve(clock=clock) as client:
        challenge = await client.challenge()
    engine = open_database(Settings(data=tmp_path / "data").database)

    def is_kept() -> bool:
        with engine.connect() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM challenges").scalar() == 1

    clock.ahead = timedelta(minutes=50)
    async with serve(clock=clock) as client:
        assert (await refused(client.verify(challenge.id, b"accept"))).reason == "CHALLENGE_EXPIRED"
    assert is_kept()
    clock.ahead = timedelta(minutes=64)
    async with serve(clock=clock) as client:
        await until(lambda: not is_kept())
    engine.dispose()
