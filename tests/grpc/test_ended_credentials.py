"""The end of credentials: with their cameo, by themselves, and for whom the owner leaves out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from cameo.v1 import cameo_pb2
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.holders import OTHER
from tests.grpc.world import reason

INTERVAL = timedelta(seconds=300)


KEPT = 2 * INTERVAL
"""How long a reader may keep a list."""


async def test_every_credential_follows_its_cameo_in_the_next_list(open_site: Any) -> None:
    """Over gRPC and HTTP, for every audience: suspended by a pause, valid after it, revoked for good; not sooner, not later."""
    async with open_site(http_listen="127.0.0.1:0") as site:
        answer, untouched = await site.enrolled(), await site.enrolled(b"face:1")
        cameo = answer.cameo
        issued = {AUDIENCE: [answer.credential, await site.issue(cameo)], OTHER: [await site.issue(cameo, OTHER)]}
        kept = site.over_grpc()

        async def standing() -> set[str]:
            return {
                await site.standing(credential, audience, status=reader())
                for audience, credentials in issued.items()
                for credential in credentials
                for reader in (site.over_grpc, site.over_http)
            }

        assert await standing() == {"valid"}
        assert await site.standing(answer.credential, status=kept) == "valid"
        for change, expected in (
            (lambda: site.end(cameo, "REVOCATION_MODE_PAUSE"), "suspended"),
            (lambda: site.resume(cameo), "valid"),
            (lambda: site.end(cameo, "REVOCATION_MODE_FOR_GOOD"), "revoked"),
        ):
            before = await standing()
            await change()
            assert await standing() == before
            site.clock.ahead += INTERVAL
            assert await standing() == {expected}
            site.clock.ahead += KEPT - INTERVAL
            assert await site.standing(answer.credential, status=kept) == expected
            assert await site.standing(untouched.credential) == "valid"


async def test_a_deleted_cameo_s_credentials_are_revoked(open_site: Any) -> None:
    """Those in anybody's hands are refused by the next list, also when the cameo was paused before."""
    async with open_site() as site:
        answer = await site.enrolled()
        cameo = answer.cameo
        other = await site.issue(cameo, OTHER)
        await site.end(cameo, "REVOCATION_MODE_PAUSE")
        await site.delete(cameo)
        site.clock.ahead += INTERVAL
        assert await site.standing(answer.credential) == await site.standing(other, OTHER) == "revoked"
        assert await reason(site.revoke(other)) == "CREDENTIAL_UNKNOWN"


async def test_one_credential_is_revoked_by_itself(open_site: Any) -> None:
    """That one and no other, for good, through pause and resume; the first reason stays; the token is not given out again."""
    async with open_site() as site:
        answer, asked = await site.enrolled(), str(uuid4())
        cameo = answer.cameo
        first, other = answer.credential, await site.issue(cameo, OTHER, request_id=asked)
        assert await reason(site.revoke(other, by=site.stranger)) == "CREDENTIAL_UNKNOWN"
        assert await reason(site.revoke(cameo_pb2.Cameo(id="none"), by=site.app)) == "CREDENTIAL_UNKNOWN"
        assert await reason(site.revoke(other, by=site.generator)) == "CALLER_NOT_ALLOWED"
        assert (await refused(site.revoke(other, "x" * 501))).metadata == {"field": "reason"}
        assert await reason(site.revoke(other, request_id="1")) == "REQUEST_ID_INVALID"
        request_id = str(uuid4())
        revoked = await site.revoke(other, "we parted", request_id=request_id)
        assert (revoked.credential_id, revoked.reason) == (other.id, "we parted")
        assert await site.revoke(other, "we parted", request_id=request_id.upper()) == revoked
        assert await site.revoke(other, "once more", by=site.app) == revoked
        assert await reason(site.revoke(other, "once more", request_id=request_id)) == "REQUEST_ID_REUSED"
        repeated = await site.issue(cameo, OTHER, request_id=asked)
        assert (repeated.id, repeated.token) == (other.id, "")
        for change in (None, lambda: site.end(cameo, "REVOCATION_MODE_PAUSE"), lambda: site.resume(cameo)):
            if change is not None:
                await change()
            site.clock.ahead += INTERVAL
            assert await site.standing(other, OTHER) == "revoked"
        assert await site.standing(first) == "valid"
        assert await site.standing(await site.issue(cameo, OTHER), OTHER) == "valid"


async def test_who_is_left_out_holds_it_no_longer(open_site: Any) -> None:
    """Out of `offline_audiences` or of `generators`: revoked for good, also when chosen again; the other stays."""
    async with open_site() as site:
        for change, back in (
            ({"offline_audiences": [OTHER]}, {"offline_audiences": [AUDIENCE, OTHER]}),
            ({"generators": cameo_pb2.Generators(names=[OTHER])}, {"generators": cameo_pb2.Generators(every_registered=True)}),
        ):
            answer = await site.enrolled()
            other = await site.issue(answer.cameo, OTHER)
            cameo = await site.update(answer.cameo, **change)
            assert await reason(site.issue(cameo)) == "USE_NOT_PERMITTED"
            cameo = await site.update(cameo, **back)
            site.clock.ahead += INTERVAL
            assert await site.standing(answer.credential) == "revoked"
            assert await site.standing(other, OTHER) == "valid"
            assert await site.standing(await site.issue(cameo)) == "valid"
