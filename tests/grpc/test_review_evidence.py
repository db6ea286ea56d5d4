"""Missing, damaged or locked evidence, and stalled readers, as an analyst's program sees them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from sqlalchemy import delete, text, update

from cameo.v1 import review_service_pb2
from cameo.v1.review_service_pb2 import GetEvidenceRequest, ReplayAttemptRequest
from cameo_verifier.server.app import utc_now
from cameo_verifier.settings import Settings
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence import subject_keys
from cameo_verifier.store.evidence.evidence import object_name
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.grpc.callers import App
from tests.grpc.client import refused
from tests.grpc.test_review import KEPT, WHY, Desk
from tests.patience import PATIENCE_S
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import PIECES, READER, open_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.grpc.server import OpenServer
    from tests.unit.store.evidence_site import Site

BIG = bytes(range(256)) * 4 * 1024 * 12
"""12 MiB."""
FIXED_WINDOW = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 64 * 1024))
"""Of a client: what it takes unread. Otherwise the window grows with what a busy machine was seen to take, up to all of `BIG`."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site with an attempt that nothing happens to."""
    engine = open_database(Settings(data=tmp_path / "data").database)
    opened = open_site(engine, tmp_path / "data")
    opened.kept("fine", "zoe", at=utc_now())
    yield opened
    engine.dispose()


@asynccontextmanager
async def desk(serve: OpenServer, tmp_path: Path, **settings: object) -> AsyncIterator[Desk]:
    """Serve the site to ana and ben."""
    app = App.make(tmp_path)
    async with (
        serve(**app.settings, **{"retention": KEPT, **settings}) as client,
        grpc.aio.insecure_channel(client.server.address, options=FIXED_WINDOW) as channel,
    ):
        yield Desk(replace(client, channel=channel), app.metadata("analyst", "ana"), app.metadata("analyst", "ben"))


async def test_every_trouble_has_its_own_reason_and_stays_alone(serve: OpenServer, site: Site, tmp_path: Path) -> None:
    """Never kept, removed, deleted with its person, cut short, altered, object lost, key lost: none of it touches another's."""
    for name in ("removed", "short", "altered", "moved", "lost", "no_key", "bad_key"):
        site.kept(name, f"subject-{name}", at=utc_now())
    site.kept("deleted", "dan", at=utc_now())
    site.judged("bare", at=utc_now())
    site.room.vault.remove("removed", [Kind.RECORDING], reader=READER, now=NOW)
    folder = site.folder
    whole = (folder / object_name("short", Kind.RECORDING)).read_bytes()
    (folder / object_name("short", Kind.RECORDING)).write_bytes(whole[:-1])
    flipped = bytearray((folder / object_name("altered", Kind.RECORDING)).read_bytes())
    flipped[-20] ^= 1
    (folder / object_name("altered", Kind.RECORDING)).write_bytes(flipped)
    (folder / object_name("moved", Kind.RECORDING)).write_bytes(whole)
    (folder / object_name("lost", Kind.RECORDING)).unlink()
    keys = tables.subject_keys
    with site.engine.begin() as connection:
        subject_keys.destroy(connection, "dan")
        connection.execute(delete(keys).where(keys.c.subject == "subject-no_key"))
        connection.execute(update(keys).where(keys.c.subject == "subject-bad_key").values(wrapped_key=b"\0" * 60))
    codes = grpc.StatusCode
    async with desk(serve, tmp_path) as at:
        for attempt_id, code, reason, damage in (
            ("bare", codes.NOT_FOUND, "EVIDENCE_MISSING", None),
            ("lost", codes.NOT_FOUND, "EVIDENCE_MISSING", None),
            ("removed", codes.NOT_FOUND, "EVIDENCE_GONE", None),
            ("deleted", codes.NOT_FOUND, "SUBJECT_DELETED", None),
            ("short", codes.DATA_LOSS, "EVIDENCE_DAMAGED", "truncated"),
            ("altered", codes.DATA_LOSS, "EVIDENCE_DAMAGED", "altered"),
            ("moved", codes.DATA_LOSS, "EVIDENCE_DAMAGED", "altered"),
            ("no_key", codes.DATA_LOSS, "DATA_KEY_LOST", None),
            ("bad_key", codes.DATA_LOSS, "DATA_KEY_LOST", None),
        ):
            answer = await at.no_evidence(attempt_id)
            assert (answer.code, answer.reason) == (code, reason), attempt_id
            assert answer.metadata == {"kind": "RECORDING"} | ({"damage": damage} if damage else {})
            assert str(tmp_path) not in answer.message
            assert (await at.evidence("fine", review_service_pb2.EVIDENCE_KIND_RECORDING))[1] == PIECES[Kind.RECORDING]
        assert (await at.evidence("short", review_service_pb2.EVIDENCE_KIND_RESULT))[1] == PIECES[Kind.RESULT]
        answer = await refused(at.ask("ReplayAttempt", ReplayAttemptRequest(attempt_id="removed", why=WHY)))
        assert (answer.reason, answer.metadata) == ("EVIDENCE_DAMAGED", {"kind": "RESULT", "damage": "altered"})
        answer = await refused(at.ask("ReplayAttempt", ReplayAttemptRequest(attempt_id="bare", why=WHY)))
        assert (answer.reason, answer.metadata) == ("EVIDENCE_MISSING", {"kind": "RESULT"})
    assert {line.attempt_id for line in site.room.audit.lines()} >= {"bare", "removed", "deleted", "no_key"}


async def test_a_lost_vault_key_and_a_lost_folder_say_so(serve: OpenServer, site: Site, tmp_path: Path) -> None:
    """Another key file opens nothing and is named; a folder that is none asks to try again; what is put back is readable."""
    key, folder = site.settings.vault_key, site.folder
    key.rename(tmp_path / "kept.jwk")
    async with desk(serve, tmp_path) as at:
        answer = await at.no_evidence("fine")
        assert (answer.code, answer.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "VAULT_KEY_LOST")
    (tmp_path / "kept.jwk").replace(key)
    folder.rename(tmp_path / "elsewhere")
    folder.write_text("a file where the folder should be")
    async with desk(serve, tmp_path) as at:
        answer = await at.no_evidence("fine")
        assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "EVIDENCE_UNAVAILABLE")
        assert answer.retry_s == 1.0
        folder.unlink()
        (tmp_path / "elsewhere").rename(folder)
        assert (await at.evidence("fine", review_service_pb2.EVIDENCE_KIND_RECORDING))[1] == PIECES[Kind.RECORDING]


async def test_what_cannot_be_logged_is_not_handed_out(serve: OpenServer, site: Site, tmp_path: Path) -> None:
    """Without its line in the audit log not even the header leaves."""
    async with desk(serve, tmp_path) as at:
        with site.engine.begin() as connection:
            connection.execute(text("ALTER TABLE audit_head RENAME TO gone"))
        stream = at.ask(
            "GetEvidence", GetEvidenceRequest(attempt_id="fine", kind=review_service_pb2.EVIDENCE_KIND_RESULT, why=WHY)
        )
        answer = await refused(stream.read())
        assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")


async def test_readers_that_stop_hold_their_places(serve: OpenServer, site: Site, tmp_path: Path) -> None:
    """Eight readers that stop hold every place; each that hangs up gives its own back at once."""
    request = _big(site)
    async with desk(serve, tmp_path, stall_s=2 * PATIENCE_S) as at:
        stuck = [at.ask("GetEvidence", request) for _ in range(8)]
        for stream in stuck:
            assert (await stream.read()).header.size_bytes == len(BIG)
        answer = await at.no_evidence("fine")
        assert (answer.code, answer.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        stuck.pop().cancel()
        assert await _served(at, 1)
        for stream in stuck:
            stream.cancel()
        assert await _served(at, 8)
        assert (await at.evidence("fine", review_service_pb2.EVIDENCE_KIND_RECORDING))[1] == PIECES[Kind.RECORDING]


async def test_a_reader_that_stops_loses_the_stream_and_frees_its_place(serve: OpenServer, site: Site, tmp_path: Path) -> None:
    """Eight readers that stop lose their streams in time, and then all eight places are free, whatever those readers do."""
    request = _big(site)
    async with desk(serve, tmp_path, stall_s=1) as at:
        stuck = [at.ask("GetEvidence", request) for _ in range(8)]
        # On a busy machine one may be lost before it was given its header.
        await asyncio.gather(*[stream.read() for stream in stuck], return_exceptions=True)
        assert await _served(at, 8)
        for stream in stuck:
            assert (await refused(_rest(stream))).reason == "CALLER_TOO_SLOW"


def _big(site: Site) -> GetEvidenceRequest:
    site.judged("big", at=utc_now())
    site.room.vault.keep("big", "zoe", {Kind.RECORDING: BIG}, now=utc_now())
    return GetEvidenceRequest(attempt_id="big", kind=review_service_pb2.EVIDENCE_KIND_RECORDING, why=WHY)


async def _served(at: Desk, places: int) -> bool:
    """Wait until that many readers hold a place at the same time."""
    request = GetEvidenceRequest(attempt_id="big", kind=review_service_pb2.EVIDENCE_KIND_RECORDING, why=WHY)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            readers = [at.ask("GetEvidence", request) for _ in range(places)]
            begun = await asyncio.gather(*[reader.read() for reader in readers], return_exceptions=True)
            for reader in readers:
                reader.cancel()
            if not any(isinstance(each, grpc.aio.AioRpcError) for each in begun):
                return True
            await asyncio.sleep(0.1)


async def _rest(stream: Any) -> None:
    while await stream.read() is not grpc.aio.EOF:
        pass
