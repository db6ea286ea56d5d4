"""Trickles.

The attacker sends 32 recordings by a byte a second, 16 of them for one challenge and 16 for another four of the same person, and
begins each anew whenever it is refused, for as long as the honest client waits.

Must hold: the person has its share of the places and no more, what trickles is ended as too slow, and the honest client needs to
know nothing of it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import grpc

from cameo.v1.verification_service_pb2 import VerifyResponseRequest
from tests.attack.bounds import Seen
from tests.attack.honest import answer, counted, upload
from tests.grpc.test_refusals import config
from tests.waiting import until

if TYPE_CHECKING:
    from tests.attack.site import Site

UPLOADS, CHALLENGES = 32, 5
_ANSWERS = {"UPLOADS_UNDER_WAY", "UPLOAD_TOO_SLOW"}
_PAUSE_S = 1.0
_LOST = "Internal error from Core"
"""What gRPC's client says where the server ended a call in the middle of a write: it has lost the answer."""


async def attack(site: Site) -> Seen:
    """Attack, with an honest upload meanwhile."""
    metadata = site.metadata()
    challenges = [await site.client.challenge("trickler", metadata) for _ in range(CHALLENGES)]
    answers: list[str] = []

    async def trickle(challenge_id: str) -> None:
        """Send one upload after the other, each until it is refused."""
        while True:
            call = site.client.verification.VerifyResponse(metadata=metadata)
            try:
                with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                    await call.write(config(challenge_id))
                    while not call.done():
                        await call.write(VerifyResponseRequest(chunk=b"\0"))
                        await asyncio.sleep(_PAUSE_S)
                if (no := await answer(call)) and no.message != _LOST:
                    answers.append(no.reason)
            finally:
                call.cancel()
            await asyncio.sleep(_PAUSE_S)

    first, *others = [challenge.id for challenge in challenges]
    of_each = [first] * (UPLOADS // 2) + others * (UPLOADS // 2 // len(others))
    trickling = [asyncio.create_task(trickle(challenge_id)) for challenge_id in of_each]
    await asyncio.sleep(_PAUSE_S)
    uploading = asyncio.create_task(upload(site))
    # The first ones are ended after the longest time that an upload may stand still.
    await until(lambda: (uploading.done() and "UPLOAD_TOO_SLOW" in answers) or all(task.done() for task in trickling))
    for task in trickling:
        task.cancel()
    await asyncio.gather(*trickling, return_exceptions=True)
    broken = (f"only {' and '.join(sorted(_ANSWERS))} are to be answered",) if set(answers) != _ANSWERS else ()
    return Seen(counted(answers), await uploading, broken)
