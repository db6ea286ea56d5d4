"""The `cameo` command."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cameo_credential.errors import CameoError
from cameo_verifier.cli import (
    attempts,
    audit,
    challenge,
    console,
    credential,
    demo,
    evaluate,
    evidence,
    gallery,
    inspect,
    label,
    models,
    replay,
    serve,
    vault,
    verify,
    webhooks,
)
from cameo_verifier.cli.output import COULD_NOT_JUDGE, complain
from cameo_verifier.settings import require_allowed, require_spelt

app = typer.Typer(
    name="cameo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"cameo {version('cameo-verifier')}")
        raise typer.Exit


@app.callback()
def cameo(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Prove that a real, present, willing person answered a spoken challenge on camera."""


app.command("serve")(serve.serve)
app.command("verify")(verify.verify)
app.command("inspect")(inspect.inspect)
app.command("evaluate")(evaluate.evaluate)
app.command("replay")(replay.replay)
app.command("label")(label.label)
app.command("demo")(demo.demo)
app.command("webhooks")(webhooks.webhooks)
app.add_typer(console.app, name="console")
app.add_typer(challenge.app, name="challenge")
app.add_typer(credential.app, name="credential")
app.add_typer(gallery.app, name="gallery")
app.add_typer(attempts.app, name="attempts")
app.add_typer(evidence.app, name="evidence")
app.add_typer(audit.app, name="audit")
app.add_typer(vault.app, name="vault")
app.add_typer(models.app, name="models")


def main() -> None:
    """Run the command; an error that the package raises on purpose ends it with its message and exit code 2."""
    try:
        require_spelt(os.environ)
        require_allowed()
        app(prog_name="cameo")  # also as `python -m cameo_verifier.cli`: completion is bound to this name
    except CameoError as error:
        complain(str(error))
        sys.exit(COULD_NOT_JUDGE)
    except BrokenPipeError:
        sys.exit(COULD_NOT_JUDGE)
