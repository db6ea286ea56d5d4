"""A locked database or a full disk while a verdict is ready: it is stored once that is over, whoever waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from cameo.v1 import attempt_pb2
from cameo_verifier.server import app
from cameo_verifier.server.services import verification_service
from cameo_verifier.store.db.engine import open_database
from tests.databases import only_sqlite
from tests.grpc.client import refused
from tests.patience import PATIENCE_S
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer

pytestmark = only_sqlite

Trouble = Any


class Disk:
    """Whether SQLite may add a page to any database that is opened while this stands in for `open_database`."""

    full = False
    busy_timeout_s = PATIENCE_S

    def open(self, url: str) -> Engine:
        """Open it; while another holds the lock, wait for it as briefly as a test can outwait."""
        engine = open_database(url, busy_timeout_s=PATIENCE_S)
        # Pages that migrations freed would be room on a full disk.
        with closing(sqlite3.connect(str(engine.url.database))) as database:
            database.execute("VACUUM")

        @event.listens_for(engine, "checkout")
        def limit(connection: sqlite3.Connection, *_: object) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages if self.full else 2**30}")
            connection.execute(f"PRAGMA busy_timeout = {1000 * self.busy_timeout_s:.0f}")

        return engine


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """The disk of every server that is opened from now on."""
    made = Disk()
    monkeypatch.setattr(app, "open_database", made.open)
    return made


@contextmanager
def locked(data: Path, disk: Disk) -> Iterator[None]:
    """Hold the database's one write lock from another connection."""
    with closing(sqlite3.connect(data / "cameo.sqlite3", isolation_level=None, timeout=PATIENCE_S)) as holder:
        disk.busy_timeout_s = 0.1
        holder.execute("BEGIN IMMEDIATE")
        yield
        disk.busy_timeout_s = PATIENCE_S
        holder.execute("ROLLBACK")


@contextmanager
def full(_data: Path, disk: Disk) -> Iterator[None]:
    """Let the database grow no more."""
    disk.full = True
    yield
    disk.full = False


def counted(data: Path, table: str) -> int:
    with closing(sqlite3.connect(data / "cameo.sqlite3")) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - the tests' own names


@asynccontextmanager
async def tried_in_vain(trouble: Trouble, data: Path, disk: Disk, call: Any, client: Client) -> AsyncIterator[None]:
    """Have the trouble begin once the recording is being judged; yield when its verdict could not be kept."""
    before = client.judged().count("end")
    await until(lambda: len(client.judged()) > 2 * before)
    with capture_logs() as lines, trouble(data, disk):
        (data.parent / "go").touch()
        await until(lambda: sum("could not be kept yet" in line["event"] for line in lines) > 1)
        assert not call.done()
        yield


@pytest.mark.parametrize("trouble", [locked, full])
async def test_who_waits_gets_the_verdict_when_the_database_is_back(
    serve: OpenServer, tmp_path: Path, disk: Disk, trouble: Trouble
) -> None:
    """One judging, one verdict, one receipt with one index in a status list, and the worker was free meanwhile."""
    data = tmp_path / "data"
    async with serve() as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        call = client.verify(challenge.id, b"held:accept", request_id=request_id)
        async with tried_in_vain(trouble, data, disk, call, client):
            assert not client.server.pool.full
        answer = await call
        assert answer.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        assert await client.verify(challenge.id, b"held:accept", request_id=request_id) == answer
        assert client.judged() == ["begin held:accept", "end"]
    assert [counted(data, table) for table in ("receipts", "status_entries", "likenesses", "faces")] == [1, 1, 1, 1]


@pytest.mark.parametrize("trouble", [locked, full])
async def test_the_verdict_of_a_caller_that_left_is_kept_too(
    serve: OpenServer, tmp_path: Path, disk: Disk, trouble: Trouble
) -> None:
    """Whoever sends the same request again, before the trouble is over or after, gets it; nothing is judged twice."""
    async with serve() as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        again = partial(client.verify, challenge.id, b"held:accept", request_id=request_id)
        call = again()
        async with tried_in_vain(trouble, tmp_path / "data", disk, call, client):
            call.cancel()
            meanwhile = asyncio.ensure_future(again())
            await asyncio.sleep(0.2)
        assert (await meanwhile).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        assert await again() == await meanwhile
        assert (await meanwhile).HasField("receipt")
        assert client.judged() == ["begin held:accept", "end"]


async def test_who_has_waited_long_enough_is_told_to_come_back(
    serve: OpenServer, tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UNAVAILABLE with a delay, before the caller's time is over; the same request then gets the verdict."""
    monkeypatch.setattr(verification_service, "_PATIENCE_S", 1.0)
    async with serve() as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        again = partial(client.verify, challenge.id, b"held:reject", request_id=request_id, timeout=None)
        call = again()
        async with tried_in_vain(locked, tmp_path / "data", disk, call, client):
            answer = await refused(call)
            assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
            assert answer.retry_s
            answer = await refused(again())
            assert (answer.code, answer.reason) == (grpc.StatusCode.ABORTED, "REQUEST_IN_PROGRESS")
            assert answer.retry_s
        await until(lambda: counted(tmp_path / "data", "fingerprints") == 1)
        assert (await again()).attempt.verdict == attempt_pb2.VERDICT_REJECTED


@pytest.mark.parametrize(("script", "reason"), [("damaged", "CORRUPT_MEDIA"), ("die", "JUDGING_INTERRUPTED")])
async def test_that_there_is_no_verdict_is_kept_as_well(
    serve: OpenServer, tmp_path: Path, disk: Disk, script: str, reason: str
) -> None:
    """While the database is locked the caller learns why; asked again, the server says the same and never IN_PROGRESS."""
    assert not disk.full
    async with serve() as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        again = partial(client.verify, challenge.id, f"held:{script}".encode(), request_id=request_id)
        call = again()
        await until(lambda: bool(client.judged()))
        with capture_logs() as lines, locked(tmp_path / "data", disk):
            (tmp_path / "go").touch()
            assert (await refused(call)).reason == reason
            await until(lambda: any("could not be kept yet" in line["event"] for line in lines))
            repeated = asyncio.ensure_future(refused(again()))
            await asyncio.sleep(0.2)
        assert (await repeated).reason == reason
        assert (await refused(again())).reason == reason


async def test_what_is_not_kept_when_the_server_stops_is_no_attempt(serve: OpenServer, tmp_path: Path, disk: Disk) -> None:
    """A server that stops while the database is locked leaves the attempt to the next, which ends it before its first call."""
    async with serve(drain_s=0.5) as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        call = client.verify(challenge.id, b"held:accept", request_id=request_id)
        async with tried_in_vain(locked, tmp_path / "data", disk, call, client):
            await client.server.stop()
        assert await call.code() is not grpc.StatusCode.OK
    async with serve() as client:
        answer = await refused(client.verify(challenge.id, b"held:accept", request_id=request_id))
        assert answer.reason == "JUDGING_INTERRUPTED"
        assert client.judged() == ["begin held:accept", "end"]
