"""`cameo vault`: replaces the vault key, which wraps the data keys of likenesses and of evidence, or begins an epoch of it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.progress import progress
from cameo_verifier.cli.site import Data, site_settings
from cameo_verifier.review.vault_rotation import new_epoch
from cameo_verifier.review.vault_rotation import rotate as rotate_key
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence import rewrapping

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.review.vault_rotation import Rotated
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.evidence.rewrapping import Rewrapped

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

app = typer.Typer(help="The vault key, which wraps the data keys of likenesses and of evidence.", no_args_is_help=True)


@app.command()
def rotate(*, data: Data = None, as_json: AsJson = False) -> None:
    """Replace the vault key, rewrap all data keys and destroy the former key. Servers may run. If interrupted, run it again.

    Exit code 1 if some data keys open under neither key.
    """
    _replace(site_settings(data), rotate_key, as_json=as_json)


@app.command()
def epoch(*, data: Data = None, as_json: AsJson = False) -> None:
    """Begin an epoch of the vault key now, as servers do every few days: data deleted before can then be decrypted from no copy.

    Servers may run. If interrupted, run it again. Exit code 1 if some data keys open under neither key.
    """
    _replace(site_settings(data), partial(new_epoch, now=datetime.now(UTC)), as_json=as_json)


def _replace(settings: Settings, replace: Callable[..., Rotated], *, as_json: bool) -> None:
    engine = open_database(settings.database)
    try:
        with progress("data keys", rewrapping.count(engine)) as bar:

            def done(each: Rewrapped) -> None:
                for _ in range(each.changed):
                    bar.done("wrapped anew")

            rotated = replace(engine, settings.vault_key, done=done)
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
