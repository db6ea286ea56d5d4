"""`cameo serve`: runs the gRPC service."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.site import Data, is_there
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from cameo_verifier.server.app import Server


def serve(
    listen: Annotated[str | None, typer.Option(help="Address and port, e.g. 127.0.0.1:50051; port 0 takes a free one.")] = None,
    data: Data = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes; one a core by default.")] = None,
    profile: Annotated[str | None, typer.Option(help="Name or path of the profile to judge by.")] = None,
    expose_scores: Annotated[
        bool | None, typer.Option("--expose-scores", help="Show scores to whoever asks for the FULL view of an attempt.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ready line as JSON.")] = False,
) -> None:
    """Serve cameo.v1 over gRPC until SIGTERM, with settings from CAMEO_… variables and these options.

    Keys and a database are created on first start, which the log says. A line on standard output says when the server is ready
    and where; the log goes to standard error.
    """
    import structlog  # noqa: PLC0415 - other commands log nothing

    from cameo_verifier.server.serve import log_to_stderr, run, warn_of_unknown_settings  # noqa: PLC0415 - other commands need no grpc

    began = time.perf_counter()
    given: dict[str, Any] = {
        "listen": listen,
        "data": data,
        "workers": workers,
        "profile": profile,
        "expose_scores": expose_scores,
    }
    settings = Settings(**{name: value for name, value in given.items() if value is not None})

    def announce(server: Server) -> None:
        ready_s = time.perf_counter() - began
        if as_json:
            where = {"address": server.address} | ({"http_address": server.http_address} if server.http_address else {})
            print_json({"event": "ready", **where, "ready_s": round(ready_s, 2), "workers": settings.workers})
        else:
            also = f" and http://{server.http_address}" if server.http_address else ""
            typer.echo(f"ready on {server.address}{also} after {ready_s:.1f} s, {settings.workers} workers")

    log_to_stderr()
    warn_of_unknown_settings()
    if not is_there(settings):
        structlog.get_logger(__name__).warning("no site there yet: making a new one", data=str(settings.data))
    asyncio.run(run(settings, announce=announce))
