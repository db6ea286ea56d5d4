"""Findings as a person reads them in a terminal."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.real.finding import Finding


def print_findings(findings: Sequence[Finding], *, width: int = 170) -> None:
    """Print one table for each question, its lines in the order given; shares in percent, with their 95 % intervals."""
    console = Console(width=width)
    for question, lines in groupby(findings, key=lambda found: found.question):
        table = Table(title=question)
        for heading in ("group", "what", "share", "of", "95 %", "goal", "worst"):
            table.add_column(heading)
        for found in lines:
            share = found.rate.share
            table.add_row(
                found.group,
                found.what,
                "" if share is None else f"{share:.1%}",
                f"{found.rate.count}/{found.rate.trials}",
                "" if share is None else f"{found.rate.low:.1%} to {found.rate.high:.1%}",
                found.goal,
                found.worst,
            )
        console.print(table)
