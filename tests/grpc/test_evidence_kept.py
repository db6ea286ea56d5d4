"""Evidence that the server stores of the attempts it judges."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from cameo.v1 import attempt_pb2
from cameo_challenges.model import Say
from cameo_verifier.evidence.tracks import from_bytes as tracks_from
from cameo_verifier.reasons import Reason
from cameo_verifier.review.evidence_room import EvidenceRoom
from cameo_verifier.server.app import utc_now
from cameo_verifier.settings import Retention, Settings
from cameo_verifier.store.attempts.result import from_bytes as result_from
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import Verdict
from tests.grpc.judges import CROPS, DIGEST
from tests.patience import PATIENCE_S
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from cameo.v1.verification_service_pb2 import VerifyResponseResponse
    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer

READER = Reader("ana", "a test")


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    """The site the server of a test serves."""
    return Settings(data=tmp_path / "data")


@contextmanager
def evidence_of(site: Settings) -> Iterator[EvidenceRoom]:
    """Open its evidence from outside the server, as the command line does."""
    engine = open_database(site.database)
    yield EvidenceRoom.open(site, engine)
    engine.dispose()


async def answer(client: Client, script: bytes, subject: str = "ann") -> VerifyResponseResponse:
    return await client.verify((await client.challenge(subject)).id, script)


async def test_a_rejected_attempt_leaves_all_that_judges_it_again(serve: OpenServer, site: Settings) -> None:
    """Recording, tracks and result: the challenge, every score, and the digests of what judged it; of an unjudged one nothing."""
    async with serve() as client:
        found = await answer(client, b"reject")
        with pytest.raises(Exception, match="cut off"):
            await answer(client, b"damaged")
    with evidence_of(site) as room:
        pieces = {kind: room.vault.read(found.attempt.id, kind, reader=READER, now=utc_now()) for kind in list(Kind)[:3]}
    tracks, result = tracks_from(pieces[Kind.TRACKS]), result_from(pieces[Kind.RESULT])
    assert pieces[Kind.RECORDING].rstrip(b"\0") == b"reject"
    assert tracks.evidence.media.sha256 == hashlib.sha256(pieces[Kind.RECORDING]).hexdigest()
    assert tracks.circumstances.recalled is not None
    assert tracks.circumstances.has_gallery
    assert tracks.circumstances.gallery is None
    assert result.decision.verdict is Verdict.REJECTED
    assert result.decision.reasons == (Reason.PHRASE_MISMATCH, Reason.MOVEMENT_MISSING)
    names = [check.name for check in result.checks]
    assert (names[0], names[-1]) == ("phrase", "seen_before")
    assert result.digests["profile"] == DIGEST
    assert any(isinstance(step, Say) for step in result.challenge.steps)
    assert len(list((site.data / "evidence").rglob("recording"))) == 1


async def test_an_accepted_attempt_leaves_the_digest_of_its_credential(serve: OpenServer, site: Settings) -> None:
    """No recording unless the site keeps it; tracks for its rates, pictures of the face for the gallery, unless it keeps none."""
    async with serve() as client:
        found = await answer(client, b"accept")
    with evidence_of(site) as room:
        held = {each.kind: each for each in room.vault.held(found.attempt.id)}
        assert room.vault.read(found.attempt.id, Kind.CROPS, reader=READER, now=utc_now()) == CROPS
    assert held.keys() == {Kind.RECEIPT, Kind.TRACKS, Kind.RESULT, Kind.CROPS}
    assert held[Kind.RECEIPT].sha256 == hashlib.sha256(found.receipt.token.encode()).hexdigest()
    async with serve(retention=Retention(accepted_share=0), gallery=False) as client:
        found = await answer(client, b"face:5", "cat")
    with evidence_of(site) as room:
        assert [each.kind for each in room.vault.held(found.attempt.id)] == [Kind.RECEIPT]
    assert not list((site.data / "evidence").rglob("recording"))
    async with serve(retention=Retention(accepted_days=2, rejected_days=0)) as client:
        kept, dropped = await answer(client, b"face:3", "ben"), await answer(client, b"reject")
    with evidence_of(site) as room:
        assert {held.kind for held in room.vault.held(kept.attempt.id)} == set(Kind)
        assert room.vault.held(dropped.attempt.id) == ()


async def test_a_vault_that_fails_takes_no_verdict_back(
    serve: OpenServer, site: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """The person is answered, the attempt is judged, and the log counts what could not be kept, without a word of what it was."""
    site.data.mkdir(parents=True, mode=0o700)
    (site.data / "evidence").write_text("a file where the folder should be")
    async with serve() as client:
        answers = [await answer(client, b"reject") for _ in range(2)]
    assert [found.attempt.verdict for found in answers] == [attempt_pb2.VERDICT_REJECTED] * 2
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if "evidence could not be kept" in line]
    assert len(lines) == 2
    assert "StorageError" in lines[0]
    assert "failures" in lines[1]
    with evidence_of(site) as room:
        assert room.vault.held(answers[0].attempt.id) == ()


async def test_a_running_server_sweeps(serve: OpenServer, site: Settings) -> None:
    """A server with a shorter policy removes what an earlier one kept."""
    async with serve() as client:
        found = await answer(client, b"reject")
    with evidence_of(site) as room:
        async with serve(retention=Retention(rejected_days=0)):
            async with asyncio.timeout(PATIENCE_S):
                while len(room.audit.lines()) < 3:  # noqa: ASYNC110 - nothing tells when a piece is gone
                    await asyncio.sleep(0.05)
        assert all(held.removed_at for held in room.vault.held(found.attempt.id))
        assert {(line.who, line.action) for line in room.audit.lines()} == {("retention", "remove")}
    assert not [path for path in (site.data / "evidence").rglob("*") if path.is_file()]


async def test_a_clock_that_jumped_while_nobody_served_takes_no_evidence(serve: OpenServer, site: Settings) -> None:
    """A hundred years ahead nothing goes and the log says why; once its owner vouches for the clock, it goes."""
    async with serve() as client:
        await answer(client, b"reject")

    def later() -> datetime:
        return utc_now() + timedelta(days=36500)

    def kept() -> list[Path]:
        return list((site.data / "evidence").rglob("recording"))

    for vouched in (False, True):
        if vouched:
            site.clock_file.unlink()
        with capture_logs() as lines:
            async with serve(clock=later):
                awaited = "removed evidence" if vouched else "the clock jumped"
                await until(lambda: any(line["event"].startswith(awaited) for line in lines))  # noqa: B023 - in this turn
        assert bool(kept()) is not vouched


async def test_what_has_no_room_is_not_kept_and_the_log_says_so(serve: OpenServer, site: Settings) -> None:
    """The verdict stands; with room for one, the newer takes the place of the older."""
    with capture_logs() as lines:
        async with serve(retention=Retention(max_bytes=1)) as client:
            assert (await answer(client, b"reject")).attempt.verdict == attempt_pb2.VERDICT_REJECTED
    [told] = [line for line in lines if line["event"] == "evidence could not be kept"]
    assert (told["kind"], "CAMEO_RETENTION_MAX_BYTES" in told["error"]) == ("StorageFullError", True)
    assert not list(site.data.rglob("recording"))
    async with serve() as client:
        first = (await answer(client, b"reject")).attempt.id
    held = sum(path.stat().st_size for path in (site.data / "evidence").rglob("*") if path.is_file())
    with capture_logs() as lines:
        async with serve(retention=Retention(max_bytes=held + held // 2)) as client:
            second = (await answer(client, b"reject", "bob")).attempt.id
    assert [line["attempts"] for line in lines if line["event"] == "older evidence made room for new"] == [1]
    with evidence_of(site) as room:
        assert any(piece.removed_at for piece in room.vault.held(first))
        assert not any(piece.removed_at for piece in room.vault.held(second))
