"""What delivering a likeness costs: `SpendGrant` over loopback with five pictures and ten seconds of sound, and opening it.

python -m tests.bench.delivery [CALLS]. Server and client are two processes on the same cores. Beside it runs a bare unary call
that sends as many bytes back and does nothing else.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np

from cameo.v1 import cameo_pb2, credential_service_pb2_grpc
from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.delivery import open_likeness
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.item_kind import ItemKind
from cameo_credential.media_items import MediaItem, open_objects
from cameo_verifier.server.app import utc_now
from cameo_verifier.settings import Settings
from tests.bench.permissions import ECHO, Stubs, echo, running, serve
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE
from tests.grpc.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo.v1.cameo_service_pb2 import SpendGrantResponse

GOAL_MS = 50.0
SIZES = (*((ItemKind.FACE_CROP, 110_000),) * 5, (ItemKind.VOICE_CLIP, 400_000))
MEDIA = tuple(
    MediaItem(kind, "x/y", "p" * 400, {"number": number}, np.random.default_rng(number).bytes(size))
    for number, (kind, size) in enumerate(SIZES)
)


async def _run(served: str, cpu: Callable[[], float], bare: str, app: App, key: AudienceKey, calls: int) -> None:
    took: dict[str, list[float]] = {"SpendGrant": [], "bare call": [], "opening": []}
    async with grpc.aio.insecure_channel(served) as channel, grpc.aio.insecure_channel(bare) as echo_channel:
        world = World(Stubs(channel), app)  # type: ignore[arg-type]  # all it needs of a client
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE", items=cameo_pb2.ItemKind.keys()[1:])
        keys = await credential_service_pb2_grpc.CredentialServiceStub(channel).GetKeys(GetKeysRequest(), metadata=world.app)
        known = VerificationKeys.from_jwks(json.loads(keys.jwks))
        repeat = echo_channel.unary_unary(ECHO)
        size = 0

        def opened(spent: SpendGrantResponse, grant_id: str) -> None:
            [likeness] = spent.likenesses
            expected: dict[str, Any] = {"expected_audience": AUDIENCE, "expected_issuer": keys.issuer, "expected_grant": grant_id}
            now = utc_now()
            delivery = open_likeness(likeness.token, audience_key=key, issuer_keys=known, now=now, **expected)
            assert open_objects(delivery.detached, likeness.objects, now=now) == MEDIA

        used = 0.0
        for _ in range(calls):
            granted = await world.authorize(cameo)
            began, before = time.perf_counter(), cpu()
            spent = await world.spend(granted.token)
            took["SpendGrant"].append(time.perf_counter() - began)
            used += cpu() - before
            data = spent.SerializeToString()
            size = len(data)
            began = time.perf_counter()
            await repeat(data)
            took["bare call"].append(time.perf_counter() - began)
            began = time.perf_counter()
            opened(spent, granted.grant_id)
            took["opening"].append(time.perf_counter() - began)
    print(f"{calls} likenesses of {size / 1e3:.0f} kB, one after another; load of the machine before {os.getloadavg()[1]:.1f}")  # noqa: T201
    middle = {name: float(np.median(each)) for name, each in took.items()}
    for name, each in took.items():
        p50, p99 = np.percentile(np.array(each) * 1e3, (50, 99))
        ratio = middle[name] / middle["bare call"]
        print(f"{name:12} p50 {p50:6.2f} ms, p99 {p99:6.2f} ms, {ratio:5.2f} bare calls")  # noqa: T201
    print(f"the server's CPU time {used / calls * 1e3:.1f} ms a delivery")  # noqa: T201
    within = "under" if middle["SpendGrant"] * 1e3 < GOAL_MS else "NOT under"
    print(f"delivery {middle['SpendGrant'] * 1e3:.1f} ms, {within} the goal of {GOAL_MS:.0f} ms")  # noqa: T201


def main() -> None:
    """Print the figures."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory(prefix="cameo-bench-") as scratch:
        folder = Path(scratch)
        app, key = App.make(folder), AudienceKey.generate(AUDIENCE)
        AudienceFolder(Settings(data=folder / "data").audiences).add(key.public())
        with running(partial(serve, media=MEDIA), folder, app.settings) as served, running(echo) as bare:
            asyncio.run(_run(*served, bare[0], app, key, calls))


if __name__ == "__main__":
    main()
