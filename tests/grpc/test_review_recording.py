"""Replay of attempts from their recordings, by the real pipeline, while other callers are served."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from cameo.v1 import attempt_pb2, review_service_pb2
from cameo.v1.review_service_pb2 import ProfileChoice, ReplayAttemptRequest
from cameo_verifier.settings import Settings
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence import subject_keys
from cameo_verifier.store.evidence.evidence import object_name
from cameo_verifier.store.evidence.sealed_object import Kind
from tests import started
from tests.grpc.callers import App
from tests.grpc.client import refused
from tests.grpc.test_review import KEPT, WHY, Desk
from tests.patience import PATIENCE_S
from tests.unit.review.stored import fixture_site
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import READER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.grpc.callers import Metadata
    from tests.grpc.server import OpenServer
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

DARK = "dark"


@pytest.fixture
def site(tmp_path: Path, judged_now: Judged) -> Iterator[Site]:
    """The site a server will serve, with one attempt."""
    engine = open_database(Settings(data=tmp_path / "data").database)
    yield fixture_site(engine, tmp_path / "data", judged_now, DARK)
    engine.dispose()


@asynccontextmanager
async def opened(serve: OpenServer, tmp_path: Path) -> AsyncIterator[tuple[Metadata, Desk]]:
    """Serve the site to its app and to ana."""
    app = App.make(tmp_path)
    async with serve(**app.settings, retention=KEPT) as client:
        yield app.metadata("app", "app"), Desk(client, app.metadata("analyst", "ana"), app.metadata("analyst", "ben"))


def again(at: Desk, attempt_id: str = DARK, source: Any = review_service_pb2.EVIDENCE_KIND_RECORDING, **given: Any) -> Any:
    """Ask for a replay from the recording."""
    return at.ask("ReplayAttempt", ReplayAttemptRequest(attempt_id=attempt_id, source=source, why=WHY, **given))


def asides(at: Desk) -> set[int]:
    """Return the processes that are neither this one's nor judge live."""
    return started.judging() - set(at.client.server.pool.processes)


async def one_aside(at: Desk) -> int:
    """Wait for the process of a replay."""
    async with asyncio.timeout(PATIENCE_S):
        while not asides(at):  # noqa: ASYNC110 - nothing tells when a process starts
            await asyncio.sleep(0.02)
    (pid,) = asides(at)
    return pid


async def no_aside(at: Desk) -> None:
    """Wait until there is none."""
    async with asyncio.timeout(PATIENCE_S):
        while asides(at):  # noqa: ASYNC110 - nor when it ends
            await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_a_recording_reproduces_every_score_and_takes_nobody_s_turn(serve: OpenServer, site: Site, tmp_path: Path) -> None:
    """The same to the last bit, with why in the log; the one worker serves meanwhile, and a second recording has to wait."""
    async with opened(serve, tmp_path) as (caller, at):
        replay = again(at)
        pid = await one_aside(at)
        assert os.getpriority(os.PRIO_PROCESS, pid) >= os.getpriority(os.PRIO_PROCESS, 0)
        assert (await refused(again(at))).reason == "OVERLOADED"
        assert (await again(at, source=review_service_pb2.EVIDENCE_KIND_TRACKS)).source == review_service_pb2.EVIDENCE_KIND_TRACKS
        challenge = await at.client.challenge(metadata=caller)
        live = await at.client.verify(challenge.id, b"accept", metadata=caller)
        assert live.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        assert not replay.done()
        same = await replay
        assert same.reproduced
        assert (same.source, list(same.changed_digests), list(same.flipped_by)) == (
            review_service_pb2.EVIDENCE_KIND_RECORDING,
            [],
            [],
        )
        assert {each.before.name for each in same.checks} >= {"elapsed", "seen_before", "light", "lips"}
        assert not any(each.changed for each in same.checks)
        other = await again(at, profile=ProfileChoice(inline="thresholds.light_min = 0"))
        assert (other.reproduced, list(other.changed_digests)) == (False, ["profile"])
        assert [each.after.name for each in other.checks if each.changed] == ["light", "eyes", "mouth"]
        await no_aside(at)
    reads = [(line.who, line.what, line.why) for line in site.room.audit.lines()]
    assert reads.count(("ana", "recording", WHY)) == 2
    assert reads.count(("ana", "tracks", WHY)) == reads.count(("ana", "result", WHY)) == 3


async def test_a_process_that_dies_and_a_caller_that_leaves_free_the_place(serve: OpenServer, site: Site, tmp_path: Path) -> None:
    """Killed in the middle it says so; cancelled it is ended; the next one runs each time."""
    async with opened(serve, tmp_path) as (_, at):
        replay = again(at)
        os.kill(await one_aside(at), signal.SIGKILL)
        answer = await refused(replay)
        assert (answer.code, answer.reason) == (grpc.StatusCode.INTERNAL, "JUDGING_INTERRUPTED")
        assert "ask again" in answer.message
        await no_aside(at)
        replay = again(at)
        await one_aside(at)
        replay.cancel()
        await no_aside(at)
        replay = again(at)
        await one_aside(at)
        replay.cancel()
        await no_aside(at)
    assert site.room.audit.verify()[1] == ()


async def test_what_is_not_there_to_be_judged_says_why(serve: OpenServer, site: Site, tmp_path: Path) -> None:
    """Removed, lost, cut short, deleted with its person, never kept; no process is started for any of it."""
    async with opened(serve, tmp_path) as (_, at):
        for source in (review_service_pb2.EVIDENCE_KIND_RESULT, 99):
            assert (await refused(again(at, source=source))).reason == "REQUEST_INVALID"
        path = site.folder / object_name(DARK, Kind.RECORDING)
        whole = path.read_bytes()
        for data, reason, damage in ((whole[:-1], "EVIDENCE_DAMAGED", "truncated"), (None, "EVIDENCE_MISSING", None)):
            path.unlink()
            if data is not None:
                path.write_bytes(data)
            answer = await refused(again(at))
            assert (answer.reason, answer.metadata.get("kind"), answer.metadata.get("damage")) == (reason, "RECORDING", damage)
        site.room.vault.remove(DARK, [Kind.RECORDING], reader=READER, now=NOW)
        answer = await refused(again(at))
        assert (answer.code, answer.reason) == (grpc.StatusCode.NOT_FOUND, "EVIDENCE_GONE")
        assert (await again(at, source=review_service_pb2.EVIDENCE_KIND_UNSPECIFIED)).reproduced
        with site.engine.begin() as connection:
            subject_keys.destroy(connection, "ann")
        assert (await refused(again(at))).reason == "SUBJECT_DELETED"
        assert (await refused(again(at, "nobody"))).reason == "ATTEMPT_UNKNOWN"
        assert not asides(at)
