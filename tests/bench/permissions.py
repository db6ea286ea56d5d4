"""What asking for permission costs: `AuthorizeUse` and `CheckPermission` over loopback, with SQLite and verified tokens.

python tests/bench/permissions.py [CALLS AT_ONCE]. Server and client are two processes on the same cores: the client's work
counts too. Each job has a requester's token of its own, as in service; "known requester" is `AuthorizeUse` with one that was
verified before: the difference is what a new one costs. Beside them runs a bare unary call, which does nothing but send its
request back: what the machine and gRPC itself cost at that moment. Rates fall where others use the machine; their ratio to the
bare call, and the server's CPU time a call, say more there.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import numpy as np

from cameo.v1 import cameo_service_pb2 as wire
from cameo.v1 import cameo_service_pb2_grpc

sys.path.insert(0, str(Path(__file__).parents[2]))
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_verifier.server.app import open_server
from cameo_verifier.server.serve import log_to_stderr, run
from cameo_verifier.settings import Settings
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE
from tests.grpc.judges import MEDIA, OpenScripted
from tests.grpc.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from grpc.aio import UnaryUnaryCall

    from cameo_credential.media_items import MediaItem

ROUNDS = 3
ECHO = "/bare.Echo/Echo"


def serve(folder: Path, settings: dict[str, Any], pipe: Connection, *, media: tuple[MediaItem, ...] = MEDIA) -> None:
    """Serve as `cameo serve` does, but for the models; media: pictures and sound of everyone who is accepted."""
    site = Settings(listen="127.0.0.1:0", data=folder / "data", workers=1, permission_checks_s=1e6, **settings)
    if not (audiences := AudienceFolder(site.audiences)).all():
        audiences.add(AudienceKey.generate(AUDIENCE))
    # The log is written, as it is in service, but not to the terminal.
    with (folder / "log").open("w") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    log_to_stderr()
    opener = partial(open_server, open_judge=OpenScripted(folder / "journal", media=media))
    asyncio.run(run(site, announce=lambda server: pipe.send(server.address), opener=opener))


def echo(pipe: Connection) -> None:
    async def echo(request: bytes, _: object) -> bytes:
        return request

    async def serve() -> None:
        server = grpc.aio.server()
        handler = grpc.unary_unary_rpc_method_handler(echo)
        service, method = ECHO.removeprefix("/").split("/")
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        pipe.send(f"127.0.0.1:{port}")
        await server.wait_for_termination()

    asyncio.run(serve())


@contextmanager
def running(target: Callable[..., None], *args: object) -> Iterator[tuple[str, Callable[[], float]]]:
    """Run a server in a process of its own; yield its address and what tells the CPU time it has used, in seconds."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=target, args=(*args, there))
    process.start()

    def cpu() -> float:
        # The 14th and 15th field, see proc_pid_stat(5); the second, which may hold anything, ends with the last parenthesis.
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    try:
        yield here.recv(), cpu
    finally:
        process.terminate()
        process.join()


@dataclass
class _Figures:
    """Of one method: seconds of each call; a round's rate; the server's CPU seconds over all its calls."""

    took: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    def line(self, bare: _Figures) -> str:
        p50, p99 = np.percentile(np.array(self.took) * 1e3, (50, 99))
        rate, cpu_ms = statistics.median(self.rates), self.cpu_s / len(self.took) * 1e3
        return (
            f"{rate:6.0f} a second ({statistics.median(bare.rates) / rate:4.2f} bare calls), "
            f"p50 {p50:5.1f} ms, p99 {p99:5.1f} ms, "
            f"server CPU {cpu_ms:5.3f} ms ({cpu_ms / (bare.cpu_s / len(bare.took) * 1e3):4.2f} of a bare call)"
        )


async def _round(
    figures: _Figures, call: Callable[[], UnaryUnaryCall[Any, Any]], cpu: Callable[[], float], calls: int, at_once: int
) -> None:
    async def caller() -> None:
        for _ in range(calls // at_once):
            began = time.perf_counter()
            await call()
            figures.took.append(time.perf_counter() - began)

    await asyncio.gather(*(call() for _ in range(at_once)))
    used, began, before = cpu(), time.perf_counter(), len(figures.took)
    await asyncio.gather(*(caller() for _ in range(at_once)))
    figures.rates.append((len(figures.took) - before) / (time.perf_counter() - began))
    figures.cpu_s += cpu() - used


async def _run(
    served: tuple[str, Callable[[], float]], bare: tuple[str, Callable[[], float]], app: App, calls: int, at_once: int
) -> None:
    async with grpc.aio.insecure_channel(served[0]) as channel, grpc.aio.insecure_channel(bare[0]) as echo_channel:
        world = World(Stubs(channel), app)  # type: ignore[arg-type]  # all it needs of a client
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        stub, metadata = cameo_service_pb2_grpc.CameoServiceStub(channel), world.generator
        jobs = iter([(f"job-{n}", world.requester("account-2", f"job-{n}")) for n in range(calls + ROUNDS * at_once)])
        check = wire.CheckPermissionRequest(
            cameo_id=cameo.id, requester_token=world.requester("account-2"), purposes=["USE_CATEGORY_GENERAL"]
        )
        echo = echo_channel.unary_unary(ECHO)

        def authorize(*, new_token: bool) -> UnaryUnaryCall[Any, Any]:
            job_id, token = next(jobs) if new_token else ("job-1", check.requester_token)
            request = wire.AuthorizeUseRequest(
                cameo_ids=[cameo.id],
                requester_token=token,
                job_id=job_id,
                purposes=["USE_CATEGORY_GENERAL"],
                request_id=str(uuid4()),
            )
            return stub.AuthorizeUse(request, metadata=metadata)

        methods: dict[str, tuple[Callable[[], UnaryUnaryCall[Any, Any]], Callable[[], float]]] = {
            "bare echo": (lambda: echo(check.SerializeToString(), metadata=metadata), bare[1]),
            "CheckPermission": (lambda: stub.CheckPermission(check, metadata=metadata), served[1]),
            "AuthorizeUse": (partial(authorize, new_token=True), served[1]),
            "known requester": (partial(authorize, new_token=False), served[1]),
        }
        figures = {name: _Figures() for name in methods}
        for _ in range(ROUNDS):
            for name, (call, cpu) in methods.items():
                await _round(figures[name], call, cpu, calls // ROUNDS, at_once)
        print(f"{calls} calls of each, {at_once} at once; load of the machine before {os.getloadavg()[1]:.1f}")  # noqa: T201
        for name, found in figures.items():
            print(f"{name:16} {found.line(figures['bare echo'])}")  # noqa: T201


class Stubs:
    """The two stubs it takes to make a cameo."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        from cameo.v1 import challenge_service_pb2_grpc, verification_service_pb2_grpc  # noqa: PLC0415 - used here only

        self.channel = channel
        self.challenges = challenge_service_pb2_grpc.ChallengeServiceStub(channel)
        self.verification = verification_service_pb2_grpc.VerificationServiceStub(channel)


def main() -> None:
    """Print the figures."""
    calls, at_once = map(int, sys.argv[1:3] if len(sys.argv) > 2 else ("6000", "8"))
    with tempfile.TemporaryDirectory(prefix="cameo-bench-") as scratch:
        folder = Path(scratch)
        app = App.make(folder)
        with running(serve, folder, app.settings) as served, running(echo) as bare:
            asyncio.run(_run(served, bare, app, calls, at_once))


if __name__ == "__main__":
    main()
