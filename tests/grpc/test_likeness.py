"""What leaves of a likeness over the wire: delivered with a grant, held in a credential, by the owner's word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from cameo.v1 import cameo_pb2
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
from cameo_credential.audience_keys import AudienceKey
from cameo_credential.delivery import Delivery, open_likeness
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.item_kind import ItemKind
from cameo_credential.media_items import open_objects
from cameo_verifier.server.app import utc_now
from tests.aliases import alias
from tests.grpc.client import AUDIENCE
from tests.grpc.judges import MEDIA
from tests.grpc.world import OWNER, reason

if TYPE_CHECKING:
    from pathlib import Path


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
