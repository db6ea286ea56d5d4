"""Findings as a table, as JSON and as a page, and the command of one question."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from cameo_verifier import profiles
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.review.rendering import interval, percent, templates
from cameo_verifier.settings import Settings
from tests.real.finding import Real

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.real.finding import Finding

COLUMNS = ("whose", "what", "of", "rate", "95 % interval", "goal", "worst item")
SHORT = (
    ("genuine, talking", "accused"),
    ("genuine, turning the head", "accepted"),
    ("replays on a display", "accepted"),
    ("generated heads", "accepted"),
    ("genuine portraits", "refused by any"),
    ("displays", "refused by any"),
    ("genuine talkers", "accused"),
    ("their sound 1.5 to 3 s shifted", "accepted"),
    ("the sound of another talker", "accepted"),
    ("telephone callers", "right accepted"),
    ("telephone callers", "two digits wrong accepted"),
    ("under 13, female", "right accepted"),
    ("under 13, male", "right accepted"),
    ("all", "both networks, below 27"),
)
"""Group and measurement of each row of the table in docs/measured.md, in its order."""

PAGE = """{% extends "base.html" %}
{% block body %}
<h1>{{ title }}</h1><p class="soft">{{ made }}</p>
{% for question, rows in sections %}
<h2>{{ question }}</h2><div class="wide"><table>
<tr>{% for column in columns %}<th>{{ column }}</th>{% endfor %}</tr>
{% for row in rows %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</table></div>
{% endfor %}
{% endblock %}
"""


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


def short(findings: Sequence[Finding]) -> str:
    """Return the table of docs/measured.md, in Markdown; a row of `SHORT` that was not measured is left out."""
    by_name = {(row.group, row.what): row for row in reversed(findings)}
    rows = [by_name[key] for key in SHORT if key in by_name]
    lines = [f"| {row.question} {row.group}: {row.what} | {' | '.join(_cells(row)[2:6])} |" for row in rows]
    return "\n".join(("| real recordings | of | rate | 95 % interval | goal |", "|---|---|---|---|---|", *lines)) + "\n"


def page(findings: Sequence[Finding], made: str) -> str:
    """Return the findings as one HTML page that opens from disk."""
    sections = [(question, [_cells(row) for row in rows]) for question, rows in groupby(findings, lambda row: row.question)]
    return templates().from_string(PAGE).render(title="Rates on real recordings", made=made, columns=COLUMNS, sections=sections)


def _cells(row: Finding) -> tuple[str, ...]:
    count = f"{row.rate.count} of {row.rate.trials}"
    return row.group, row.what, count, percent(row.rate.share), interval(row.rate), row.goal, row.worst
