"""The `cameo` command."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cameo_credential.errors import CameoError
from cameo_verifier.cli.lazy import LazyGroup
from cameo_verifier.cli.output import COULD_NOT_JUDGE, complain
from cameo_verifier.settings import require_allowed, require_spelt

app = typer.Typer(
    name="cameo",
    cls=LazyGroup,
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
