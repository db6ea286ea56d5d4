"""`cameo label`: records or shows the ground truth of an attempt."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.site import Data, open_site, site_settings
from cameo_verifier.ids import new_id
from cameo_verifier.store.attempts.labels import Label, LabelStore, Truth


def label(
    attempt: Annotated[str, typer.Argument(help="The attempt's id.", show_default=False)],
    truth: Annotated[
        Truth | None, typer.Argument(help="What it truly was; without it, the labels it has are shown.", show_default=False)
    ] = None,
    *,
    species: Annotated[str, typer.Option(help="Of an attack, such as screen_replay.", show_default=False)] = "",
    note: Annotated[str, typer.Option(help="What made you say so.", show_default=False)] = "",
    who: Annotated[str, typer.Option(help="Who you are.", show_default="your account")] = "",
    data: Data = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Record the ground truth of an attempt, or show its labels; nothing is overwritten, and each analyst's last label counts."""
    with open_site(site_settings(data)) as site:
        site.require_attempts(attempt)
        store = LabelStore(site.engine)
        if truth is not None:
            store.add(
                new_id(),
                attempt_id=attempt,
                truth=truth,
                species=species,
                note=note,
                analyst=who or getpass.getuser(),
                now=datetime.now(UTC),
            )
        history = store.history(attempt)
        consensus = store.consensus([attempt]).get(attempt)
    settled = consensus.settled if consensus else None
    disputed = bool(consensus and consensus.disputed)
    if json_:
        print_json(
            {"attempt": attempt, "settled": _said(settled) or None, "disputed": disputed, "labels": list(map(_document, history))}
        )
        return
    table = Table("", "when", "who", "says", "note", box=None, pad_edge=False)
    for each in history:
        said = f"{_said(each)}, taken back" if each.withdrawn_at else _said(each)
        table.add_row(str(each.number), f"{each.created_at:%Y-%m-%d %H:%M}", escape(each.analyst), said, escape(each.note))
    console = Console(highlight=False)
    console.print(table)
    console.print("disputed" if disputed else f"settled: {_said(settled)}" if settled else "nobody is sure")


def _said(label: Label | None) -> str:
    return "" if label is None else " ".join(filter(None, [label.truth.value, label.species]))


def _document(label: Label) -> dict[str, object]:
    return {
        "number": label.number,
        "truth": label.truth.value,
        "species": label.species or None,
        "note": label.note,
        "analyst": label.analyst,
        "at": label.created_at.isoformat(),
        "withdrawn_at": label.withdrawn_at.isoformat() if label.withdrawn_at else None,
    }
