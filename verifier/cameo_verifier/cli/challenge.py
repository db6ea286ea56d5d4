"""`cameo challenge`: draws challenges without a server, to test recordings with."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import Annotated

import typer
from rich.console import Console

from cameo_challenges.issue import entropy_bits, recipe_in
from cameo_challenges.issue import issue as draw
from cameo_challenges.languages import DEFAULT, UnknownLanguageError
from cameo_challenges.model import AnswerPath, to_json
from cameo_challenges.prompts import prompt
from cameo_verifier.cli.output import COULD_NOT_JUDGE, complain, print_json
from cameo_verifier.settings import Settings

app = typer.Typer(help="Draw challenges to answer on camera.", no_args_is_help=True)


@app.callback()
def challenge() -> None:
    """Draw challenges to answer on camera."""


@app.command()
def issue(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    language: Annotated[str, typer.Option(help="BCP 47 tag of the language there is something to say in.")] = DEFAULT,
    path: Annotated[AnswerPath, typer.Option(help="What the person can do.")] = AnswerPath.SPEECH_AND_TURNS,
    out: Annotated[
        Path | None, typer.Option(help="Write the challenge to this file, for `cameo verify --challenge`.", show_default=False)
    ] = None,
) -> None:
    """Draw a random challenge and show its steps, its entropy and its lifetime.

    No server stores it: `cameo verify` judges recordings of it, a server does not know it.
    """
    ttl = timedelta(seconds=Settings().challenge_ttl_s)
    try:
        recipe = recipe_in(language, path)
    except UnknownLanguageError as error:
        complain(str(error))
        raise typer.Exit(COULD_NOT_JUDGE) from None
    drawn = draw(rng=SystemRandom(), now=datetime.now(UTC), ttl=ttl, recipe=recipe)
    document = to_json(drawn)
    if out is not None:
        try:
            out.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
        except OSError as error:
            complain(f"cannot write {out}: {error.strerror}")
            raise typer.Exit(COULD_NOT_JUDGE) from None
    if as_json:
        print_json({"challenge": document, "entropy_bits": round(entropy_bits(recipe), 2), "ttl_s": int(ttl.total_seconds())})
        return
    console = Console(highlight=False)
    for number, step in enumerate(drawn.steps, 1):
        console.print(f"{number}. {prompt(step, drawn.language)}")
    light = f", and {recipe.light_bits:.0f} of the screen's light to come" if recipe.light_bits else ""
    console.print(f"[dim]{entropy_bits(recipe):.1f} bits of entropy{light}, valid for {ttl.total_seconds():.0f} s[/]")
