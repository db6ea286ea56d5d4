"""An honest client, who does as the server says: sends its recording, and where it is told to come back later comes back then."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
from grpc_status import rpc_status

from cameo.v1 import attempt_pb2
from cameo_verifier.server.app import utc_now
from cameo_verifier.server.wire.enums import short_name
from cameo_verifier.store.attempts.fingerprints import FingerprintStore
from tests.grpc.client import Refused, refused
from tests.grpc.test_full_path import FIXTURES, issued
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.attack.site import Site

RECORDING = "astronaut_bona_fide"
VERDICT = "ACCEPTED"
GIVES_UP_S = 150.0
_AGAIN_S = 0.5
"""How long a client waits whose connection broke, and who was told nothing."""


@dataclass(frozen=True, slots=True)
class Honest:
    """What came of one upload.

    verdict: the one it got, or why it got none. took_s: from the first try to the end. told_s: the delays it was told, in order.
    refused: what each of these tries was refused with.
    """

    verdict: str
    took_s: float
    told_s: tuple[float, ...] = ()
    refused: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as one line."""
        told = f" ({counted(self.refused)}; told to come back in {self.told_s[0]:.1f} s)" if self.told_s else ""
        lost = f" ({counted(self.refused)})" if self.refused and not self.told_s else ""
        return f"{self.verdict} in {self.took_s:.1f} s{told}{lost}"


def counted(answers: Iterable[str]) -> str:
    """Return how often there was each."""
    return ", ".join(f"{number} {each}" for each, number in Counter(answers).most_common())


async def answer(call: Any) -> Refused | None:
    """Wait for a call, and return what refused it, also where that is gRPC itself and says no reason; None if nothing did."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        if rpc_status.from_call(error) is None:
            return Refused(error.code(), error.code().name, str(error.details()), {}, None)
        return await refused(_raised(error))
    return None


async def _raised(error: grpc.aio.AioRpcError) -> None:
    raise error


async def upload(site: Site) -> Honest:
    """Send the recording of an honest person until there is a verdict."""
    with site.database() as engine:
        # It is sent many times, by a person who is new each time.
        FingerprintStore(engine).drop(before=utc_now() + timedelta(days=1))
    challenge_id, request_id = issued(site.client, RECORDING), str(uuid4())
    began, told, reasons = time.monotonic(), [], []
    verdict = f"none within {GIVES_UP_S:.0f} s"
    try:
        async with asyncio.timeout(GIVES_UP_S):
            while True:
                await site.up.wait()
                recording = FIXTURES[RECORDING].file.read_bytes()
                call = site.client.verify(
                    challenge_id, recording, request_id=request_id, timeout=GIVES_UP_S, metadata=site.metadata()
                )
                no = await answer(call)
                if no is None:
                    verdict = short_name(attempt_pb2.Verdict, (await call).attempt.verdict)
                    break
                if no.retry_s is None and no.code is not grpc.StatusCode.UNAVAILABLE:
                    verdict = no.reason
                    break
                reasons.append(no.reason)
                if no.retry_s is not None:
                    told.append(no.retry_s)
                await asyncio.sleep(no.retry_s or _AGAIN_S)
    except TimeoutError:
        pass
    return Honest(verdict, time.monotonic() - began, tuple(told), tuple(reasons))


def open_attempts(site: Site) -> int:
    """Return how many recordings are being judged."""
    with closing(sqlite3.connect(site.data / "cameo.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM attempts WHERE state = 'open'").fetchone()[0])


async def under_way(site: Site) -> asyncio.Task[Honest]:
    """Return an honest upload whose recording is being judged by now."""
    uploading = asyncio.create_task(upload(site))
    await until(lambda: uploading.done() or open_attempts(site) > 0)
    return uploading
