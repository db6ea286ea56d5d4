"""`cameo evaluate --injection`: plays injection attacks on live sessions, and reports which are accepted."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from rich.console import Console

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli.output import no_log, print_json
from cameo_verifier.cli.progress import progress
from cameo_verifier.review.injection import WHAT, injection_document, injection_tables

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.settings import Settings

SEED = 1
_WIDE = 200
"""Columns of the tables if the output is no terminal."""


def evaluate_injection(settings: Settings, *, per_cell: int, side_by_side: int, out: Path | None, json_: bool) -> None:
    """Play the suite and print its matrix.

    Args:
        settings: of the servers that judge.
        per_cell: sessions of each method with each instrument; the bona fide stand-in has as many of each method.
        side_by_side: number of servers.
        out: folder for injection.json, if any.
        json_: whether to print the document in place of tables.

    Raises:
        InvalidRequestError: the studio is not installed, which renders who is injected.
    """
    try:
        from fixtures.injection import sessions  # noqa: PLC0415 - the studio is an extra
    except ImportError as error:
        raise InvalidRequestError(
            f"the suite renders its own sessions: in the clone, "
            f"pip install ./packaging/client ./packaging/credential '.[studio]' ({error})"
        ) from None
    planned = sessions.plan(per_cell, SEED)
    with progress("injecting", len(planned)) as bar, no_log():
        play = sessions.play(
            settings,
            planned,
            side_by_side=side_by_side,
            ended=lambda each: bar.done(f"{each.method} {each.instrument} {each.verdict}"),
        )
        played = asyncio.run(play)
    matrix = sessions.matrix()
    document = injection_document(matrix, played)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "injection.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    if json_:
        print_json(document)
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(f"{WHAT}\n")
    for table in injection_tables(matrix, played):
        console.print(table)
        console.print()
