"""The life of a cameo over the wire: permissions, uses, and its end."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from cameo.v1 import cameo_pb2, cameo_service_pb2_grpc, relationship_service_pb2_grpc
from cameo.v1 import cameo_service_pb2 as wire
from cameo.v1.credential_service_pb2 import (
    CREDENTIAL_STATE_REVOKED,
    CREDENTIAL_STATE_SUSPENDED,
    CREDENTIAL_STATE_VALID,
    GetKeysRequest,
    IssueCredentialRequest,
    ListCredentialsRequest,
    RevokeCredentialRequest,
)
from cameo.v1.relationship_service_pb2 import AreMutualsRequest, SetFollowRequest
from cameo_credential.audience_keys import AudienceKey
from cameo_credential.delivery import Delivery, open_likeness
from cameo_credential.encoding import from_base64url, to_base64url
from cameo_credential.errors import CredentialError
from cameo_credential.grant_token import open_grant
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.item_kind import ItemKind
from cameo_credential.key_set import KeySet, change, new_key
from cameo_credential.likeness import from_bytes
from cameo_credential.media_items import open_objects
from cameo_verifier.cameo import model
from cameo_verifier.cameo.cursor import EVENTS, Listing
from cameo_verifier.cameo.permissions import Answer
from cameo_verifier.cameo.refusal import Refusal
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.server.app import utc_now
from cameo_verifier.server.wire.enums import short_name, short_names
from cameo_verifier.settings import Settings
from cameo_verifier.store.cameos.likenesses import LikenessStore
from cameo_verifier.store.db.engine import open_database
from tests.aliases import alias, pairwise
from tests.databases import only_sqlite
from tests.grpc.callers import App, Metadata
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.judges import MEDIA
from tests.grpc.test_refusals import Clock
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer

OWNER, FAN = "account-1", "account-2"
GENERAL = (cameo_pb2.USE_CATEGORY_GENERAL,)
SHA = "ab" * 32
NOTE, WORD = "never in a uniform", "no cats, please"


class World:
    """One site with its app, one owner and one generator."""

    def __init__(self, client: Client, app: App, now: Callable[[], datetime] = utc_now) -> None:
        self.client = client
        self.now = now
        self.stub: Any = cameo_service_pb2_grpc.CameoServiceStub(client.channel)
        self.graph: Any = relationship_service_pb2_grpc.RelationshipServiceStub(client.channel)
        self.signer = app
        self.app = app.metadata("app", "backend")
        self.owner = app.metadata("owner", OWNER)
        self.stranger = app.metadata("owner", "stranger")
        self.generator = app.metadata("generator", AUDIENCE)
        self.other_generator = app.metadata("generator", "https://other.example")

    async def attempt(self, script: bytes = b"accept") -> Any:
        """Have a recording judged."""
        return (await self.answer(script)).attempt

    async def answer(self, script: bytes = b"accept") -> Any:
        """Have a recording judged, and return the receipt too, if it earns one."""
        challenges, verification = self.client.challenges, self.client.verification
        from cameo.v1.challenge_service_pb2 import IssueChallengeRequest  # noqa: PLC0415 - used here only
        from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest  # noqa: PLC0415

        challenge = await challenges.IssueChallenge(IssueChallengeRequest(subject=OWNER), metadata=self.app)
        config = VerifyResponseConfig(challenge_id=challenge.id, audience=AUDIENCE, request_id=str(uuid4()))
        messages = [VerifyResponseRequest(config=config), VerifyResponseRequest(chunk=script)]
        return await verification.VerifyResponse(iter(messages), metadata=self.app)

    def create(self, attempt_id: str, *, by: Metadata | None = None, request_id: str | None = None) -> Any:
        """Ask for a cameo."""
        consent = cameo_pb2.Consent(text_version="3", locale="en-GB", agree_time=utc_now(), text_sha256="5e" * 32)
        request = wire.CreateCameoRequest(attempt_id=attempt_id, consent=consent, request_id=request_id or str(uuid4()))
        return self.stub.CreateCameo(request, metadata=by or self.owner)

    async def cameo(self, script: bytes = b"accept", **terms: Any) -> Any:
        """Make a cameo with these terms."""
        made = await self.create((await self.attempt(script)).id)
        return await self.update(made, **terms) if terms else made

    def update(self, cameo: Any, *, by: Metadata | None = None, **terms: Any) -> Any:
        """Change terms."""
        changed = cameo_pb2.Cameo(id=cameo.id, version=cameo.version, **terms)
        request = wire.UpdateCameoRequest(cameo=changed, update_mask=FieldMask(paths=list(terms)))
        return self.stub.UpdateCameo(request, metadata=by or self.owner)

    def issue(self, cameo: Any) -> Any:
        """Ask for the generator's credential."""
        request = IssueCredentialRequest(cameo_id=cameo.id, audience=AUDIENCE, request_id=str(uuid4()))
        return self.client.credentials.IssueCredential(request, metadata=self.owner)

    async def check(self, cameo: Any, requester: str = FAN, purposes: tuple[Any, ...] = GENERAL) -> tuple[bool, str]:
        """Ask whether a use would be permitted."""
        request = wire.CheckPermissionRequest(cameo_id=cameo.id, requester_token=self.requester(requester), purposes=purposes)
        reply = await self.stub.CheckPermission(request, metadata=self.generator)
        return reply.allowed, short_name(cameo_pb2.PermissionAnswer, reply.answer)

    def authorize(self, *cameos: Any, requester: str = FAN, request_id: str | None = None, **more: Any) -> Any:
        """Ask for a grant."""
        request = wire.AuthorizeUseRequest(
            cameo_ids=[each.id for each in cameos],
            **{
                "requester_token": self.requester(requester),
                "job_id": "job-1",
                "request_id": request_id or str(uuid4()),
                "purposes": GENERAL,
            }
            | more,
        )
        return self.stub.AuthorizeUse(request, metadata=self.generator)

    def requester(self, person: str, job_id: str = "job-1", *, generator: str = AUDIENCE) -> str:
        """Have the app vouch for who asks."""
        return self.signer.requester(person, generator=generator, job_id=job_id, at=self.now())

    def spend(self, token: str, *, by: Metadata | None = None, request_id: str | None = None) -> Any:
        """Spend a grant."""
        request = wire.SpendGrantRequest(token=token, request_id=request_id or str(uuid4()))
        return self.stub.SpendGrant(request, metadata=by or self.generator)

    def record(self, grant_id: str, *, by: Metadata | None = None, **facts: Any) -> Any:
        """Say what came out."""
        said = {"sha256": SHA, "c2pa_manifest_id": "urn:c2pa:1", "state": "OUTPUT_STATE_DRAFT", "creator": FAN} | facts
        request = wire.RecordOutputRequest(grant_id=grant_id, output=cameo_pb2.Output(**said))
        return self.stub.RecordOutput(request, metadata=by or self.generator)

    def end(self, cameo: Any, mode: str, reason: str = "", *, by: Metadata | None = None) -> Any:
        """Pause or revoke."""
        return self.stub.RevokeCameo(
            wire.RevokeCameoRequest(cameo_id=cameo.id, mode=mode, reason=reason), metadata=by or self.owner
        )

    async def events(self, cursor: str = "", *, by: Metadata | None = None, count: int) -> list[Any]:
        """Read that many events."""
        call = self.stub.WatchCameoEvents(wire.WatchCameoEventsRequest(cursor=cursor), metadata=by or self.owner)
        async with asyncio.timeout(PATIENCE_S):
            found = [await call.read() for _ in range(count)]
        call.cancel()
        return found


@pytest.fixture
def open_world(serve: OpenServer, tmp_path: Path) -> Any:
    """Open a site whose callers have roles."""

    @asynccontextmanager
    async def opened(**how: Any) -> AsyncIterator[World]:
        app = App.make(tmp_path)
        async with serve(**app.settings, **how) as client:
            yield World(client, app, how.get("clock", utc_now))

    return opened


async def reason(call: Any) -> str:
    return (await refused(call)).reason


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


async def test_the_owner_decides_who_may_use_it_for_what_at_once(open_world: Any) -> None:
    """Each setting lets in exactly whom it names; an excluded category is refused to everyone; answers say how long they keep."""
    async with open_world(permission_cache_s=30) as world:
        cameo = await world.cameo()
        assert await world.check(cameo, OWNER) == (True, "PERMITTED")
        assert await world.check(cameo) == (False, "NOT_CHOSEN")
        cameo = await world.update(cameo, who_may_use="WHO_MAY_USE_SELECTED", selected_users=[FAN])
        assert await world.check(cameo) == (True, "PERMITTED")
        assert await world.check(cameo, "account-3") == (False, "NOT_CHOSEN")
        cameo = await world.update(
            cameo, who_may_use="WHO_MAY_USE_EVERYONE", restrictions={"categories": ["USE_CATEGORY_POLITICS"], "words": [WORD]}
        )
        assert await world.check(cameo, "account-3") == (True, "PERMITTED")
        for requester in ("account-3", OWNER):
            assert await world.check(cameo, requester, ("USE_CATEGORY_POLITICS", "USE_CATEGORY_SATIRE")) == (
                False,
                "PURPOSE_EXCLUDED",
            )
        request = wire.CheckPermissionRequest(cameo_id=cameo.id, requester_token=world.requester(FAN), purposes=GENERAL)
        until = (await world.stub.CheckPermission(request, metadata=world.generator)).cache_until.ToDatetime(utc_now().tzinfo)
        assert timedelta(seconds=20) < until - utc_now() <= timedelta(seconds=30)
        request = wire.CheckPermissionRequest(cameo_id="none", requester_token=world.requester(FAN), purposes=GENERAL)
        assert await reason(world.stub.CheckPermission(request, metadata=world.generator)) == "CAMEO_UNKNOWN"


async def test_a_use_says_what_it_is_about(open_world: Any) -> None:
    """A purpose is required; `GENERAL` stands alone and cannot be excluded; an unknown one passes where nothing is excluded."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        for purposes in ((), ("USE_CATEGORY_GENERAL", "USE_CATEGORY_SATIRE")):
            assert await reason(world.authorize(cameo, purposes=purposes)) == "REQUEST_INVALID"
            assert await reason(world.check(cameo, purposes=purposes)) == "REQUEST_INVALID"
        for category in ("USE_CATEGORY_GENERAL", "USE_CATEGORY_UNSPECIFIED"):
            excluded = cameo_pb2.Restrictions(categories=[category])
            assert await reason(world.update(cameo, restrictions=excluded)) == "REQUEST_INVALID"
        assert await world.check(cameo, purposes=("USE_CATEGORY_UNSPECIFIED",)) == (True, "PERMITTED")
        await world.update(cameo, restrictions=cameo_pb2.Restrictions(categories=["USE_CATEGORY_SATIRE"]))
        assert await world.check(cameo, purposes=("USE_CATEGORY_UNSPECIFIED",)) == (False, "PURPOSE_EXCLUDED")
        assert await world.check(cameo) == (True, "PERMITTED")


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


async def test_no_grant_outlasts_the_recording(open_world: Any) -> None:
    """Once it is too old nothing is granted, and what was granted is not spent."""
    offset = timedelta()
    async with open_world(clock=lambda: utc_now() + offset, reattest_days=1, grant_s=86400) as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        lasting = int((utc_now() + timedelta(days=2)).timestamp())
        world.generator = world.signer.metadata("generator", AUDIENCE, exp=lasting)
        offset = timedelta(hours=12)
        granted = await world.authorize(cameo)
        offset = timedelta(days=1, seconds=1)
        assert await reason(world.authorize(cameo)) == "USE_NOT_PERMITTED"
        assert await reason(world.spend(granted.token)) == "USE_NOT_PERMITTED"
        assert await world.check(cameo) == (False, "ATTESTATION_ENDED")


async def test_what_was_taken_back_once_does_not_return(open_world: Any) -> None:
    """A grant that a narrower word ended stays ended when the owner widens it again."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        lost, kept = await world.authorize(cameo), await world.authorize(cameo, requester=OWNER)
        cameo = await world.update(cameo, who_may_use="WHO_MAY_USE_ONLY_ME")
        await world.update(cameo, who_may_use="WHO_MAY_USE_EVERYONE")
        assert await reason(world.spend(lost.token)) == "GRANT_REVOKED"
        assert (await world.spend(kept.token)).grant_id == kept.grant_id


async def test_a_spent_grant_delivers_the_likeness_to_its_generator_alone(open_world: Any, tmp_path: Path) -> None:
    """Face and voice of the cameo, bound to grant and job; the same request gets them again, while it is permitted."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        granted, spending = await world.authorize(cameo), str(uuid4())
        spent = await world.spend(granted.token, request_id=spending)
        [delivered] = spent.likenesses

        def opened(token: str, **how: Any) -> Delivery:
            expected: dict[str, Any] = {
                "audience_key": world.client.audience_key,
                "issuer_keys": VerificationKeys.from_jwks(json.loads(keys.jwks)),
                "expected_audience": AUDIENCE,
                "expected_issuer": keys.issuer,
                "expected_grant": granted.grant_id,
                "now": utc_now(),
            }
            return open_likeness(token, **expected | how)

        keys = await world.client.credentials.GetKeys(GetKeysRequest())
        delivery, name = opened(delivered.token), alias(tmp_path, cameo.id, AUDIENCE)
        assert (delivered.cameo_id, delivery.cameo_id, delivery.job_id) == (name, name, "job-1")
        assert [item.kind for item in delivery.items] == [ItemKind.FACE_VECTOR, ItemKind.VOICE_VECTOR]
        again = await world.spend(granted.token, request_id=spending)
        assert again.spend_time == spent.spend_time
        assert opened(again.likenesses[0].token).cameo_id == name
        with pytest.raises(CredentialError) as error:
            opened(delivered.token, audience_key=AudienceKey.generate("https://other.example"))
        assert error.value.reason == "not_for_this_key"
        await world.end(cameo, "REVOCATION_MODE_PAUSE")
        assert await reason(world.spend(granted.token, request_id=spending)) == "USE_NOT_PERMITTED"


async def test_an_owner_lets_pictures_and_sound_out_by_word(open_world: Any) -> None:
    """Vectors alone leave at first; what is permitted comes as objects beside the token, which open for this grant alone."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        assert list(cameo.items) == [cameo_pb2.ITEM_KIND_FACE_VECTOR, cameo_pb2.ITEM_KIND_VOICE_VECTOR]
        keys = await world.client.credentials.GetKeys(GetKeysRequest())

        async def delivered() -> tuple[Delivery, list[bytes]]:
            granted = await world.authorize(cameo)
            [likeness] = (await world.spend(granted.token)).likenesses
            opened = open_likeness(
                likeness.token,
                audience_key=world.client.audience_key,
                issuer_keys=VerificationKeys.from_jwks(json.loads(keys.jwks)),
                expected_audience=AUDIENCE,
                expected_issuer=keys.issuer,
                expected_grant=granted.grant_id,
                now=utc_now(),
            )
            return opened, list(likeness.objects)

        vectors, none = await delivered()
        assert (len(vectors.items), vectors.detached, vectors.missing, none) == (2, (), {}, [])
        cameo = await world.update(cameo, items=["ITEM_KIND_FACE_CROP", "ITEM_KIND_FACE_VECTOR"])
        pictures, objects = await delivered()
        assert [item.kind for item in (*pictures.items, *pictures.detached)] == ["face_vector", *["face_crop"] * 3]
        assert open_objects(pictures.detached, objects, now=utc_now()) == MEDIA[:3]
        cameo = await world.update(cameo, items=cameo_pb2.ItemKind.keys()[1:])
        everything, others = await delivered()
        assert open_objects(everything.detached, others, now=utc_now()) == MEDIA
        with pytest.raises(CredentialError) as error:
            open_objects(everything.detached, objects, now=utc_now())
        assert error.value.reason == "wrong_object"
        cameo = await world.update(cameo, items=[])
        nothing, none = await delivered()
        assert (nothing.items, nothing.detached, none) == ((), (), [])


async def test_without_both_vectors_there_is_no_credential(open_world: Any) -> None:
    """A credential has both: it ends with either, and none is issued."""
    async with open_world() as world:
        answer = await world.answer()
        cameo = await world.create(answer.attempt.id)
        kinds = ["ITEM_KIND_FACE_VECTOR", "ITEM_KIND_FACE_CROP", "ITEM_KIND_VOICE_CLIP"]
        cameo = await world.update(cameo, items=kinds, offline_audiences=[AUDIENCE])
        request = IssueCredentialRequest(cameo_id=cameo.id, audience=AUDIENCE, request_id=str(uuid4()))
        assert await reason(world.client.credentials.IssueCredential(request, metadata=world.owner)) == "USE_NOT_PERMITTED"
        assert await reason(world.update(cameo, items=["ITEM_KIND_UNSPECIFIED"])) == "REQUEST_INVALID"


async def test_the_owner_chooses_generators(open_world: Any) -> None:
    """One that is not chosen gets no grant and no credential; what it had ends, and stays ended when it is chosen again."""
    async with open_world() as world:
        cameo = await world.create((await world.attempt()).id)
        assert cameo.generators == cameo_pb2.Generators(every_registered=True)
        cameo = await world.update(cameo, who_may_use="WHO_MAY_USE_EVERYONE", offline_audiences=[AUDIENCE])
        first = await world.issue(cameo)
        granted = await world.authorize(cameo)
        for names in (["a" * 129], [""], ["g"] * 101, ["a\nb"]):
            assert await reason(world.update(cameo, generators=cameo_pb2.Generators(names=names))) == "REQUEST_INVALID"
        both = cameo_pb2.Generators(every_registered=True, names=[AUDIENCE])
        assert await reason(world.update(cameo, generators=both)) == "REQUEST_INVALID"
        cameo = await world.update(cameo, generators=cameo_pb2.Generators(names=["https://other.example"]))
        refusal = await refused(world.authorize(cameo))
        assert (refusal.reason, refusal.metadata["answer"]) == ("USE_NOT_PERMITTED", "GENERATOR_NOT_CHOSEN")
        assert await world.check(cameo) == (False, "GENERATOR_NOT_CHOSEN")
        assert await reason(world.issue(cameo)) == "USE_NOT_PERMITTED"
        await world.update(cameo, generators=cameo_pb2.Generators(every_registered=True))
        assert await reason(world.spend(granted.token)) == "GRANT_REVOKED"
        fresh = await world.issue(cameo)
        listed = await world.client.credentials.ListCredentials(ListCredentialsRequest(), metadata=world.owner)
        assert {each.id: each.state for each in listed.credentials} == {
            first.id: CREDENTIAL_STATE_REVOKED,
            fresh.id: CREDENTIAL_STATE_VALID,
        }


async def test_the_owner_sees_who_holds_what(open_world: Any) -> None:
    """Page by page, with its state; revoking one ends its generator's grants; nobody else's are shown."""
    async with open_world() as world:
        cameos = [await world.cameo(offline_audiences=[AUDIENCE]) for _ in range(3)]
        held = [await world.issue(each) for each in cameos]
        cameo = cameos[0]
        await world.end(cameo, "REVOCATION_MODE_PAUSE")
        credentials = world.client.credentials

        def page(token: str = "", *, by: Any, subject: str = "") -> Any:
            request = ListCredentialsRequest(subject=subject, page_size=2, page_token=token)
            return credentials.ListCredentials(request, metadata=by)

        first = await page(by=world.owner)
        rest = await page(first.next_page_token, by=world.app, subject=OWNER)
        shown = [*first.credentials, *rest.credentials]
        assert {each.id: each.cameo_id for each in shown} == {one.id: of.id for one, of in zip(held, cameos, strict=True)}
        assert {each.audience for each in shown} == {AUDIENCE}
        paused = {each.id for each in shown if each.state == CREDENTIAL_STATE_SUSPENDED}
        assert paused == {held[0].id}
        assert {each.state for each in shown if each.id not in paused} == {CREDENTIAL_STATE_VALID}
        assert (len(first.credentials), len(rest.credentials), rest.next_page_token) == (2, 1, "")
        assert not (await page(by=world.stranger)).credentials
        assert not (await page(by=world.stranger, subject=OWNER)).credentials
        assert await reason(page(by=world.app)) == "REQUEST_INVALID"
        assert await reason(page("nonsense", by=world.owner)) == "PAGE_TOKEN_INVALID"
        guardian = world.signer.metadata("guardian", "account-9")
        assert not (await page(by=guardian, subject=OWNER)).credentials
        await world.stub.ResumeCameo(wire.ResumeCameoRequest(cameo_id=cameo.id), metadata=world.owner)
        granted = await world.authorize(cameo, requester=OWNER)
        revoke = RevokeCredentialRequest(credential_id=held[0].id, reason="so", request_id=str(uuid4()))
        await credentials.RevokeCredential(revoke, metadata=world.owner)
        assert await reason(world.spend(granted.token)) == "GRANT_REVOKED"
        since = await world.authorize(cameo, requester=OWNER)
        await credentials.RevokeCredential(revoke, metadata=world.owner)
        assert (await world.spend(since.token)).grant_id == since.grant_id
        pages = await page(by=world.owner), await page(first.next_page_token, by=world.owner)
        [revoked] = [each for one in pages for each in one.credentials if each.id == held[0].id]
        assert (revoked.state, revoked.revoke_reason) == (CREDENTIAL_STATE_REVOKED, "so")


async def test_a_generator_that_is_not_registered_gets_and_spends_nothing(open_world: Any, tmp_path: Path) -> None:
    """Whoever signs its tokens; one that is taken out of the folder spends no grant any more."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        granted = await world.authorize(cameo)
        request = wire.AuthorizeUseRequest(
            cameo_ids=[cameo.id],
            requester_token=world.requester(FAN, generator="https://other.example"),
            job_id="job-1",
            purposes=GENERAL,
            request_id=str(uuid4()),
        )
        assert await reason(world.stub.AuthorizeUse(request, metadata=world.other_generator)) == "AUDIENCE_UNKNOWN"
        [file] = (tmp_path / "data" / "audiences").glob("*.jwk")
        file.unlink()
        assert await reason(world.authorize(cameo)) == "AUDIENCE_UNKNOWN"
        assert await reason(world.spend(granted.token)) == "AUDIENCE_UNKNOWN"


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


async def test_mutuals_are_asked_of_the_table(open_world: Any, tmp_path: Path) -> None:
    """One-sided following permits nothing, both sides do, and unfollowing ends it."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_MUTUALS")

        async def follow(one: str, other: str, *, follows: bool = True) -> None:
            await world.graph.SetFollow(SetFollowRequest(follower=one, followee=other, follows=follows), metadata=world.app)

        await follow(OWNER, FAN)
        await follow(OWNER, FAN)
        assert await world.check(cameo) == (False, "NOT_CHOSEN")
        await follow(FAN, OWNER)
        assert await world.check(cameo) == (True, "PERMITTED")
        assert (await world.spend((await world.authorize(cameo)).token)).grant_id
        granted = await world.authorize(cameo)
        await follow(FAN, OWNER, follows=False)
        assert await world.check(cameo) == (False, "NOT_CHOSEN")
        answer = await refused(world.spend(granted.token))
        told = {"cameo_id": alias(tmp_path, cameo.id, AUDIENCE), "answer": "NOT_CHOSEN"}
        assert (answer.reason, answer.metadata) == ("USE_NOT_PERMITTED", told)


async def test_an_app_s_own_graph_is_asked_and_silence_permits_nothing(open_world: Any) -> None:
    """Another server's `RelationshipService` answers; when it is gone every mutual is refused."""
    graph = grpc.aio.server()
    seen = []

    class Graph(relationship_service_pb2_grpc.RelationshipServiceServicer):
        async def AreMutuals(self, request: AreMutualsRequest, context: Any) -> Any:  # noqa: ARG002, N802 - the contract's
            from cameo.v1.relationship_service_pb2 import AreMutualsResponse  # noqa: PLC0415

            seen.append((request.one, request.other))
            return AreMutualsResponse(mutuals=request.other == FAN)

    relationship_service_pb2_grpc.add_RelationshipServiceServicer_to_server(Graph(), graph)
    port = graph.add_insecure_port("127.0.0.1:0")
    await graph.start()
    async with open_world(relationships=f"127.0.0.1:{port}") as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_MUTUALS")
        assert await world.check(cameo) == (True, "PERMITTED")
        assert await world.check(cameo, "account-3") == (False, "NOT_CHOSEN")
        assert seen == [(OWNER, FAN), (OWNER, "account-3")]
        token = (await world.authorize(cameo)).token
        follow = SetFollowRequest(follower=FAN, followee=OWNER, follows=True)
        assert await reason(world.graph.SetFollow(follow, metadata=world.app)) == "RELATIONSHIPS_KEPT_ELSEWHERE"
        await graph.stop(None)
        assert await world.check(cameo) == (False, "RELATIONSHIP_UNKNOWN")
        assert await world.check(cameo, OWNER) == (True, "PERMITTED")
        answer = await refused(world.spend(token))
        assert (answer.reason, answer.metadata["answer"]) == ("USE_NOT_PERMITTED", "RELATIONSHIP_UNKNOWN")
        asked = AreMutualsRequest(one=OWNER, other=FAN)
        assert await reason(world.graph.AreMutuals(asked, metadata=world.app)) == "RELATIONSHIPS_UNAVAILABLE"


async def test_a_grant_says_what_was_granted_and_is_spent_once(open_world: Any, tmp_path: Path) -> None:
    """The token verifies with the issuer's keys; a second spend is refused, a repeated reply is the same."""
    async with open_world() as world:
        cameo = await world.cameo(
            who_may_use="WHO_MAY_USE_EVERYONE",
            appearance_notes=NOTE,
            restrictions={"words": [WORD], "categories": ["USE_CATEGORY_VIOLENCE"]},
        )
        request_id, spending = str(uuid4()), str(uuid4())
        grant = await world.authorize(cameo, request_id=request_id)
        assert await world.authorize(cameo, request_id=request_id) == grant
        assert await reason(world.authorize(cameo, request_id=request_id, requester="other")) == "REQUEST_ID_REUSED"
        keys = KeySet.load(tmp_path / "data" / "keys" / "issuer.jwks").at(utc_now()).public()
        facts = open_grant(
            grant.token,
            issuer_keys=keys,
            expected_audience=AUDIENCE,
            expected_issuer="https://cameo.localhost",
            now=utc_now(),
        )
        requester = pairwise(tmp_path).pseudonym(FAN, AUDIENCE)
        assert (facts.id, facts.requester, facts.job_id) == (grant.grant_id, requester, "job-1")
        assert facts.restrictions == {alias(tmp_path, cameo.id, AUDIENCE): ((WORD,), ("violence",))}
        assert facts.expires_at == grant.expire_time.ToDatetime(utc_now().tzinfo)
        assert [terms.appearance_notes for terms in grant.terms] == [NOTE]
        spent = await world.spend(grant.token, request_id=spending)
        again = await world.spend(grant.token, request_id=spending)
        assert (again.grant_id, again.spend_time, again.terms) == (spent.grant_id, spent.spend_time, spent.terms)
        assert await reason(world.spend(grant.token)) == "GRANT_SPENT"


async def test_a_grant_dies_with_the_key_that_signed_it(open_world: Any, tmp_path: Path) -> None:
    """Signed by a key that only verifies any more it is spent; by one that has ended, or is distrusted, it is refused."""
    keys = tmp_path / "data" / "keys" / "issuer.jwks"
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        retired, ended, distrusted = [await world.authorize(cameo) for _ in range(3)]
        now = utc_now()
        old = change(keys, lambda kept: kept.rotated(new_key(starts=now, now=now), now=now)).keys[0].kid
        change(keys, lambda kept: kept.retired(old, now=now))
        assert (await world.spend(retired.token)).grant_id == retired.grant_id

        def end(kept: KeySet) -> KeySet:
            return KeySet(tuple(replace(key, expires_at=now) if key.kid == old else key for key in kept.keys))

        change(keys, end)
        answer = await refused(world.spend(ended.token))
        assert (answer.reason, answer.metadata["refusal"]) == ("GRANT_INVALID", "expired")
        change(keys, lambda kept: kept.retired(old, now=now, distrust=True))
        answer = await refused(world.spend(distrusted.token))
        assert (answer.reason, answer.metadata["refusal"]) == ("GRANT_INVALID", "unknown_key")


async def test_each_wrong_grant_is_refused_with_its_own_reason(open_world: Any) -> None:
    """Another generator, a changed character, another kind of token, too late, taken back, narrowed: each by its name."""
    clock = Clock()
    async with open_world(clock=clock, grant_s=60, job_cameos=2) as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        grant = await world.authorize(cameo)

        async def refusal(token: str, **how: Any) -> str:
            answer = await refused(world.spend(token, **how))
            assert answer.reason == "GRANT_INVALID"
            return answer.metadata["refusal"]

        head, payload, signature = grant.token.split(".")
        assert await refusal(grant.token, by=world.other_generator) == "wrong_audience"
        swapped = "B" if signature[5] != "B" else "C"
        assert await refusal(f"{head}.{payload}.{signature[:5]}{swapped}{signature[6:]}") == "bad_signature"
        signed_by = json.loads(from_base64url(head))["kid"]
        for kid, expected in ((signed_by, "unsupported_algorithm"), ("x", "unknown_key")):
            none = to_base64url(json.dumps({"alg": "none", "typ": "cameo-grant+jwt", "kid": kid}).encode())
            assert await refusal(f"{none}.{payload}.") == expected
        assert await refusal("nonsense") == "malformed"
        clock.ahead = timedelta(seconds=60)
        assert await reason(world.spend(grant.token)) == "GRANT_EXPIRED"
        narrowed = await world.authorize(cameo)
        await world.update(cameo, who_may_use="WHO_MAY_USE_ONLY_ME")
        assert await reason(world.spend(narrowed.token)) == "GRANT_REVOKED"
        await world.update(cameo_pb2.Cameo(id=cameo.id, version=cameo.version + 1), who_may_use="WHO_MAY_USE_EVERYONE")
        fresh = await world.authorize(cameo)
        await world.end(cameo, "REVOCATION_MODE_PAUSE")
        assert await reason(world.spend(fresh.token)) == "GRANT_REVOKED"
        assert await reason(world.authorize(cameo)) == "USE_NOT_PERMITTED"
        many = [cameo_pb2.Cameo(id=name) for name in "abc"]
        assert await reason(world.authorize(*many)) == "TOO_MANY_CAMEOS"
        assert await reason(world.authorize(cameo, cameo)) == "REQUEST_INVALID"
        assert await reason(world.authorize(cameo, many[0])) in {"CAMEO_UNKNOWN", "USE_NOT_PERMITTED"}


async def test_of_many_who_spend_at_once_one_does(open_world: Any) -> None:
    """Sixteen spends of one grant at the same time: one succeeds, fifteen are told that it is spent."""
    async with open_world() as world:
        grant = await world.authorize(await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE"))
        ends = await asyncio.gather(*(world.spend(grant.token) for _ in range(16)), return_exceptions=True)
        assert sum(not isinstance(end, BaseException) for end in ends) == 1


async def test_the_owner_sees_every_use_and_output_of_others(open_world: Any) -> None:
    """Grants, spent or not, with drafts, the latest first, in pages; a draft becomes published and never the other way."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        first, second = await world.authorize(cameo), await world.authorize(cameo)
        assert await reason(world.record(first.grant_id)) == "GRANT_NOT_SPENT"
        await world.spend(first.token)
        assert await reason(world.record(first.grant_id, by=world.other_generator)) == "GRANT_UNKNOWN"
        draft = await world.record(first.grant_id)
        assert await world.record(first.grant_id) == draft
        await world.end(cameo, "REVOCATION_MODE_FOR_GOOD")
        published = await world.record(first.grant_id, state="OUTPUT_STATE_PUBLISHED")
        assert (published.id, published.state) == (draft.id, cameo_pb2.OUTPUT_STATE_PUBLISHED)
        assert await reason(world.record(first.grant_id, state="OUTPUT_STATE_DRAFT")) == "OUTPUT_RECORDED_OTHERWISE"
        assert await reason(world.record(first.grant_id, creator="other")) == "OUTPUT_RECORDED_OTHERWISE"
        assert await reason(world.record(first.grant_id, sha256="AB" * 32)) == "REQUEST_INVALID"
        page = await world.stub.ListUses(wire.ListUsesRequest(cameo_id=cameo.id, page_size=1), metadata=world.owner)
        rest = await world.stub.ListUses(
            wire.ListUsesRequest(cameo_id=cameo.id, page_token=page.next_page_token), metadata=world.owner
        )
        assert [use.grant_id for use in (*page.uses, *rest.uses)] == [second.grant_id, first.grant_id]
        assert page.uses[0].HasField("revoke_time")
        assert not page.uses[0].HasField("spend_time")
        assert list(rest.uses[0].outputs) == [published]
        request = wire.ListUsesRequest(cameo_id=cameo.id)
        assert await reason(world.stub.ListUses(request, metadata=world.stranger)) == "CAMEO_UNKNOWN"


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


async def test_a_cursor_beyond_the_newest_event_is_refused(open_world: Any) -> None:
    """By streams and by lists, which would wait for ever, or begin anew, after a backup was restored; the newest one is good."""
    async with open_world() as world:
        cameo = await world.cameo()
        [newest] = await world.events(count=1)
        number, expected = EVENTS.number(newest.cursor), "PAGE_TOKEN_INVALID"
        assert number is not None
        for beyond in (number + 1, 2**62):
            cursor, token = (each.token(beyond) for each in (EVENTS, Listing("ListUses", (cameo.id,))))
            call = world.stub.WatchCameoEvents(wire.WatchCameoEventsRequest(cursor=cursor), metadata=world.owner)
            assert await reason(call.read()) == expected
            uses = wire.ListUsesRequest(cameo_id=cameo.id, page_token=token)
            assert await reason(world.stub.ListUses(uses, metadata=world.owner)) == expected
        call = world.stub.WatchCameoEvents(wire.WatchCameoEventsRequest(cursor=newest.cursor), metadata=world.owner)
        await world.end(cameo, "REVOCATION_MODE_PAUSE")
        assert short_name(cameo_pb2.CameoEventKind, (await call.read()).kind) == "PAUSED"
        call.cancel()


async def test_events_come_in_order_and_go_on_after_a_cursor(open_world: Any) -> None:
    """Everything that happened, once, in order, resumable anywhere, and as it happens; another owner hears nothing of it."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        grant = await world.authorize(cameo)
        await world.spend(grant.token)
        output = await world.record(grant.grant_id)
        call = world.stub.WatchCameoEvents(wire.WatchCameoEventsRequest(), metadata=world.owner)
        seen = [await call.read() for _ in range(4)]
        await world.end(cameo, "REVOCATION_MODE_PAUSE")
        await world.stub.ResumeCameo(wire.ResumeCameoRequest(cameo_id=cameo.id), metadata=world.owner)
        await world.end(cameo, "REVOCATION_MODE_FOR_GOOD")
        await world.stub.DeleteCameo(wire.DeleteCameoRequest(cameo_id=cameo.id), metadata=world.owner)
        async with asyncio.timeout(PATIENCE_S):
            seen += [await call.read() for _ in range(4)]
        call.cancel()
        kinds = [short_name(cameo_pb2.CameoEventKind, event.kind) for event in seen]
        assert kinds == [
            *("CREATED", "PERMISSION_CHANGED", "USE_GRANTED", "OUTPUT_RECORDED"),
            *("PAUSED", "RESUMED", "REVOKED", "DELETED"),
        ]
        assert (seen[3].grant_id, seen[3].output_id) == (grant.grant_id, output.id)
        assert await world.events(seen[4].cursor, by=world.app, count=3) == seen[5:]
        stranger = world.stub.WatchCameoEvents(wire.WatchCameoEventsRequest(), metadata=world.stranger, timeout=0.5)
        with pytest.raises(grpc.aio.AioRpcError):
            await stranger.read()


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
        kept = _rows(database, "SELECT sealed, wrapped_key FROM likenesses") + _rows(
            database, "SELECT c.token, r.token FROM credentials c JOIN receipts r USING (attempt_id)"
        )
        gone = [(value if isinstance(value, bytes) else value.encode())[:40] for row in kept for value in row]
        gone += [NOTE.encode(), WORD.encode(), b"like Ah-da", b"chosen-one"]
        assert all(secret in _files(database) for secret in gone)
        delete = wire.DeleteCameoRequest(cameo_id=cameo.id)
        assert await reason(world.stub.DeleteCameo(delete, metadata=world.stranger)) == "CAMEO_UNKNOWN"
        tombstone = await world.stub.DeleteCameo(delete, metadata=world.owner)
        assert await world.stub.DeleteCameo(delete, metadata=world.owner) == tombstone
        files, dump = _files(database), _dump(database)
        for secret in gone:
            assert secret not in files
            assert secret not in dump
        assert (tombstone.state, tombstone.consent) == (cameo_pb2.CAMEO_STATE_DELETED, cameo.consent)
        assert _rows(database, "SELECT attempt_id FROM cameos") == [(None,)]
        assert _rows(database, "SELECT count(*) FROM attempts WHERE subject != ''") == [(0,)]
        assert _rows(database, "SELECT count(*) FROM challenges WHERE subject != ''") == [(0,)]
        for call in (world.update(tombstone, voice_notes="x"), world.end(cameo, "REVOCATION_MODE_PAUSE")):
            assert await reason(call) == "CAMEO_GONE"
        request = wire.CheckPermissionRequest(cameo_id=cameo.id, requester_token=world.requester(OWNER), purposes=GENERAL)
        assert await reason(world.stub.CheckPermission(request, metadata=world.generator)) == "CAMEO_UNKNOWN"


def _files(database: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(database.parent.glob(f"{database.name}*")))


def _dump(database: Path) -> bytes:
    connection = sqlite3.connect(database)
    try:
        return "\n".join(connection.iterdump()).encode()
    finally:
        connection.close()


def _rows(database: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
