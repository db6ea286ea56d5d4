"""`cameo evidence`: lists, reads and removes the evidence of attempts."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.site import Data, open_site, site_settings
from cameo_verifier.server.clock_watch import ClockWatch
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.evidence.retention import Swept
from cameo_verifier.store.evidence.sealed_object import Kind

app = typer.Typer(help="Evidence of attempts: what is kept, and for how long.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Attempt = Annotated[str, typer.Argument(help="The attempt's id.", show_default=False)]
Why = Annotated[str, typer.Option(help="Why you need it, for the audit log.", show_default=False)]
Who = Annotated[str, typer.Option(help="Who you are, for the audit log.", show_default="your account")]


@app.command("list")
def list_(attempt: Attempt, *, data: Data = None, as_json: AsJson = False) -> None:
    """List the evidence of an attempt, kept and removed."""
    with open_site(site_settings(data)) as site:
        site.require_attempts(attempt)
        pieces = site.room.vault.held(attempt)
    if as_json:
        print_json(
            {
                "attempt": attempt,
                "evidence": [
                    {
                        "kind": piece.kind.value,
                        "size_bytes": piece.size_bytes,
                        "sha256": piece.sha256,
                        "kept_at": piece.kept_at.isoformat(),
                        "removed_at": piece.removed_at.isoformat() if piece.removed_at else None,
                    }
                    for piece in pieces
                ],
            }
        )
        return
    table = Table("kind", "bytes", "kept", "removed", "sha256", box=None, pad_edge=False)
    for piece in pieces:
        removed = f"{piece.removed_at:%Y-%m-%d}" if piece.removed_at else ""
        table.add_row(piece.kind.value, str(piece.size_bytes), f"{piece.kept_at:%Y-%m-%d}", removed, piece.sha256[:16])
    Console().print(table)


@app.command()
def read(
    attempt: Attempt,
    kind: Annotated[Kind, typer.Argument(help="Which piece.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(help="The file to write it to, in the clear.", show_default=False)],
    why: Why,
    who: Who = "",
    data: Data = None,
) -> None:
    """Decrypt a piece of evidence into a file that only you can read; the audit log records who read it and why."""
    if out.exists():
        raise InvalidRequestError(f"{out} is there already: name a new file")
    with open_site(site_settings(data)) as site:
        site.require_attempts(attempt)
        found = site.room.vault.read(attempt, kind, reader=_reader(who, why), now=datetime.now(UTC))
    out.touch(mode=0o600)
    out.write_bytes(found)
    typer.echo(f"{len(found)} bytes in {out}")


@app.command()
def sweep(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Remove evidence whose retention is over, as servers do by themselves, and list what was removed."""
    settings = site_settings(data)
    with open_site(settings) as site:
        now = ClockWatch(settings.clock_file, lambda: datetime.now(UTC)).look()
        if now is None:
            raise InvalidRequestError(f"the clock jumped, so nothing goes; if it is right, remove {settings.clock_file} first")
        sweeper = site.room.sweeper
        swept = Swept(sweeper.due(now=now), 0, ()) if dry_run else sweeper.sweep(now=now)
    if as_json:
        shown = [
            {
                "attempt": piece.attempt_id,
                "kind": piece.kind.value,
                "verdict": piece.verdict.value,
                "finished_at": piece.finished_at.isoformat(),
                "size_bytes": piece.size_bytes,
            }
            for piece in swept.removed
        ]
        print_json({"dry_run": dry_run, "removed": shown, "left_overs": swept.left_overs, "failed": list(swept.failed)})
    else:
        for piece in swept.removed:
            typer.echo(f"{piece.attempt_id} {piece.kind.value}, {piece.verdict.value} on {piece.finished_at:%Y-%m-%d}")
        typer.echo(f"{len(swept.removed)} {'would go' if dry_run else 'removed'}, {swept.left_overs} left-overs cleared")
        for failure in swept.failed:
            typer.echo(f"could not be removed: {failure}", err=True)
    if swept.failed:
        raise typer.Exit(1)


@app.command()
def forget(
    subject: Annotated[str, typer.Argument(help="The account, as in IssueChallenge.", show_default=False)],
    *,
    why: Why,
    who: Who = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Destroy a person's data key: no copy of their evidence can be read again, by anybody."""
    with open_site(site_settings(data)) as site:
        site.require_subject(subject)
        count = site.room.vault.forget(subject, reader=_reader(who, why), now=datetime.now(UTC))
    if as_json:
        print_json({"subject": subject, "attempts": count})
    else:
        typer.echo(f"the evidence of {count} attempts of {subject} is unreadable, wherever a copy of it may be")


def _reader(who: str, why: str) -> Reader:
    return Reader(who or getpass.getuser(), why)
