"""Events of cameos over the wire: in order, from a cursor on."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from cameo.v1 import cameo_pb2
from cameo.v1 import cameo_service_pb2 as wire
from cameo_verifier.cameo.cursor import EVENTS, Listing
from cameo_verifier.server.wire.enums import short_name
from tests.grpc.world import reason
from tests.patience import PATIENCE_S


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
