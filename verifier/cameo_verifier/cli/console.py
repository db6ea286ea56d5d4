"""`cameo console`: serves the analysts' pages, and manages the local people who may sign in to it."""

from __future__ import annotations

import asyncio
import getpass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.table import Table

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.site import Data, open_site, site_settings
from cameo_verifier.settings import ConsoleSettings, Settings
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.sign_in_tokens import MAX_LASTS, SignInToken, SignInTokenStore

app = typer.Typer()

_MAX_HOURS = MAX_LASTS / timedelta(hours=1)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Name = Annotated[str, typer.Option(help="What the audit log calls the person: lower-case letters, digits, dot, dash, _ and @.")]


@app.callback(invoke_without_command=True)
def console(
    context: typer.Context,
    listen: Annotated[str | None, typer.Option(help="Address and port, e.g. 127.0.0.1:8090; port 0 takes a free one.")] = None,
    data: Data = None,
    profile: Annotated[str | None, typer.Option(help="Name or path of the profile whose thresholds are shown.")] = None,
    role: Annotated[str, typer.Option(help="What the printed token makes of its bearer: lead or analyst.")] = "lead",
) -> None:
    """Serve the analysts' pages until SIGTERM, with settings from CAMEO_… variables and these options.

    Without an identity provider (CAMEO_OPENID_ISSUER) the address that is printed contains a single-use token to sign in with as
    `local`. `cameo console token` prints one for each further person, by name.
    """
    if context.invoked_subcommand is not None:
        for each in context.params:
            # Compared by name: Typer may bring a Click of its own.
            source = context.get_parameter_source(each)
            if source is not None and source.name == "COMMANDLINE":
                raise typer.BadParameter(f"put it behind {context.invoked_subcommand!r}", param_hint=f"--{each}")
        return
    from cameo_verifier.console.app import run  # noqa: PLC0415 - other commands need no pages
    from cameo_verifier.console.people import ConsoleRole  # noqa: PLC0415 - the same
    from cameo_verifier.server.serve import log_to_stderr, warn_of_unknown_settings  # noqa: PLC0415 - the same

    local_role = ConsoleRole(_role(role))
    given: dict[str, Any] = {} if profile is None else {"profile": profile}
    if listen is not None:
        given["console"] = ConsoleSettings(listen=listen)
    settings = site_settings(data, **given)
    log_to_stderr()
    warn_of_unknown_settings()
    asyncio.run(run(settings, local_role=local_role, announce=lambda address: typer.echo(f"open {address}")))


@app.command()
def token(
    name: Name,
    *,
    role: Annotated[str, typer.Option(help="What the person may do: lead or analyst.")] = "analyst",
    hours: Annotated[float, typer.Option(help=f"How long it is good for; {_MAX_HOURS:.0f} at most.")] = 24.0,
    listen: Annotated[str | None, typer.Option(help="Where the console listens, if not at CAMEO_CONSOLE_LISTEN.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Print a single-use token by which one named local person signs in; a running console accepts it at once.

    Two names count as two people for the four-eyes rule (CAMEO_REVIEW_FOUR_EYES). The site stores only the token's hash.
    """
    role = _role(role)
    settings = _local(data)
    if not 0 < hours <= _MAX_HOURS:
        raise typer.BadParameter(f"more than 0, at most {_MAX_HOURS:.0f}", param_hint="--hours")
    reader, now = Reader(getpass.getuser(), "cameo console token"), datetime.now(UTC)
    with open_site(settings) as site:
        store = SignInTokenStore(site.engine, site.room.audit)
        made, text = store.make(name, role, lasts=timedelta(hours=hours), reader=reader, now=now)
    where = settings.console.origin.rstrip("/") or f"http://{listen or settings.console.listen}"
    url = f"{where}/sign-in?token={quote(text)}"
    if as_json:
        print_json({**_document(made, now), "token": text, "url": url})
        return
    typer.echo(f"open {url}")
    typer.echo(f"good once, for {name} as {role}, until {made.expires_at:%Y-%m-%d %H:%M} UTC")


@app.command()
def tokens(*, data: Data = None, as_json: AsJson = False) -> None:
    """List the tokens of named local people of the last three months: waiting, used, expired or revoked; never their secrets."""
    with open_site(_local(data)) as site:
        listed, now = SignInTokenStore(site.engine, site.room.audit).listed(), datetime.now(UTC)
    if as_json:
        print_json({"tokens": [_document(each, now) for each in listed]})
        return
    table = Table("name", "role", "made", "good until", "state", box=None, pad_edge=False)
    for each in listed:
        times = (f"{moment:%Y-%m-%d %H:%M}" for moment in (each.made_at, each.expires_at))
        table.add_row(each.name, each.role, *times, each.state(now))
    Console().print(table)


@app.command()
def revoke(name: Name, *, data: Data = None, as_json: AsJson = False) -> None:
    """Revoke all tokens of a named local person: none signs anybody in any more, and sessions that began with one end at once."""
    with open_site(_local(data)) as site:
        store = SignInTokenStore(site.engine, site.room.audit)
        count = store.revoke(name, reader=Reader(getpass.getuser(), "cameo console revoke"), now=datetime.now(UTC))
    if as_json:
        print_json({"name": name, "revoked": count})
    else:
        typer.echo(f"{count} tokens of {name} taken back")


def _role(given: str) -> str:
    from cameo_verifier.console.people import ConsoleRole  # noqa: PLC0415 - other commands need no pages

    try:
        return ConsoleRole(given).value
    except ValueError:
        raise typer.BadParameter(f"none of {', '.join(ConsoleRole)}", param_hint="--role") from None


def _local(data: Path | None) -> Settings:
    settings = site_settings(data)
    if settings.openid.issuer:
        raise InvalidRequestError(
            f"people of this site sign in by {settings.openid.issuer} (CAMEO_OPENID_ISSUER), and no token is taken"
        )
    return settings


def _document(token: SignInToken, now: datetime) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "made_at": token.made_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "state": token.state(now),
    }
