"""Gallery search at enrolment: faces that belong to another person."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from cameo.v1 import attempt_pb2, reason_pb2
from cameo.v1.attempt_pb2 import ATTEMPT_VIEW_FULL
from cameo.v1.verification_service_pb2 import GetAttemptRequest
from cameo_credential.errors import KeyFileError
from cameo_credential.gallery_key import GalleryKey
from cameo_verifier.screening.transform import Transform
from cameo_verifier.server.app import utc_now
from cameo_verifier.settings import Settings
from cameo_verifier.store.cameos.faces import Code, FaceStore
from cameo_verifier.store.db.engine import open_database
from tests.grpc.judges import DIGEST, unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cameo.v1.verification_service_pb2 import VerifyResponseResponse
    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer


async def enrol(client: Client, subject: str, script: bytes) -> VerifyResponseResponse:
    return await client.verify((await client.challenge(subject)).id, script)


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    """The site the server of a test serves."""
    return Settings(data=tmp_path / "data")


@contextmanager
def faces_of(site: Settings) -> Iterator[FaceStore]:
    """Open its faces from outside the server, as the command line does."""
    engine = open_database(site.database)
    yield FaceStore(engine)
    engine.dispose()


def protect(site: Settings, name: str, seed: int) -> None:
    key = GalleryKey.open(site.gallery_key)
    code = Code(Transform(key.secret, DIGEST).code(unit(seed)), key.id, DIGEST)
    with faces_of(site) as faces:
        faces.protect(name, [code], now=utc_now())


async def test_a_face_of_another_account_is_looked_at_by_a_person(serve: OpenServer, site: Settings) -> None:
    """It is not accepted, also after a restart; its own account and other faces are, and once forgotten it is too."""
    async with serve(expose_scores=True) as client:
        first = await enrol(client, "ann", b"face:7")
        again = await enrol(client, "ann", b"face:7")
        other = await enrol(client, "ben", b"face:8")
        taken = await enrol(client, "cat", b"face:7")
        request = GetAttemptRequest(attempt_id=taken.attempt.id, view=ATTEMPT_VIEW_FULL)
        *_, protected, enrolled = (await client.verification.GetAttempt(request)).checks
    async with serve() as client:
        later = await enrol(client, "dan", b"face:7")
        with faces_of(site) as faces:
            assert faces.forget("ann") == 2
        free = await enrol(client, "dan", b"face:7")
    assert [answer.attempt.verdict for answer in (first, again, other, free)] == [attempt_pb2.VERDICT_ACCEPTED] * 4
    for answer in (taken, later):
        assert answer.attempt.verdict == attempt_pb2.VERDICT_REVIEW
        assert list(answer.attempt.reasons) == [reason_pb2.REASON_ALREADY_ENROLLED]
        assert not answer.HasField("receipt")
    assert (protected.name, protected.outcome) == ("protected_person", attempt_pb2.OUTCOME_PASS)
    assert (enrolled.name, enrolled.outcome) == ("already_enrolled", attempt_pb2.OUTCOME_FAIL)
    assert enrolled.score == pytest.approx(1.0, abs=5e-3)
    assert "ann" not in enrolled.detail


async def test_a_protected_person_is_enrolled_by_nobody_else(serve: OpenServer, site: Settings) -> None:
    """A person looks at whoever enrols that face, from the moment it is protected, but not at the account that is that person."""
    async with serve() as client:
        before = await enrol(client, "ann", b"face:3")
        protect(site, "Somebody Known", 7)
        stranger = await enrol(client, "ann", b"face:7")
        with faces_of(site) as faces:
            faces.allow("Somebody Known", "official", now=utc_now())
        known = await enrol(client, "official", b"face:7")
        both = await enrol(client, "ann", b"face:7")
        with faces_of(site) as faces:
            faces.unprotect("Somebody Known")
        after = await enrol(client, "official", b"face:7")
    assert [answer.attempt.verdict for answer in (before, known, after)] == [attempt_pb2.VERDICT_ACCEPTED] * 3
    assert [answer.attempt.verdict for answer in (stranger, both)] == [attempt_pb2.VERDICT_REVIEW] * 2
    assert list(stranger.attempt.reasons) == [reason_pb2.REASON_PROTECTED_PERSON]
    assert set(both.attempt.reasons) == {reason_pb2.REASON_PROTECTED_PERSON, reason_pb2.REASON_ALREADY_ENROLLED}


async def test_what_is_rejected_enrols_no_face(serve: OpenServer, site: Settings) -> None:
    """Only what was accepted is kept, turned by the key: not the face as the network gave it."""
    async with serve() as client:
        await enrol(client, "ann", b"reject")
        await enrol(client, "ben", b"face:7")
        await enrol(client, "cat", b"face:7")
    key = GalleryKey.open(site.gallery_key)
    with faces_of(site) as faces:
        [[(number, code)]] = list(faces.after(0, key_id=key.id, model=DIGEST))
        assert faces.holders([number])[number].owner == "ben"
    assert code == Transform(key.secret, DIGEST).code(unit(7))


async def test_a_site_may_keep_no_gallery(serve: OpenServer, site: Settings) -> None:
    """Switched off, nobody is asked about and nothing is kept."""
    async with serve(gallery=False) as client:
        answers = [await enrol(client, subject, b"face:7") for subject in ("ann", "ben")]
    assert [answer.attempt.verdict for answer in answers] == [attempt_pb2.VERDICT_ACCEPTED] * 2
    assert not site.gallery_key.exists()


async def test_a_server_with_another_key_does_not_start(serve: OpenServer, site: Settings) -> None:
    """Faces kept under a lost key protect nobody, so that is said, with what to do, instead of passing over it."""
    async with serve() as client:
        await enrol(client, "ann", b"face:7")
    site.gallery_key.unlink()
    with pytest.raises(KeyFileError, match=r"not the key of 1 faces.*cameo gallery prune"):
        async with serve():
            pass
