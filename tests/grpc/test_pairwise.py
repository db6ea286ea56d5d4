"""Two audiences compare what they were told: no value but the vectors themselves leads from one's tokens to the other's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cameo.v1 import cameo_service_pb2 as wire
from cameo_credential.encoding import from_base64url
from cameo_credential.envelope import decrypt
from tests.grpc.client import AUDIENCE
from tests.grpc.holders import OTHER
from tests.grpc.test_deletion import enrol
from tests.grpc.world import GENERAL, OWNER, reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.grpc.holders import Site

PEOPLE = (OWNER, "second")
_VECTORS = {"data", "zeros", "face_vector", "voice_vector"}
_MOMENTS = {"iat", "nbf"}
"""Members that hold a vector, or tell how one is, and moments of issue: what cannot be hidden, see docs/threat-model.md."""
_DAY_S = 86_400


def _claims(signed: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(from_base64url(signed.split(".")[1]))
    return claims


def _values(document: Any) -> Iterator[str | float]:
    """Yield every string and number of a document but the vectors, and the moments of issue with what lasts minutes from them."""
    if isinstance(document, dict):
        brief = {"exp"} if document.get("exp", _DAY_S) - document.get("iat", 0) < _DAY_S else set()
        for name, value in document.items():
            if name not in _VECTORS | _MOMENTS | brief:
                yield from _values(value)
    elif isinstance(document, list):
        for value in document:
            yield from _values(value)
    elif isinstance(document, str | int | float):
        yield document


def _shown(receipt: str) -> list[Any]:
    """Return what a receipt says, all that its holder could withhold included."""
    signed, *disclosures = receipt.split("~")
    return [_claims(signed), *(json.loads(from_base64url(each))[1:] for each in disclosures if each)]


async def _told(site: Site, person: str, cameo: Any, credential: Any, receipts: list[str], audience: str) -> set[str | float]:
    """Have a likeness used by an audience under its alias; return every value of all tokens and replies it got."""
    key, by = site.audience_keys[audience], site.signed_in("generator", audience)
    tokens = [_claims(decrypt(credential.token, audience_key=key))]
    tokens += [said for receipt in receipts for said in _shown(receipt)]
    alias = _alias(tokens[0])
    job_id = str(uuid4())
    requester = site.requester(f"fan-of-{person}", job_id, generator=audience)
    asked = {"cameo_ids": [alias], "requester_token": requester, "job_id": job_id, "purposes": GENERAL}
    granted = await site.stub.AuthorizeUse(wire.AuthorizeUseRequest(**asked, request_id=str(uuid4())), metadata=by)
    spent = await site.stub.SpendGrant(wire.SpendGrantRequest(token=granted.token, request_id=str(uuid4())), metadata=by)
    tokens.append(_claims(granted.token))
    tokens += [_claims(decrypt(each.token, audience_key=key)) for each in spent.likenesses]
    names = {terms.cameo_id for terms in (*granted.terms, *spent.terms)} | {each.cameo_id for each in spent.likenesses}
    assert names == {alias} != {cameo.id}
    return set(_values(tokens)) | names


def _alias(claims: dict[str, Any]) -> str:
    [ours] = [value for value in claims.values() if isinstance(value, dict) and "cameo" in value]
    return str(ours["cameo"])


async def test_two_audiences_find_no_value_that_joins_a_person(open_site: Any) -> None:
    """What both know of one person, both know of another one as well: kit, profile, times of the day, nobody's own."""
    async with open_site() as site:
        told: dict[tuple[str, str], set[str | float]] = {}
        for number, person in enumerate(PEOPLE):
            site.owner = site.signed_in("owner", person)
            answer = await enrol(site, person, b"face:%d" % (20 + number))
            cameo = await site.create(answer.attempt.id)
            cameo = await site.update(cameo, who_may_use="WHO_MAY_USE_EVERYONE", offline_audiences=[AUDIENCE, OTHER])
            for audience, receipts in ((AUDIENCE, [answer.receipt.token]), (OTHER, [])):
                credential = await site.issue(cameo, audience)
                told[person, audience] = await _told(site, person, cameo, credential, receipts, audience)
        for person, another in (PEOPLE, PEOPLE[::-1]):
            both = told[person, AUDIENCE] & told[person, OTHER]
            assert both - (told[another, AUDIENCE] | told[another, OTHER]) == set()
            assert all(len(told[person, audience]) > 20 for audience in site.audience_keys)


async def test_an_alias_is_its_audience_s_alone(open_site: Any) -> None:
    """Another audience that says it is told of no cameo, and the app knows none of that name."""
    async with open_site() as site:
        answer = await enrol(site, OWNER, b"face:20")
        cameo = await site.create(answer.attempt.id)
        cameo = await site.update(cameo, who_may_use="WHO_MAY_USE_EVERYONE", offline_audiences=[AUDIENCE])
        credential = await site.issue(cameo)
        alias = _alias(_claims(decrypt(credential.token, audience_key=site.audience_keys[AUDIENCE])))
        asked = {"cameo_ids": [alias], "job_id": "job", "purposes": GENERAL}

        def ask(audience: str) -> Any:
            requester = site.requester("fan", "job", generator=audience)
            request = wire.AuthorizeUseRequest(**asked, requester_token=requester, request_id=str(uuid4()))
            return site.stub.AuthorizeUse(request, metadata=site.signed_in("generator", audience))

        assert (await ask(AUDIENCE)).terms[0].cameo_id == alias
        assert await reason(ask(OTHER)) == "CAMEO_UNKNOWN"
        assert await reason(site.stub.GetCameo(wire.GetCameoRequest(cameo_id=alias), metadata=site.owner)) == "CAMEO_UNKNOWN"
