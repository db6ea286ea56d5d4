"""The life of a cameo over the wire: made, changed, paused, ended, deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cameo.v1 import cameo_pb2
from cameo.v1 import cameo_service_pb2 as wire
from cameo_credential.item_kind import ItemKind
from cameo_credential.likeness import from_bytes
from cameo_verifier.cameo import model
from cameo_verifier.cameo.permissions import Answer
from cameo_verifier.cameo.refusal import Refusal
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.server.app import utc_now
from cameo_verifier.server.wire.enums import short_names
from cameo_verifier.settings import Settings
from cameo_verifier.store.cameos.likenesses import LikenessStore
from cameo_verifier.store.db.engine import open_database
from tests.databases import only_sqlite
from tests.grpc.client import AUDIENCE
from tests.grpc.world import FAN, GENERAL, NOTE, OWNER, WORD, dump, files, reason, rows

if TYPE_CHECKING:
    from pathlib import Path


def test_wire_enums_mirror_the_values() -> None:
    """Every enum about cameos has the names of its value behind an unspecified zero, and every refusal is an error reason."""
    from cameo.v1 import error_reason_pb2  # noqa: PLC0415 - used here only

    for enum, value in (
        (cameo_pb2.CameoState, model.CameoState),
        (cameo_pb2.WhoMayUse, model.WhoMayUse),
        (cameo_pb2.OutputState, model.OutputState),
        (cameo_pb2.CameoEventKind, model.EventKind),
        (cameo_pb2.PermissionAnswer, Answer),
        (cameo_pb2.ItemKind, ItemKind),
    ):
        assert enum.Name(0).endswith("_UNSPECIFIED")
        assert sorted(short_names(enum)) == sorted(member.upper() for member in value)
    assert sorted(("UNSPECIFIED", *short_names(cameo_pb2.UseCategory))) == sorted(each.upper() for each in model.UseCategory)
    assert {refusal.name for refusal in Refusal} <= set(short_names(error_reason_pb2.ErrorReason))


async def test_an_accepted_attempt_makes_one_cameo_of_its_owner(open_world: Any, tmp_path: Path) -> None:
    """Once, for its own subject, with a consent that has a digest; its id is the credential's, its likeness is in the vault."""
    async with open_world() as world:
        attempt, rejected, again = await world.attempt(), await world.attempt(b"reject"), str(uuid4())
        assert await reason(world.create(attempt.id, by=world.stranger)) == "ATTEMPT_UNKNOWN"
        assert await reason(world.create("none")) == "ATTEMPT_UNKNOWN"
        assert await reason(world.create(rejected.id)) == "ATTEMPT_NOT_ACCEPTED"
        cameo = await world.create(attempt.id, request_id=again)
        assert await world.create(attempt.id, request_id=again) == cameo
        assert await reason(world.create(attempt.id, by=world.app)) == "ATTEMPT_USED"
        assert (cameo.subject, cameo.state, cameo.who_may_use) == (
            OWNER,
            cameo_pb2.CAMEO_STATE_ACTIVE,
            cameo_pb2.WHO_MAY_USE_ONLY_ME,
        )
        assert len(bytes.fromhex(cameo.consent.digest)) == 32
        request = wire.GetCameoRequest(cameo_id=cameo.id)
        assert await world.stub.GetCameo(request, metadata=world.app) == cameo
        assert await reason(world.stub.GetCameo(request, metadata=world.stranger)) == "CAMEO_UNKNOWN"
    site = Settings(data=tmp_path / "data")
    engine = open_database(site.database)
    vault = open_vault(site.vault_key)
    face, voice = from_bytes(vault.open(LikenessStore(engine).of(cameo.id)))
    engine.dispose()
    assert (face.model, voice.model) == ("face-embedding", "speaker-embedding")


async def test_cameos_come_in_pages_and_only_ones_own(open_world: Any) -> None:
    """Pages hold every cameo once, in order; another's list is empty; a made-up token is refused."""
    async with open_world() as world:
        made = [(await world.cameo()).id for _ in range(3)]
        first = await world.stub.ListCameos(wire.ListCameosRequest(page_size=2), metadata=world.owner)
        rest = await world.stub.ListCameos(
            wire.ListCameosRequest(subject=OWNER, page_size=2, page_token=first.next_page_token), metadata=world.app
        )
        assert [each.id for each in (*first.cameos, *rest.cameos)] == made
        assert not rest.next_page_token
        other = await world.stub.ListCameos(wire.ListCameosRequest(subject=OWNER), metadata=world.stranger)
        assert not other.cameos
        bad = wire.ListCameosRequest(page_token="bm9uZQ")  # noqa: S106 - no secret
        assert await reason(world.stub.ListCameos(bad, metadata=world.owner)) == "PAGE_TOKEN_INVALID"
        assert await reason(world.stub.ListCameos(wire.ListCameosRequest(), metadata=world.app)) == "REQUEST_INVALID"


async def test_a_consent_is_given_between_challenge_and_now(open_world: Any) -> None:
    """The year 2242 and the time before the challenge was issued are refused; the attempt still makes a cameo."""
    async with open_world() as world:
        attempt = await world.attempt()
        for agreed in (datetime(2242, 1, 1, tzinfo=UTC), utc_now() - timedelta(hours=1)):
            consent = cameo_pb2.Consent(text_version="3", locale="en-GB", agree_time=agreed, text_sha256="5e" * 32)
            request = wire.CreateCameoRequest(attempt_id=attempt.id, consent=consent, request_id=str(uuid4()))
            assert await reason(world.stub.CreateCameo(request, metadata=world.owner)) == "CONSENT_OUT_OF_TIME"
        cameo = await world.create(attempt.id)
        assert cameo.attest_time.ToDatetime(UTC) == attempt.create_time.ToDatetime(UTC)


async def test_no_update_is_lost_and_a_repeated_one_is_one(open_world: Any) -> None:
    """A change of what was read before another change is refused; the same change again succeeds; only known fields change."""
    async with open_world() as world:
        cameo = await world.cameo()
        changed = await world.update(cameo, appearance_notes=NOTE)
        assert changed.version == cameo.version + 1
        assert await reason(world.update(cameo, voice_notes="softly")) == "CAMEO_CHANGED"
        assert await world.update(cameo, appearance_notes=NOTE) == changed
        assert await reason(world.update(changed, by=world.stranger, voice_notes="softly")) == "CAMEO_UNKNOWN"
        for bad in ({"subject": "me"}, {"appearance_notes": "x" * 501}, {"who_may_use": 9}, {"selected_users": [" "]}, {}):
            assert await reason(world.update(changed, **bad)) == "REQUEST_INVALID"


async def test_a_pause_ends_and_a_revocation_does_not(open_world: Any) -> None:
    """Checks deny at once either way; a paused cameo can be resumed, one that was revoked for good cannot be brought back."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        paused = await world.end(cameo, "REVOCATION_MODE_PAUSE", "a break")
        assert (paused.state, paused.reason) == (cameo_pb2.CAMEO_STATE_PAUSED, "a break")
        assert await world.check(cameo) == (False, "NOT_NOW")
        resume = wire.ResumeCameoRequest(cameo_id=cameo.id)
        assert await reason(world.stub.ResumeCameo(resume, metadata=world.stranger)) == "CAMEO_UNKNOWN"
        await world.stub.ResumeCameo(resume, metadata=world.owner)
        assert await world.check(cameo) == (True, "PERMITTED")
        ended = await world.end(cameo, "REVOCATION_MODE_FOR_GOOD")
        assert await world.end(cameo, "REVOCATION_MODE_FOR_GOOD") == ended
        assert await world.check(cameo) == (False, "NO_LONGER")
        for call in (
            world.stub.ResumeCameo(resume, metadata=world.owner),
            world.end(cameo, "REVOCATION_MODE_PAUSE"),
            world.update(ended, who_may_use="WHO_MAY_USE_ONLY_ME"),
        ):
            assert await reason(call) == "CAMEO_ENDED"
        assert await reason(world.end(cameo, "REVOCATION_MODE_UNSPECIFIED")) == "REQUEST_INVALID"


async def test_a_possible_minor_s_cameo_stays_with_its_owner(open_world: Any) -> None:
    """It cannot be widened, and to everyone else it does not exist."""
    async with open_world() as world:
        cameo = await world.cameo(b"minor")
        assert cameo.minor_safeguards
        for who in ("WHO_MAY_USE_SELECTED", "WHO_MAY_USE_MUTUALS", "WHO_MAY_USE_EVERYONE"):
            assert await reason(world.update(cameo, who_may_use=who)) == "MINOR_NEEDS_GUARDIAN"
        assert await reason(world.authorize(cameo)) == "CAMEO_UNKNOWN"
        request = wire.CheckPermissionRequest(cameo_id=cameo.id, requester_token=world.requester(FAN), purposes=GENERAL)
        assert await reason(world.stub.CheckPermission(request, metadata=world.generator)) == "CAMEO_UNKNOWN"
        assert await world.check(cameo, OWNER) == (True, "PERMITTED")


@only_sqlite
async def test_deletion_leaves_a_tombstone_and_nothing_else(open_world: Any, tmp_path: Path) -> None:
    """Neither the database's files nor a dump hold the likeness, its key, the terms, the tokens or a way to the recording."""
    async with open_world() as world:
        attempt = await world.attempt()
        cameo = await world.create(attempt.id)
        terms = {"who_may_use": "WHO_MAY_USE_SELECTED", "selected_users": ["chosen-one"], "restrictions": {"words": [WORD]}}
        cameo = await world.update(cameo, appearance_notes=NOTE, voice_notes="like Ah-da", offline_audiences=[AUDIENCE], **terms)
        await world.issue(cameo)
        database = tmp_path / "data" / "cameo.sqlite3"
        kept = rows(database, "SELECT sealed, wrapped_key FROM likenesses") + rows(
            database, "SELECT c.token, r.token FROM credentials c JOIN receipts r USING (attempt_id)"
        )
        gone = [(value if isinstance(value, bytes) else value.encode())[:40] for row in kept for value in row]
        gone += [NOTE.encode(), WORD.encode(), b"like Ah-da", b"chosen-one"]
        assert all(secret in files(database) for secret in gone)
        delete = wire.DeleteCameoRequest(cameo_id=cameo.id)
        assert await reason(world.stub.DeleteCameo(delete, metadata=world.stranger)) == "CAMEO_UNKNOWN"
        tombstone = await world.stub.DeleteCameo(delete, metadata=world.owner)
        assert await world.stub.DeleteCameo(delete, metadata=world.owner) == tombstone
        on_disk, dumped = files(database), dump(database)
        for secret in gone:
            assert secret not in on_disk
            assert secret not in dumped
        assert (tombstone.state, tombstone.consent) == (cameo_pb2.CAMEO_STATE_DELETED, cameo.consent)
        assert rows(database, "SELECT attempt_id FROM cameos") == [(None,)]
        assert rows(database, "SELECT count(*) FROM attempts WHERE subject != ''") == [(0,)]
        assert rows(database, "SELECT count(*) FROM challenges WHERE subject != ''") == [(0,)]
        for call in (world.update(tombstone, voice_notes="x"), world.end(cameo, "REVOCATION_MODE_PAUSE")):
            assert await reason(call) == "CAMEO_GONE"
        request = wire.CheckPermissionRequest(cameo_id=cameo.id, requester_token=world.requester(OWNER), purposes=GENERAL)
        assert await reason(world.stub.CheckPermission(request, metadata=world.generator)) == "CAMEO_UNKNOWN"
