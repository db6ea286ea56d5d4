"""Cancelled calls, killed workers and stopped servers: unjudged recordings cost nothing, and other calls go on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.testing import capture_logs

from cameo.v1 import attempt_pb2
from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest
from cameo_verifier.server.app import utc_now
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.db.engine import open_database
from tests.grpc.client import AUDIENCE, refused
from tests.patience import PATIENCE_S
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer


SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


async def start(client: Client, challenge_id: str, *chunks: bytes) -> grpc.aio.StreamUnaryCall:
    """Begin an upload and leave it open."""
    call = client.verification.VerifyResponse()
    await call.write(
        VerifyResponseRequest(config=VerifyResponseConfig(challenge_id=challenge_id, audience=AUDIENCE, request_id=str(uuid4())))
    )
    for chunk in chunks:
        await call.write(VerifyResponseRequest(chunk=chunk))
    return call


async def test_a_caller_gone_in_the_middle_of_the_upload_loses_nothing(serve: OpenServer) -> None:
    """The challenge is still good, nothing was judged, the log says why the call ended."""
    async with serve() as client:
        challenge = await client.challenge()
        with capture_logs() as lines:
            call = await start(client, challenge.id, b"acc")
            await asyncio.sleep(0.2)
            call.cancel()
            await until(lambda: any(line.get("method") == "VerificationService.VerifyResponse" for line in lines))
        assert client.judged() == []
        assert (await client.verify(challenge.id, b"accept")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED


async def test_a_caller_gone_while_it_waits_in_the_queue_loses_nothing(serve: OpenServer) -> None:
    """The challenge is spent only when a worker is free; who leaves before that can come back with it."""
    async with serve(workers=1, queue=1) as client:
        busy = asyncio.ensure_future(client.verify((await client.challenge()).id, b"sleep:1.5"))
        await until(lambda: client.judged() == ["begin sleep:1.5"])
        challenge = await client.challenge()
        waiting = client.verify(challenge.id, b"accept")
        await until(lambda: client.server.pool.full)
        waiting.cancel()
        await busy
        assert (await client.verify(challenge.id, b"accept")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED


async def test_a_cancelled_call_frees_its_worker(serve: OpenServer) -> None:
    """The only worker stops a long judging when its caller goes away and takes the next one, in the same process."""
    async with serve() as client:
        workers = client.server.pool.processes
        call = await start(client, (await client.challenge()).id, b"sleep:60")
        await call.done_writing()
        await until(lambda: "begin sleep:60" in client.judged())
        call.cancel()
        await until(lambda: "cancelled" in client.judged())
        answer = await client.verify((await client.challenge()).id, b"accept", timeout=PATIENCE_S)
        assert answer.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        assert client.server.pool.processes == workers


async def test_a_deadline_that_passes_while_judging_frees_the_worker(serve: OpenServer) -> None:
    """The worker hears of it as it hears of a cancellation."""
    async with serve() as client:
        answer = client.verify((await client.challenge()).id, b"sleep:60", timeout=2.5)
        assert await answer.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: "cancelled" in client.judged())


async def test_a_dead_worker_is_a_clear_error_and_the_server_goes_on(serve: OpenServer) -> None:
    """INTERNAL with its reason; the challenge stays spent, the request stays failed, another process takes over."""
    async with serve() as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        for _ in range(2):
            answer = await refused(client.verify(challenge.id, b"die", request_id=request_id))
            assert (answer.code, answer.reason) == (grpc.StatusCode.INTERNAL, "JUDGING_INTERRUPTED")
            assert "new challenge" in answer.message
        answer = await refused(client.verify(challenge.id, b"accept"))
        assert answer.reason == "CHALLENGE_SPENT"
        await until(lambda: client.server.pool.lives)
        good = await client.verify((await client.challenge()).id, b"accept", timeout=PATIENCE_S)
        assert good.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED


async def test_a_bug_does_not_leak_what_it_was_raised_with(serve: OpenServer) -> None:
    """Neither the reply nor the log holds the text of a foreign error; both say that it was the server's fault."""
    async with serve() as client:
        with capture_logs() as lines:
            answer = await refused(client.verify((await client.challenge()).id, b"bug:0.1337"))
        assert (answer.code, answer.reason) == (grpc.StatusCode.INTERNAL, "SERVER_FAULT")
        assert "0.1337" not in answer.message
        assert any("ZeroDivisionError at " in str(line.get("error")) for line in lines)
        assert "0.1337" not in json.dumps(lines, default=str)


async def test_stopping_finishes_what_is_under_way(serve: OpenServer) -> None:
    """Health says NOT_SERVING at once; the judging under way is answered; a new call is not taken."""
    async with serve(drain_s=10.0) as client:
        under_way = asyncio.ensure_future(client.verify((await client.challenge()).id, b"sleep:1.5"))
        health = health_pb2_grpc.HealthStub(client.channel).Watch(health_pb2.HealthCheckRequest())
        assert (await health.read()).status == health_pb2.HealthCheckResponse.SERVING
        await until(lambda: client.judged() == ["begin sleep:1.5"])
        stop = asyncio.create_task(client.server.stop())
        assert (await health.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        health.cancel()
        assert (await under_way).attempt.verdict == attempt_pb2.VERDICT_REJECTED
        await stop
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await client.challenge()
        assert failure.value.code() is grpc.StatusCode.UNAVAILABLE


async def serving(client: Client, service: str) -> health_pb2.HealthCheckResponse.ServingStatus:
    """Return what health says."""
    return (await health_pb2_grpc.HealthStub(client.channel).Check(health_pb2.HealthCheckRequest(service=service))).status


async def told(client: Client, service: str, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
    """Wait until health says so."""
    async with asyncio.timeout(PATIENCE_S):
        watch = health_pb2_grpc.HealthStub(client.channel).Watch(health_pb2.HealthCheckRequest(service=service))
        while (await watch.read()).status != status:
            pass
        watch.cancel()


async def test_health_follows_the_workers_and_uploads_are_refused_while_none_lives(serve: OpenServer, tmp_path: Path) -> None:
    """What judges says NOT_SERVING, what does not need it goes on; an upload is told at once when to come back."""
    judging, other = "cameo.v1.VerificationService", "cameo.v1.CameoService"
    async with serve(workers=1, queue=2) as client:
        challenge = await client.challenge()
        assert [await serving(client, name) for name in ("", judging, other)] == [SERVING] * 3
        (tmp_path / "broken").touch()
        os.kill(client.server.pool.processes[0], signal.SIGKILL)
        await until(lambda: not client.server.pool.lives)
        answer = await refused(client.verify(challenge.id, b"accept"))
        assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "WORKERS_UNAVAILABLE")
        assert answer.retry_s is not None
        assert answer.retry_s >= 1
        await told(client, "", NOT_SERVING)
        assert await serving(client, judging) == NOT_SERVING
        assert await serving(client, other) == SERVING
        (tmp_path / "broken").unlink()
        await until(lambda: client.server.pool.lives)
        await told(client, judging, SERVING)
        assert (await client.verify(challenge.id, b"accept")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED


async def test_whoever_waits_for_a_worker_that_does_not_start_is_sent_away(serve: OpenServer, tmp_path: Path) -> None:
    """Nothing is lost: the challenge is good, and is answered once a worker is up."""
    async with serve(workers=1, queue=2) as client:
        busy = asyncio.ensure_future(refused(client.verify((await client.challenge()).id, b"held:die")))
        await until(lambda: client.judged() == ["begin held:die"])
        challenge = await client.challenge()
        waiting = asyncio.ensure_future(refused(client.verify(challenge.id, b"accept")))
        other = asyncio.ensure_future(refused(client.verify((await client.challenge()).id, b"accept")))
        await until(lambda: client.server.pool.full)
        (tmp_path / "broken").touch()
        (tmp_path / "go").touch()
        assert (await busy).reason == "JUDGING_INTERRUPTED"
        assert {(await answer).reason for answer in (waiting, other)} == {"WORKERS_UNAVAILABLE"}
        (tmp_path / "broken").unlink()
        await until(lambda: client.server.pool.lives)
        assert (await client.verify(challenge.id, b"accept")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED


async def test_health_follows_the_store(serve: OpenServer, tmp_path: Path) -> None:
    """Nothing serves while the database cannot be read, and everything once it can."""
    async with serve() as client:
        for renaming, status in (("alembic_version RENAME TO away", NOT_SERVING), ("away RENAME TO alembic_version", SERVING)):
            with sqlite3.connect(tmp_path / "data" / "cameo.sqlite3") as database:
                database.execute(f"ALTER TABLE {renaming}")
            for name in ("", "cameo.v1.CameoService"):
                await told(client, name, status)


async def test_a_lame_duck_says_so_and_still_works(serve: OpenServer) -> None:
    """Health says NOT_SERVING before the listener closes; until then new calls are answered."""
    async with serve() as client:
        challenge = await client.challenge()
        stop = asyncio.create_task(client.server.stop(lame_duck_s=PATIENCE_S))
        await told(client, "", NOT_SERVING)
        assert (await client.verify(challenge.id, b"accept")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        assert not stop.done()
        stop.cancel()


async def test_an_attempt_that_a_dead_server_left_open_is_ended_by_the_next(serve: OpenServer, tmp_path: Path) -> None:
    """Whoever asks for it again learns that it was never judged, instead of waiting for ever."""
    async with serve() as client:
        challenge, request_id = await client.challenge(), str(uuid4())
    engine = open_database(Settings(data=tmp_path / "data").database)
    began = {"challenge_id": challenge.id, "audience": AUDIENCE, "request_id": request_id}
    AttemptStore(engine).begin("left-open", **began, now=utc_now() - timedelta(hours=1))
    engine.dispose()
    async with serve() as client:
        async with asyncio.timeout(PATIENCE_S):
            answer = await refused(client.verify(challenge.id, b"accept", request_id=request_id))
            while answer.reason == "REQUEST_IN_PROGRESS":
                answer = await refused(client.verify(challenge.id, b"accept", request_id=request_id))
        assert (answer.code, answer.reason) == (grpc.StatusCode.INTERNAL, "JUDGING_INTERRUPTED")


async def test_a_store_that_is_down_is_said_and_nothing_is_judged(serve: OpenServer, tmp_path: Path) -> None:
    """UNAVAILABLE with a delay and without a word about the database; when it is back, so is the service."""
    async with serve() as client:
        challenge = await client.challenge()
        with sqlite3.connect(tmp_path / "data" / "cameo.sqlite3") as database:
            database.execute("ALTER TABLE challenges RENAME TO away")
        answer = await refused(client.verify(challenge.id, b"accept"))
        assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
        assert answer.retry_s is not None
        assert "challenges" not in answer.message
        with sqlite3.connect(tmp_path / "data" / "cameo.sqlite3") as database:
            database.execute("ALTER TABLE away RENAME TO challenges")
        assert (await client.verify(challenge.id, b"accept")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
