"""Consent records over the wire: who gets which receipt, of which event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from cameo.v1 import cameo_pb2
from cameo.v1 import cameo_service_pb2 as cameo_wire
from cameo.v1 import data_subject_service_pb2 as wire
from cameo.v1 import data_subject_service_pb2_grpc as stubs
from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo_credential.consent_receipt import open_receipt
from cameo_credential.issuer_keys import VerificationKeys
from cameo_verifier.server.wire.enums import short_name
from cameo_verifier.settings import Controller
from tests.grpc.client import refused
from tests.grpc.test_guardians import FATHER, MOTHER, open_family
from tests.grpc.world import OWNER, World, open_world

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.grpc.callers import Metadata

__all__ = ["open_family", "open_world"]
ISSUER = "https://cameo.localhost"
ONLY_ME, EVERYONE = cameo_pb2.WHO_MAY_USE_ONLY_ME, cameo_pb2.WHO_MAY_USE_EVERYONE


async def listed(world: World, by: Metadata | None = None, **request: Any) -> Any:
    """Ask for a page of records."""
    stub: Any = stubs.DataSubjectServiceStub(world.client.channel)
    return await stub.ListConsentRecords(wire.ListConsentRecordsRequest(**request), metadata=by or world.owner)


async def receipts(world: World, by: Metadata | None = None, **request: Any) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return cameo, event and record of each verified receipt."""
    jwks = (await world.client.credentials.GetKeys(GetKeysRequest())).jwks
    keys = VerificationKeys.from_jwks(json.loads(jwks))
    found = []
    for each in (await listed(world, by, **request)).records:
        opened = open_receipt(each.receipt, issuer_keys=keys, expected_issuer=ISSUER)
        assert opened.record["dct:identifier"] == each.id
        assert opened.record["cameo:cameo"] == each.cameo_id
        found.append((each.cameo_id, short_name(wire.ConsentRecordKind, each.kind), opened.record))
    return found


def revoke(world: World, cameo: Any, mode: str = "REVOCATION_MODE_FOR_GOOD") -> Any:
    """Pause a cameo, or end it."""
    return world.stub.RevokeCameo(cameo_wire.RevokeCameoRequest(cameo_id=cameo.id, mode=mode), metadata=world.owner)


async def test_each_event_of_a_consent_has_a_receipt(open_world: Any) -> None:
    """Given, widened and withdrawn by revocation; not what is narrower, nor a pause. The controller is the site's."""
    said = {"name": "Site Ltd", "address": "1 Street, Cork", "jurisdiction": "IE", "withdrawal": "https://s.example/me"}
    async with open_world(controller=Controller(**said)) as world:
        cameo = await world.cameo()
        cameo = await world.update(cameo, who_may_use=EVERYONE)
        cameo = await world.update(cameo, who_may_use=ONLY_ME)
        await revoke(world, cameo, "REVOCATION_MODE_PAUSE")
        await revoke(world, cameo)
        await revoke(world, cameo)
        found = await receipts(world)
        assert [(each[0], each[1]) for each in found] == [(cameo.id, kind) for kind in ("GIVEN", "WIDENED", "WITHDRAWN")]
        for _, _, record in found:
            controller = record["dpv:hasDataController"]
            assert (controller["dpv:hasName"], controller["dpv:hasContact"]) == ("Site Ltd", ISSUER)
            assert record["dpv:hasConsentControl"]["dpv:isExercisedAt"] == "https://s.example/me"
            assert record["dpv:hasNotice"]["cameo:text_sha256"] == "5e" * 32
            assert record["dpv:hasDataSubject"]["dct:identifier"] == OWNER
        who = [record["dpv:hasProcess"]["dpv:hasPurpose"]["cameo:who_may_use"] for *_, record in found]
        assert who == ["only_me", "everyone", "only_me"]


async def test_a_deleted_cameo_leaves_the_record_of_its_withdrawal(open_world: Any) -> None:
    """The person's other cameo keeps its records."""
    async with open_world() as world:
        one, other = await world.cameo(), await world.cameo()
        await world.stub.DeleteCameo(cameo_wire.DeleteCameoRequest(cameo_id=one.id), metadata=world.owner)
        assert [each[:2] for each in await receipts(world)] == [(other.id, "GIVEN"), (one.id, "WITHDRAWN")]


async def test_pages_follow_one_another(open_world: Any) -> None:
    """One at a time; a token that is none of ours is refused."""
    async with open_world() as world:
        made = [(await world.cameo()).id for _ in range(3)]
        seen, token = [], ""
        while True:
            page = await listed(world, page_size=1, page_token=token)
            seen += [each.cameo_id for each in page.records]
            if not (token := page.next_page_token):
                break
        assert seen == made
        stub: Any = stubs.DataSubjectServiceStub(world.client.channel)
        for wrong in ("!", "x", "MQ"):
            call = stub.ListConsentRecords(wire.ListConsentRecordsRequest(page_token=wrong), metadata=world.owner)
            assert (await refused(call)).reason == "PAGE_TOKEN_INVALID"
        call = stub.ListConsentRecords(wire.ListConsentRecordsRequest(), metadata=world.app)
        assert (await refused(call)).metadata["field"] == "subject"


async def test_others_see_nothing(open_world: Any) -> None:
    """Neither another owner nor somebody's guardian; the app sees everyone's."""
    async with open_world() as world:
        await world.cameo()
        assert await receipts(world, world.stranger, subject=OWNER) == []
        assert await receipts(world, world.stranger) == []
        assert await receipts(world, world.signer.metadata("guardian", MOTHER), subject=OWNER) == []
        assert len(await receipts(world, world.app, subject=OWNER)) == 1


async def test_a_guardians_approval_has_a_receipt(open_family: Any) -> None:
    """One for each approval, with the guardians so far; guardians see those of the minor they are linked to."""
    async with open_family() as family:
        await family.opened(MOTHER, FATHER, who_may_use=cameo_pb2.WHO_MAY_USE_MUTUALS)
        for by in (family.owner, family.mother, family.father):
            found = await receipts(family, by, subject=OWNER)
            assert [kind for _, kind, _ in found] == ["GIVEN", "APPROVED", "APPROVED"]
            approving = [
                [each["dct:identifier"] for each in record["dpv:hasConsentStatus"][1]["dpv:isIndicatedBy"]]
                for _, _, record in found[1:]
            ]
            assert approving == [[OWNER, MOTHER], [OWNER, *sorted((MOTHER, FATHER))]]
        await family.step_down(MOTHER)
        assert await receipts(family, family.mother, subject=OWNER) == []


@pytest.mark.parametrize("digest", ["", "5e", "5E" * 32, "zz" * 32, "5e" * 33])
async def test_a_consent_without_the_digest_of_its_text_is_refused(open_world: Any, digest: str) -> None:
    """64 lower-case hex digits."""
    async with open_world() as world:
        attempt = await world.attempt()
        consent = cameo_pb2.Consent(text_version="3", locale="en-GB", text_sha256=digest)
        consent.agree_time.GetCurrentTime()
        request = cameo_wire.CreateCameoRequest(
            attempt_id=attempt.id, consent=consent, request_id="8c7a5c5e-6f0b-4a75-9d5f-3f6f7a4c1b2d"
        )
        failed = await refused(world.stub.CreateCameo(request, metadata=world.owner))
        assert (failed.code, failed.metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "consent.text_sha256")
