"""Grants over the wire: given, spent once, refused, and what was made under them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cameo.v1 import cameo_pb2
from cameo.v1 import cameo_service_pb2 as wire
from cameo_credential.encoding import from_base64url, to_base64url
from cameo_credential.grant_token import open_grant
from cameo_credential.key_set import KeySet, change, new_key
from cameo_verifier.server.app import utc_now
from tests.aliases import alias, pairwise
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.test_refusals import Clock
from tests.grpc.world import FAN, GENERAL, NOTE, WORD, reason

if TYPE_CHECKING:
    from pathlib import Path


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
