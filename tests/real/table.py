"""Findings as a table, as JSON and as a page, and the command of one question."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.real.finding import Real
from verifier import profiles
from verifier.models.kit import ModelKit
from verifier.review.page import STYLE, interval, percent
from verifier.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.real.finding import Finding

COLUMNS = ("whose", "what", "of", "rate", "95 % interval", "goal", "worst item")


def run(measure: Callable[[Real], list[Finding]], said: str | None) -> None:
    """Measure one question on the folder that the command line names, and print it."""
    parser = argparse.ArgumentParser(description=said, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the real recordings")
    folder, settings = parser.parse_args().devdata, Settings()
    with ModelKit.open(settings) as kit:
        print_findings(measure(Real(folder, kit, profiles.load(), settings)))


def print_findings(findings: Sequence[Finding]) -> None:
    """Print a table for each question."""
    console = Console(width=200, highlight=False)
    for question, rows in groupby(findings, lambda finding: finding.question):
        table = Table(*COLUMNS, title=question, title_justify="left", box=None, pad_edge=False)
        for row in rows:
            table.add_row(*_cells(row))
        console.print(table)


def document(findings: Sequence[Finding], digests: dict[str, str]) -> str:
    """Return the findings as one JSON document."""
    rows = [{**asdict(finding), "rate": {**asdict(finding.rate), "share": finding.rate.share}} for finding in findings]
    return json.dumps({"digests": digests, "findings": rows}, indent=1) + "\n"


def page(findings: Sequence[Finding], made: str) -> str:
    """Return the findings as one HTML page that opens from disk."""
    sections = []
    for question, rows in groupby(findings, lambda finding: finding.question):
        head = "".join(f"<th>{escape(column)}</th>" for column in COLUMNS)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(row))}</tr>" for row in rows)
        sections.append(f'<h2>{escape(question)}</h2><div class="wide"><table><tr>{head}</tr>{body}</table></div>')
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Rates on real recordings</title><style>{STYLE}</style></head><body><h1>Rates on real recordings</h1>"
        f'<p class="soft">{escape(made)}</p>{"".join(sections)}</body></html>\n'
    )


def _cells(row: Finding) -> tuple[str, ...]:
    count = f"{row.rate.count} of {row.rate.trials}"
    return row.group, row.what, count, percent(row.rate.share), interval(row.rate), row.goal, row.worst
