"""What asking for permission costs: `AuthorizeUse` and `CheckPermission` over loopback, with SQLite and verified tokens.

python tests/bench/permissions.py [CALLS AT_ONCE]. Server and client are two processes on the same cores: the client's work
counts too.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import numpy as np
from cameo.v1 import cameo_service_pb2 as wire
from cameo.v1 import cameo_service_pb2_grpc

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE
from tests.grpc.judges import OpenScripted
from tests.grpc.test_cameos import World
from verifier.credential.audience_keys import AudienceFolder, AudienceKey
from verifier.server.app import open_server
from verifier.server.serve import log_to_stderr
from verifier.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from grpc.aio import UnaryUnaryCall


def _serve(folder: Path, settings: dict[str, Any], pipe: Connection) -> None:
    async def run() -> None:
        site = Settings(listen="127.0.0.1:0", data=folder / "data", workers=1, **settings)
        AudienceFolder(site.audiences).add(AudienceKey.generate(AUDIENCE))
        server = await open_server(site, open_judge=OpenScripted(folder / "journal"))
        pipe.send(server.address)
        await asyncio.to_thread(pipe.recv)
        await server.stop()

    # The log is written, as it is in service, but not to the terminal.
    with (folder / "log").open("w") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    log_to_stderr()
    asyncio.run(run())


async def _measure(name: str, call: Callable[[], UnaryUnaryCall[Any, Any]], calls: int, at_once: int) -> None:
    took: list[float] = []

    async def caller() -> None:
        for _ in range(calls // at_once):
            began = time.perf_counter()
            await call()
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(call() for _ in range(at_once)))
    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(at_once)))
    rate = len(took) / (time.perf_counter() - began)
    p50, p99 = np.percentile(np.array(took) * 1e3, (50, 99))
    print(f"{name:16} {rate:7.0f} a second, p50 {p50:6.1f} ms, p99 {p99:6.1f} ms ({len(took)} calls, {at_once} at once)")  # noqa: T201


async def _run(address: str, app: App, calls: int, at_once: int) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        world = World(_Bench(channel), app)  # type: ignore[arg-type]  # all it needs of a client
        cameo = await world.cameo(who_may_use="EVERYONE")
        stub, metadata = cameo_service_pb2_grpc.CameoServiceStub(channel), world.generator
        check = wire.CheckPermissionRequest(cameo_id=cameo.id, requester="account-2")

        def authorize() -> UnaryUnaryCall[Any, Any]:
            request = wire.AuthorizeUseRequest(cameo_ids=[cameo.id], requester="account-2", job_id="job", request_id=str(uuid4()))
            return stub.AuthorizeUse(request, metadata=metadata)

        await _measure("CheckPermission", lambda: stub.CheckPermission(check, metadata=metadata), calls, at_once)
        await _measure("AuthorizeUse", authorize, calls, at_once)


class _Bench:
    """The two stubs it takes to make a cameo."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        from cameo.v1 import challenge_service_pb2_grpc, verification_service_pb2_grpc  # noqa: PLC0415 - used here only

        self.channel = channel
        self.challenges = challenge_service_pb2_grpc.ChallengeServiceStub(channel)
        self.verification = verification_service_pb2_grpc.VerificationServiceStub(channel)


def main() -> None:
    """Print the figures."""
    calls, at_once = map(int, (*sys.argv[1:], "4000", "8")[:2] if len(sys.argv) == 1 else sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="cameo-bench-") as scratch:
        folder = Path(scratch)
        app = App.make(folder)
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        server = context.Process(target=_serve, args=(folder, app.settings, there))
        server.start()
        asyncio.run(_run(here.recv(), app, calls, at_once))
        here.send("stop")
        server.join()


if __name__ == "__main__":
    main()
