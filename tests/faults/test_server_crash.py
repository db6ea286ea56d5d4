"""`kill -9` of a server during a judgement: the replies to retries, and their delays."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest

from cameo.v1 import attempt_pb2
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_verifier.settings import Settings
from tests.databases import only_sqlite
from tests.grpc.client import AUDIENCE, Client, refused
from tests.patience import PATIENCE_S
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.grpc.server import OpenServer

pytestmark = only_sqlite

SCRIPT = b"held:accept"
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def killed(folder: Path, *settings: str) -> AsyncIterator[Client]:
    """Serve in a process of its own, and end it as the kernel does when memory runs out."""
    audiences = AudienceFolder(Settings(data=folder / "data").audiences)
    if alone := not audiences.all():
        key = audiences.add(AudienceKey.generate(AUDIENCE))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.grpc.serve_scripted", folder, *settings), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        address = ""
        while not address.startswith("127.0.0.1:"):
            line = await process.stdout.readline()
            assert line, "the server ended before it served"
            address = line.decode().strip()
        async with grpc.aio.insecure_channel(address) as channel:
            try:
                yield Client(process, channel, folder / "journal", None)  # type: ignore[arg-type]
            finally:
                with suppress(ProcessLookupError):  # it may have ended by itself
                    process.kill()  # before its callers are seen to go away
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if alone:
            key.unlink()  # the next server registers its own


async def left_open(folder: Path, *settings: str) -> tuple[str, str]:
    """Kill a server while it judges; return the challenge and the request."""
    async with killed(folder, *settings) as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        client.verify(challenge.id, SCRIPT, request_id=request_id)
        await until(lambda: client.judged() == [f"begin {SCRIPT.decode()}"])
    return challenge.id, request_id


def rows(folder: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "data" / "cameo.sqlite3")) as database:
        return database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - the tests' own names


async def test_after_a_crash_the_same_request_is_answered_at_once(serve: OpenServer, tmp_path: Path) -> None:
    """The first repeated request learns that nothing was judged; the challenge stays spent, and a fresh one is answered."""
    challenge_id, request_id = await left_open(tmp_path)
    (tmp_path / "go").touch()
    async with serve() as client:
        answer = await refused(client.verify(challenge_id, SCRIPT, request_id=request_id))
        assert (answer.code, answer.reason, answer.retry_s) == (grpc.StatusCode.INTERNAL, "JUDGING_INTERRUPTED", None)
        assert "no failure" in answer.message
        assert "new challenge" in answer.message
        assert (await refused(client.verify(challenge_id, b"accept"))).reason == "CHALLENGE_SPENT"
        assert (await client.verify((await client.challenge()).id, b"accept")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        assert len(rows(tmp_path, "servers")) == 1
        assert [file.name for file in (tmp_path / "data" / "servers").iterdir()] == [rows(tmp_path, "servers")[0][0]]
    assert rows(tmp_path, "servers") == []
    assert not list((tmp_path / "data" / "servers").iterdir())


async def test_a_spooled_recording_is_judged_by_the_next_server(serve: OpenServer, tmp_path: Path) -> None:
    """The repeated request waits for that and gets verdict and credential; nothing of the recording was in clear, or stays."""
    challenge_id, request_id = await left_open(tmp_path, "spool=true")
    assert [row[2] for row in rows(tmp_path, "spooled_recordings")] == [1]
    held = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert SCRIPT not in held
    async with serve() as client:
        asked = asyncio.ensure_future(client.verify(challenge_id, SCRIPT, request_id=request_id))
        await until(lambda: client.judged().count(f"begin {SCRIPT.decode()}") == 2)
        assert (await refused(client.verify(challenge_id, b"accept"))).reason == "CHALLENGE_SPENT"
        (tmp_path / "go").touch()
        answer = await asked
        assert answer.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        assert answer.HasField("receipt")
        assert await client.verify(challenge_id, SCRIPT, request_id=request_id) == answer
        # The worker of the server that was killed hears that it is alone, and stops.
        assert [line for line in client.judged() if line != "cancelled"] == [*[f"begin {SCRIPT.decode()}"] * 2, "end"]
    assert rows(tmp_path, "spooled_recordings") == []


async def test_a_server_that_stops_leaves_what_was_spooled_to_the_next(serve: OpenServer, tmp_path: Path) -> None:
    """What is not judged within the drain time is judged after the start; a caller that leaves by itself ends its attempt."""
    async with serve(spool=True, drain_s=0.1) as client:
        gone = await client.challenge()
        call = client.verify(gone.id, SCRIPT)
        await until(lambda: bool(client.judged()))
        call.cancel()
        await until(lambda: "cancelled" in client.judged())
        await until(lambda: rows(tmp_path, "spooled_recordings") == [])
        challenge, request_id = await client.challenge(), str(uuid4())
        call = client.verify(challenge.id, SCRIPT, request_id=request_id)
        await until(lambda: len(client.judged()) == 3)
        await client.server.stop()
        assert await call.code() is not grpc.StatusCode.OK
    (tmp_path / "go").touch()
    async with serve() as client:
        answer = await client.verify(challenge.id, SCRIPT, request_id=request_id)
        assert answer.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED


@pytest.mark.parametrize("setting", ["spool=false", "spool=true"])
async def test_a_living_server_takes_over_from_one_that_dies(serve: OpenServer, tmp_path: Path, setting: str) -> None:
    """Side by side on one database: the other one notices without a start, long before the lease has run out."""
    async with serve(lease_s=1.0) as client:
        challenge_id, request_id = await left_open(tmp_path, setting, "lease_s=3600")
        (tmp_path / "go").touch()
        call, code = None, grpc.StatusCode.ABORTED
        async with asyncio.timeout(PATIENCE_S):
            while code is grpc.StatusCode.ABORTED:
                call = client.verify(challenge_id, SCRIPT, request_id=request_id)
                code = await call.code()
        if setting == "spool=true":
            assert (await call).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        else:
            assert (await refused(call)).reason == "JUDGING_INTERRUPTED"
