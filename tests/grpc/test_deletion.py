"""Remnants of a person after their cameo is deleted: searched for in every file, byte by byte, and in a dump."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from cameo.v1 import attempt_pb2, cameo_pb2, reason_pb2
from cameo.v1.cameo_service_pb2 import GetCameoRequest, ListUsesRequest
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest
from cameo_credential.encoding import to_base64url
from cameo_credential.gallery_key import GalleryKey
from cameo_credential.likeness import media_from_bytes
from cameo_credential.pairwise import PairwiseKey
from cameo_verifier.errors import NotFoundError
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.screening.transform import Transform
from cameo_verifier.settings import Settings
from cameo_verifier.store.cameos.likenesses import LikenessStore
from cameo_verifier.store.db.engine import open_database
from tests.databases import only_sqlite
from tests.grpc.client import AUDIENCE
from tests.grpc.holders import OTHER
from tests.grpc.judges import DIGEST, MEDIA, unit
from tests.grpc.world import FAN, NOTE, OWNER, WORD, reason

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from cameo_verifier.store.cameos.vault import Vault
    from tests.grpc.holders import Site

VOICE_NOTE, CHOSEN, WHY = "like Ah-da", "chosen-one", "we parted ways"
FACE, VOICE = 11, 2
"""Seeds of the judge's vectors; every recording has the same voice."""
_WINDOW, _STEP = 16, 48
"""Bytes searched for together, which chance does not find, and how far apart: a run of 63 is found wherever it begins."""


@dataclass(frozen=True)
class Searched:
    """Everything on the disk, and what a dump of the database says."""

    files: bytes
    dump: bytes

    @classmethod
    def of(cls, data: Path) -> Searched:
        """Read all of it."""
        files = [path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file()]
        with closing(sqlite3.connect(data / "cameo.sqlite3")) as connection:
            dump = "\n".join(connection.iterdump())
        return cls(b"\0".join(files), dump.encode())

    def holds(self, secret: bytes) -> bool:
        """Whether any part of a secret is there: as it is, in hex as a dump writes blobs, or in base64url as a token does."""
        parts = [secret[start : start + _WINDOW] for start in range(0, max(1, len(secret) - _WINDOW + 1), _STEP)]
        # Three ways to fall on base64url's groups of three bytes.
        encoded = [to_base64url(secret[shift : shift + 48]).encode() for shift in range(3)]
        as_it_is = any(each in everything for everything in (self.files, self.dump) for each in (*parts, *encoded))
        return as_it_is or any(part.hex().upper().encode() in self.dump for part in parts)


def dtypes(vector: np.ndarray[Any, Any]) -> dict[str, bytes]:
    """A vector in every number format a program would keep it in."""
    return {name: vector.astype(name).tobytes() for name in ("<f2", "<f4", "<f8", ">f2", ">f4")}


def rows(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(data / "cameo.sqlite3")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}  # noqa: S608 - the schema's names


async def enrol(site: Site, subject: str, script: bytes, *, request_id: str = "") -> Any:
    """Have a recording of a subject judged; return the whole answer."""
    issued = IssueChallengeRequest(subject=subject, request_id=str(uuid4()))
    challenge = await site.client.challenges.IssueChallenge(issued, metadata=site.app)
    config = VerifyResponseConfig(challenge_id=challenge.id, audience=AUDIENCE, request_id=request_id or str(uuid4()))
    messages = [VerifyResponseRequest(config=config), VerifyResponseRequest(chunk=script)]
    return await site.client.verification.VerifyResponse(iter(messages), metadata=site.app)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of the site that is served."""
    return tmp_path / "data"


@only_sqlite
async def test_nothing_of_the_person_is_left_on_the_disk(open_site: Any, data: Path) -> None:
    """Embeddings in any number format, sealed likeness, data key, tokens, notes: in no file and no dump."""
    async with open_site() as site:
        for number in range(6):
            await enrol(site, f"neighbour-{number}", b"face:%d" % (100 + number))
        answer = await site.enrolled(b"face:%d" % FACE)
        cameo = answer.cameo
        restrictions = {"words": [WORD], "categories": ["USE_CATEGORY_SATIRE"]}
        cameo = await site.update(cameo, who_may_use="WHO_MAY_USE_SELECTED", selected_users=[CHOSEN], restrictions=restrictions)
        cameo = await site.update(cameo, appearance_notes=NOTE, voice_notes=VOICE_NOTE)
        issued = [answer.credential, await site.issue(cameo), await site.issue(cameo, OTHER)]
        await site.revoke(issued[1], WHY)
        await site.end(cameo, "REVOCATION_MODE_PAUSE", "a " + WHY)

        turned = Transform(GalleryKey.open(data / "keys" / "gallery.jwk").secret, DIGEST)
        kept, sealed = _kept(data, cameo.id), Searched.of(data)
        face, voice = unit(FACE), unit(VOICE)
        readable = {
            "gallery code": turned.code(face),
            "sealed likeness": kept.sealed,
            "wrapped data key": kept.wrapped_key,
            # Headers are alike in all. The token of the one that was revoked by itself was forgotten then.
            **{f"token of {index}": one.token.split(".")[3].encode() for index, one in enumerate(issued) if index != 1},
            "receipt": answer.receipt.token.split(".")[2].partition("~")[0].encode(),
            **{text: text.encode() for text in (NOTE, VOICE_NOTE, WORD, CHOSEN, WHY)},
            **{f"pseudonym at {each}": _pseudonym(data, each).encode() for each in (AUDIENCE, OTHER)},
        }
        assert {name for name, secret in readable.items() if not sealed.holds(secret)} == set()
        never = {
            f"{which} as {name}": bytes_
            for which, vector in (("face", face), ("voice", voice))
            for name, bytes_ in dtypes(vector).items()
        }
        never |= {f"turned face as {name}": bytes_ for name, bytes_ in dtypes(turned.turn(face)).items()}
        opened = _vault(data).open(kept)
        likeness = json.loads(opened.partition(b"\n")[0])
        assert media_from_bytes(opened) == MEDIA
        never |= {f"{each.kind} {number}": each.data for number, each in enumerate(MEDIA)}
        never |= {f"{which} as it was sealed": likeness[which]["data"].encode() for which in ("face", "voice")}
        assert {name for name, secret in never.items() if sealed.holds(secret)} == set()

        await site.delete(cameo)
        left = Searched.of(data)
        assert {name for name, secret in {**readable, **never}.items() if left.holds(secret)} == set()
        assert left.holds(Transform(GalleryKey.open(data / "keys" / "gallery.jwk").secret, DIGEST).code(unit(100)))


@only_sqlite
async def test_a_restored_database_does_not_serve_what_was_deleted_since(open_site: Any, data: Path) -> None:
    """A copy from before is put back, with the keys and the log of now: before the first call it is deleted there, too."""
    async with open_site() as site:
        cameo = await site.create((await enrol(site, OWNER, b"face:%d" % FACE)).attempt.id)
        _copy_database(data)
        assert _vault(data).open(_kept(data, cameo.id))
        await site.delete(cameo)
    _put_back(data)
    assert _vault(data).open(_kept(data, cameo.id))  # of the same epoch
    async with open_site() as site:
        found = await site.stub.GetCameo(GetCameoRequest(cameo_id=cameo.id), metadata=site.owner)
        assert found.state == cameo_pb2.CAMEO_STATE_DELETED
    with pytest.raises(NotFoundError):
        _kept(data, cameo.id)


def _copy_database(data: Path) -> None:
    with closing(sqlite3.connect(data / "cameo.sqlite3")) as connection:
        connection.execute("VACUUM INTO ?", [str(data / "copy.sqlite3")])


def _put_back(data: Path) -> None:
    for path in data.glob("cameo.sqlite3*"):
        path.unlink()
    (data / "copy.sqlite3").rename(data / "cameo.sqlite3")


def _kept(data: Path, cameo_id: str) -> Any:
    engine = open_database(Settings(data=data).database)
    try:
        return LikenessStore(engine).of(cameo_id)
    finally:
        engine.dispose()


def _vault(data: Path) -> Vault:
    return open_vault(Settings(data=data).vault_key)


def _pseudonym(data: Path, audience: str) -> str:
    return PairwiseKey.open(Settings(data=data).pairwise_key).pseudonym(OWNER, audience)


@only_sqlite
async def test_nothing_leads_from_the_person_to_the_recording(open_site: Any, data: Path) -> None:
    """No row names the recording beside the account, the cameo or a credential, and no digest on one side is over the other."""
    async with open_site() as site:
        answer = await site.enrolled(b"accept:5")
        cameo = answer.cameo
        other = await site.issue(cameo, OTHER)
        recording = {answer.attempt.id, answer.attempt.challenge_id, hashlib.sha256(b"accept:5").hexdigest()}
        tokens = {answer.credential.id, answer.receipt.id, other.id}
        person = {OWNER, cameo.id, *tokens, _pseudonym(data, AUDIENCE), _pseudonym(data, OTHER)}
        assert _linked(data, recording, person)
        await site.delete(cameo)
        assert _linked(data, recording, person) == set()
        kept = rows(data)
        assert [row[0] for row in kept["fingerprints"]] == [answer.attempt.id]
        assert kept["receipts"] == kept["credentials"] == kept["likenesses"] == kept["faces"] == []
        for identifier in recording:
            for text in (identifier, f"{identifier}{cameo.id}", f"{cameo.id}{identifier}"):
                assert hashlib.sha256(text.encode()).hexdigest() not in str(kept["cameos"])


def _linked(data: Path, recording: set[str], person: set[str]) -> set[str]:
    """The tables that hold something of both in one row."""
    return {
        table
        for table, found in rows(data).items()
        for row in found
        if any(each in str(row) for each in recording) and any(each in str(row) for each in person)
    }


async def test_the_tombstone_says_what_was_and_no_more(open_site: Any) -> None:
    """Ids, owner, times, consent and the uses stay to be seen by the owner; terms, notes, reason and attempt do not."""
    async with open_site() as site:
        cameo = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE", appearance_notes=NOTE)
        grant = await site.authorize(cameo)
        await site.delete(cameo)
        tombstone = await site.stub.GetCameo(GetCameoRequest(cameo_id=cameo.id), metadata=site.owner)
        expected = cameo_pb2.Cameo(
            id=cameo.id,
            subject=OWNER,
            state="CAMEO_STATE_DELETED",
            who_may_use="WHO_MAY_USE_ONLY_ME",
            consent=cameo.consent,
            version=3,
        )
        expected.create_time.CopyFrom(cameo.create_time)
        expected.update_time.CopyFrom(tombstone.update_time)
        expected.restrictions.SetInParent()
        assert tombstone == expected
        listed = await site.stub.ListUses(ListUsesRequest(cameo_id=cameo.id), metadata=site.owner)
        assert [(use.grant_id, use.requester) for use in listed.uses] == [(grant.grant_id, FAN)]


async def test_a_face_is_forgotten_with_its_cameo_and_another_cameo_s_stays(open_site: Any) -> None:
    """While the owner has another cameo its face still guards it; with the last one the face is free for another account."""
    async with open_site() as site:
        one, two = [await site.create((await enrol(site, OWNER, b"face:%d" % seed)).attempt.id) for seed in (FACE, 12)]
        await site.delete(one)
        assert (await enrol(site, "stranger", b"face:%d" % FACE)).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        guarded = await enrol(site, "stranger", b"face:12")
        assert list(guarded.attempt.reasons) == [reason_pb2.REASON_ALREADY_ENROLLED]
        await site.delete(two)
        assert (await enrol(site, "stranger", b"face:12")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED


async def test_a_recording_that_is_sent_again_is_still_known(open_site: Any) -> None:
    """The fingerprint outlives the cameo: whoever got hold of the recording cannot enrol with it."""
    async with open_site() as site:
        answer = await enrol(site, OWNER, b"accept:5")
        await site.delete(await site.create(answer.attempt.id))
        again = await enrol(site, "stranger", b"accept:5")
        assert list(again.attempt.reasons)[:1] == [reason_pb2.REASON_SEEN_BEFORE]


async def test_a_repeated_request_of_before_is_unknown_and_hands_nothing_out(open_site: Any) -> None:
    """The upload of a deleted cameo, sent again, is not judged twice: its challenge is spent, and its id leads nowhere."""
    async with open_site() as site:
        challenge = await site.client.challenges.IssueChallenge(IssueChallengeRequest(subject=OWNER), metadata=site.app)
        asked = {"request_id": str(uuid4()), "enrolment": site.enrolment()}
        answer = await site.verify(challenge.id, **asked)
        await site.delete(answer.cameo)
        assert await reason(site.verify(challenge.id, **asked)) == "CHALLENGE_SPENT"
        assert await reason(site.create(answer.attempt.id)) == "ATTEMPT_UNKNOWN"
        assert await reason(site.create(answer.attempt.id, by=site.app)) == "LIKENESS_NOT_KEPT"
        site.clock.ahead += timedelta(seconds=300)
        assert await site.standing(answer.credential) == "revoked"
