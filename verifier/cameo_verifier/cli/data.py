"""`cameo data`: gives a person all that is kept of them, as `ExportMyData` does, and verifies such an archive."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cameo_credential.errors import InvalidRequestError
from cameo_credential.export_archive import open_archive
from cameo_credential.owner_only import make_file
from cameo_verifier.cli.credential import issuer_keys_of
from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.site import Data, open_site, site_settings
from cameo_verifier.errors import NotFoundError
from cameo_verifier.ids import new_id
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.server.deciding import issuer_of
from cameo_verifier.server.exporting import Exporting
from cameo_verifier.server.retention_schedule import schedule
from cameo_verifier.server.services.data_subject_service import policy
from cameo_verifier.store.cameos.consent_records import ConsentRecords
from cameo_verifier.store.evidence.audit import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

app = typer.Typer(help="A person's own data: all that is kept of them, in one signed archive.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def export(
    *,
    subject: Annotated[str, typer.Option(help="The account, as in IssueChallenge.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The ZIP file to write it to, in the clear.", show_default=False)],
    why: Annotated[str, typer.Option(help="Why, for the audit log, such as the person's request.", show_default=False)],
    who: Annotated[str, typer.Option(help="Who you are, for the audit log.", show_default="your account")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write all that is kept of a person to a file that only you can read; the audit log records each piece of evidence in it."""
    settings, reader = site_settings(data), Reader(who or getpass.getuser(), why)

    def clock() -> datetime:
        return datetime.now(UTC)

    with open_site(settings) as site:
        exporting = Exporting(
            site.engine,
            site.room,
            open_vault(settings.vault_key, now=clock()),
            ConsentRecords(site.room.keys, policy(settings)),
            issuer_of(settings, site.engine, clock, new_id)(),
            schedule(settings),
            settings.expose_scores,
            clock,
            reader,
        )
        if not exporting.knows(subject):
            raise NotFoundError(f"the site keeps nothing of {subject!r}")
        size = _write(out, exporting.export(subject))
    if as_json:
        print_json({"subject": subject, "file": str(out), "bytes": size})
    else:
        typer.echo(f"{size} bytes in {out}: all that is kept of {subject}")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The archive.", show_default=False)],
    *,
    issuer_keys: Annotated[str, typer.Option(help="The issuer's keys: a JWKS file, or their https URI.", show_default=False)],
    issuer: Annotated[str, typer.Option(help="Who must have made it.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Check that the issuer made an archive, and that no file in it was altered, added or taken out."""
    opened = open_archive(file, issuer_keys=issuer_keys_of(issuer_keys), expected_issuer=issuer)
    if as_json:
        made, files, left_out = opened.made_at.isoformat(), dict(opened.files), dict(opened.left_out)
        print_json({"valid": True, "subject": opened.subject, "made_at": made, "files": files, "left_out": left_out})
        return
    typer.echo(f"{len(opened.files)} files about {opened.subject}, made by {issuer} on {opened.made_at:%Y-%m-%d %H:%M} UTC")
    for name, reason in opened.left_out.items():
        typer.echo(f"left out: {name}: {reason}")


def _write(path: Path, parts: Iterable[bytes]) -> int:
    """Write a new file, mode 0600, and return its length; of one that cannot be finished nothing is left."""
    descriptor = None if path.exists() else make_file(path)
    if descriptor is None:
        raise InvalidRequestError(f"{path} is there already: name a new file")
    try:
        with os.fdopen(descriptor, "wb") as file:
            return sum(map(file.write, parts))
    except BaseException:
        path.unlink()
        raise
