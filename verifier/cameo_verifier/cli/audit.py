"""`cameo audit`: shows, verifies and checkpoints the log of who read which evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.site import Data, open_site, site_settings
from cameo_verifier.store.evidence.audit import Head

app = typer.Typer(help="The log of who read or removed which evidence, and why.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def show(
    attempt: Annotated[str, typer.Argument(help="Only of this attempt.", show_default=False)] = "",
    *,
    after: Annotated[int, typer.Option(min=0, help="Only lines with a greater number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="So many lines at most.")] = 1000,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show the log, oldest first."""
    with open_site(site_settings(data)) as site:
        lines = site.room.audit.lines(attempt_id=attempt, after=after, limit=limit)
        if attempt and not lines:
            site.require_attempts(attempt)
    if as_json:
        shown = [
            {
                "number": line.number,
                "at": line.at.isoformat(),
                "who": line.who,
                "action": line.action,
                "attempt": line.attempt_id,
                "what": line.what,
                "why": line.why,
                "hash": line.hash,
            }
            for line in lines
        ]
        print_json({"lines": shown})
        return
    table = Table("", "when", "who", "did", Column("attempt", no_wrap=True), "what", "why", box=None, pad_edge=False)
    for line in lines:
        when = f"{line.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(str(line.number), when, escape(line.who), line.action, line.attempt_id, line.what, escape(line.why))
    Console().print(table)


@app.command()
def verify(
    *,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint that was kept elsewhere; may be given again.", show_default=False)
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Find lines that were removed, altered or moved; exit code 1 if there are any.

    Without a checkpoint, a history rewritten by somebody who has the database and the audit key, or an old copy of the whole
    database, cannot be told from the real one.
    """
    heads = [_head(path) for path in checkpoint or []]
    with open_site(site_settings(data)) as site:
        count, problems = site.room.audit.verify(*heads)
    if as_json:
        print_json({"lines": count, "problems": [{"line": each.number, "message": each.message} for each in problems]})
    else:
        for problem in problems:
            typer.echo(problem.message)
        against = f"; checkpoints that hold: {len(heads)}" if heads and not problems else ""
        typer.echo(f"{count} lines, {len(problems)} problems{against}")
    if problems:
        raise typer.Exit(1)


@app.command()
def checkpoint(*, data: Data = None) -> None:
    """Print the end of the log as JSON; keep it where whoever runs this server cannot change it."""
    with open_site(site_settings(data)) as site:
        print_json(site.room.audit.checkpoint().document())


def _head(path: Path) -> Head:
    try:
        return Head.of(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise InvalidRequestError(f"cannot read the checkpoint {path}: {error}") from None
