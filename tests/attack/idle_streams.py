"""Idle streams.

The attacker opens 1,000 streams of events with one owner's token, over ten connections, and leaves them open; nothing happens on
any of them.

Must hold: what is idle slows nobody down. The table says how many the server kept open, and what it said to the others.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from cameo.v1.cameo_service_pb2 import WatchCameoEventsRequest
from cameo.v1.cameo_service_pb2_grpc import CameoServiceStub
from tests.attack.bounds import Seen
from tests.attack.honest import answer, counted, upload
from tests.attack.site import channel

if TYPE_CHECKING:
    from tests.attack.site import Site

STREAMS, CONNECTIONS = 1000, 10
_SETTLED_S = 3.0


async def attack(site: Site) -> Seen:
    """Attack, with an honest upload meanwhile."""
    metadata = site.metadata("owner", "idler")
    async with AsyncExitStack() as opened:
        calls: list[Any] = []
        for _ in range(CONNECTIONS):
            stub: Any = CameoServiceStub(await opened.enter_async_context(channel(site.address)))
            calls += [stub.WatchCameoEvents(WatchCameoEventsRequest(), metadata=metadata) for _ in range(STREAMS // CONNECTIONS)]
        await asyncio.sleep(_SETTLED_S)
        honest = await upload(site)
        ended = [no.reason for call in calls if call.done() and (no := await answer(call.read()))]
        for call in calls:
            call.cancel()
    return Seen(f"{STREAMS - len(ended)} of {STREAMS} open{'; ' + counted(ended) if ended else ', unbounded'}", honest)
