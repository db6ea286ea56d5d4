"""Limits on open streams of events, over the wire."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc

from cameo.v1.cameo_service_pb2 import WatchCameoEventsRequest
from tests.grpc.callers import App, Metadata
from tests.grpc.client import Refused, refused
from tests.grpc.world import World
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from tests.grpc.server import OpenServer


async def first(call: Any) -> Any:
    """Return the code a stream is refused with, or that it brings an event; hang up then."""
    try:
        await call.read()
    except grpc.aio.AioRpcError as error:
        return error.code()
    call.cancel()
    return "an event"


async def test_more_streams_than_allowed_are_refused_until_one_ends(serve: OpenServer, tmp_path: Path) -> None:
    """One caller holds so many, all together so many, the app its own; a refusal says when and why; hanging up frees a place."""
    app = App.make(tmp_path)
    async with serve(**app.settings, event_streams=2, event_streams_a_caller=2) as client, asyncio.timeout(PATIENCE_S):
        world = World(client, app)
        await world.cameo()

        def watch(by: Metadata) -> Any:
            return world.stub.WatchCameoEvents(WatchCameoEventsRequest(), metadata=by)

        async def answer(by: Metadata) -> Refused:
            return await refused(watch(by).read())

        def shown(answer: Refused) -> Any:
            return answer.code, answer.reason, answer.metadata, answer.retry_s

        calls = [watch(by) for by in (world.owner, world.owner, world.app, world.app)]
        assert len({(await call.read()).cursor for call in calls}) == 1
        full = grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"
        assert shown(await answer(world.owner)) == (*full, {"limit": "event_streams_a_caller"}, 10.0)
        assert shown(await answer(world.app)) == (*full, {"limit": "event_streams_a_caller"}, 10.0)
        assert shown(await answer(app.metadata("owner", "somebody else"))) == (*full, {"limit": "event_streams"}, 10.0)
        calls[2].cancel()
        while (freed := await first(watch(world.app))) is full[0]:
            pass
        assert freed == "an event"
        calls[0].cancel()
        # The server hears of it a moment later.
        while (freed := await first(watch(world.owner))) is full[0]:
            pass
        assert freed == "an event"
        for call in calls[1:]:
            call.cancel()
