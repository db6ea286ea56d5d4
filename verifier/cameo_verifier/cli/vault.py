"""`cameo vault`: rotates the vault key, which wraps the data keys of likenesses and of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.progress import progress
from cameo_verifier.cli.site import Data, site_settings
from cameo_verifier.review.vault_rotation import rotate as rotate_key
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence import rewrapping

if TYPE_CHECKING:
    from cameo_verifier.store.evidence.rewrapping import Rewrapped

app = typer.Typer(help="The vault key, which wraps the data keys of likenesses and of evidence.", no_args_is_help=True)


@app.callback()
def vault() -> None:
    """Keep this command a group, though it has one subcommand."""


@app.command()
def rotate(
    *, data: Data = None, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
) -> None:
    """Replace the vault key, rewrap all data keys and destroy the former key. Servers may run. If interrupted, run it again.

    Exit code 1 if some data keys open under neither key.
    """
    settings = site_settings(data)
    engine = open_database(settings.database)
    try:
        with progress("data keys", rewrapping.count(engine)) as bar:

            def done(each: Rewrapped) -> None:
                for _ in range(each.changed):
                    bar.done("wrapped anew")

            rotated = rotate_key(engine, settings.vault_key, done=done)
    finally:
        engine.dispose()
    if as_json:
        print_json(
            {
                "vault_key": rotated.vault_key_id,
                "data_keys": rotated.data_keys,
                "changed": rotated.changed,
                "unreadable": rotated.unreadable,
                "scrubbed": rotated.scrubbed,
            }
        )
    else:
        typer.echo(f"vault key {rotated.vault_key_id}: {rotated.changed} of {rotated.data_keys} data keys wrapped anew")
        if rotated.unreadable:
            typer.echo(f"{rotated.unreadable} data keys open under neither key, and are as they were", err=True)
        if not rotated.scrubbed:
            typer.echo("the database's log could not be emptied: a running server does it within an hour", err=True)
    if rotated.unreadable:
        raise typer.Exit(1)
