"""What an owner is told of credentials and outputs, and what a deletion takes from it."""

from __future__ import annotations

from typing import Any

from cameo.v1 import cameo_pb2
from cameo_verifier.server.wire.enums import short_name
from tests.grpc.client import AUDIENCE
from tests.grpc.holders import OTHER
from tests.grpc.world import World, open_world, reason

__all__ = ["open_world"]


async def told(site: World, count: int) -> list[tuple[str, str]]:
    """Return kind and credential of the events from the second on; the first says that the cameo was created."""
    return [(short_name(cameo_pb2.CameoEventKind, each.kind), each.credential_id) for each in await site.events(count=count)][1:]


async def test_an_owner_is_told_of_credentials(open_site: Any) -> None:
    """Issued, once however often it is asked for; revoked by itself; and with the choice of its generator.

    The owner let both generators hold one before.
    """
    async with open_site() as site:
        cameo = await site.cameo()
        request_id = "11111111-2222-4333-8444-555555555555"
        one = await site.issue(cameo, OTHER, request_id=request_id)
        await site.issue(cameo, OTHER, request_id=request_id)
        two = await site.issue(cameo, OTHER)
        await site.revoke(one)
        await site.revoke(one)
        cameo = await site.update(cameo, generators={"names": [AUDIENCE]})
        found = await told(site, 7)
        assert found == [
            ("PERMISSION_CHANGED", ""),
            ("CREDENTIAL_ISSUED", one.id),
            ("CREDENTIAL_ISSUED", two.id),
            ("CREDENTIAL_REVOKED", one.id),
            ("CREDENTIAL_REVOKED", two.id),
            ("PERMISSION_CHANGED", ""),
        ]
        await site.delete(cameo)
        assert [credential for _, credential in await told(site, 8)] == [""] * 7


async def test_outputs_of_a_grant_are_bounded_by_the_site(open_world: Any) -> None:
    """One, where the site says one; the same again is no further one."""
    async with open_world(grant_outputs=1) as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        granted = await world.authorize(cameo)
        await world.spend(granted.token)
        first = await world.record(granted.grant_id)
        assert await reason(world.record(granted.grant_id, sha256="cd" * 32)) == "TOO_MANY_OUTPUTS"
        assert await world.record(granted.grant_id) == first
        again = await world.authorize(cameo)
        await world.spend(again.token)
        assert await reason(world.record(again.grant_id)) == "OUTPUT_RECORDED_OTHERWISE"
        assert (await world.record(again.grant_id, sha256="cd" * 32)).grant_id == again.grant_id
