"""`cameo console`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from verifier.settings import ConsoleSettings, Settings, unknown


def console(
    listen: Annotated[str | None, typer.Option(help="Address and port, e.g. 127.0.0.1:8090; port 0 takes a free one.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of keys, evidence and of the embedded database.")] = None,
    profile: Annotated[str | None, typer.Option(help="Name or path of the profile whose thresholds are shown.")] = None,
    role: Annotated[str, typer.Option(help="What the printed token makes of its bearer: lead or analyst.")] = "lead",
) -> None:
    """Serve the analysts' pages until SIGTERM, with settings from CAMEO_… variables and these options.

    Without an identity provider (CAMEO_OPENID_ISSUER) the address that is printed holds a token, good once, to sign in with.
    """
    from verifier.console.app import run  # noqa: PLC0415 - other commands need no pages
    from verifier.console.people import Role  # noqa: PLC0415 - the same

    try:
        local_role = Role(role)
    except ValueError:
        raise typer.BadParameter(f"none of {', '.join(Role)}", param_hint="--role") from None
    given: dict[str, Any] = {"data": data, "profile": profile}
    if listen is not None:
        given["console"] = ConsoleSettings(listen=listen)
    for told in unknown(os.environ):
        typer.echo(f"warning: {told}", err=True)
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    asyncio.run(run(settings, local_role=local_role, announce=lambda address: typer.echo(f"open {address}")))
