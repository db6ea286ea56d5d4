"""`cameo console`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from verifier.cli.site import Data, site_settings
from verifier.settings import ConsoleSettings


def console(
    listen: Annotated[str | None, typer.Option(help="Address and port, e.g. 127.0.0.1:8090; port 0 takes a free one.")] = None,
    data: Data = None,
    profile: Annotated[str | None, typer.Option(help="Name or path of the profile whose thresholds are shown.")] = None,
    role: Annotated[str, typer.Option(help="What the printed token makes of its bearer: lead or analyst.")] = "lead",
) -> None:
    """Serve the analysts' pages until SIGTERM, with settings from CAMEO_… variables and these options.

    Without an identity provider (CAMEO_OPENID_ISSUER) the address that is printed holds a token, good once, to sign in with.
    """
    from verifier.console.app import run  # noqa: PLC0415 - other commands need no pages
    from verifier.console.people import Role  # noqa: PLC0415 - the same
    from verifier.server.serve import log_to_stderr, warn_of_unknown_settings  # noqa: PLC0415 - the same

    try:
        local_role = Role(role)
    except ValueError:
        raise typer.BadParameter(f"none of {', '.join(Role)}", param_hint="--role") from None
    given: dict[str, Any] = {} if profile is None else {"profile": profile}
    if listen is not None:
        given["console"] = ConsoleSettings(listen=listen)
    settings = site_settings(data, **given)
    log_to_stderr()
    warn_of_unknown_settings()
    asyncio.run(run(settings, local_role=local_role, announce=lambda address: typer.echo(f"open {address}")))
