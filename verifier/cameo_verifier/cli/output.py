"""Output of commands: tables for people, JSON for programs, exit codes for both."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cameo_verifier.types import CheckResult, Judgement, Outcome, Verdict

COULD_NOT_JUDGE = 2
EXIT_CODES = {Verdict.ACCEPTED: 0, Verdict.REJECTED: 1, Verdict.REVIEW: 1, Verdict.RETRY: 3}
_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.UNABLE: "yellow"}


def complain(message: str) -> None:
    """Print an error for people, on standard error."""
    Console(stderr=True).print(f"[red]error:[/red] {escape(message)}", highlight=False, soft_wrap=True)


@contextmanager
def no_log() -> Iterator[None]:
    """Log nothing below critical meanwhile: a server in virtual time reports that its clock jumps, which is of use to nobody."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def print_json(document: object) -> None:
    """Print one JSON document on one line."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def check_document(result: CheckResult) -> dict[str, Any]:
    """Return a check result as JSON; absent values are null."""
    return {
        "name": result.name,
        "outcome": result.outcome.value,
        "score": None if result.score is None else round(result.score, 6),
        "unit": result.unit,
        "threshold": result.threshold,
        "direction": result.direction.value if result.direction else None,
        "reason": result.reason.value if result.reason else None,
        "detail": result.detail,
    }


def judgement_document(judgement: Judgement) -> dict[str, Any]:
    """Return a judgement as JSON, without its evidence."""
    return {
        "verdict": judgement.decision.verdict.value,
        "reasons": [reason.value for reason in judgement.decision.reasons],
        "hint": judgement.decision.reasons[0].hint if judgement.decision.reasons else "",
        "profile": judgement.profile,
        "minor_safeguards": judgement.minor_safeguards,
        "checks": [check_document(result) for result in judgement.checks],
        "timings_ms": rounded(judgement.timings_ms),
        "digests": dict(judgement.digests),
    }


def rounded(values: Mapping[str, float]) -> dict[str, float]:
    """Return milliseconds, rounded to a tenth."""
    return {name: round(value, 1) for name, value in values.items()}


def checks_table(results: tuple[CheckResult, ...]) -> Table:
    """Return the checks as a table for people."""
    table = Table("check", "outcome", "score", "threshold", "reason", "detail", box=None, pad_edge=False)
    for result in results:
        sign = {"at_least": "≥", "at_most": "≤"}.get(result.direction.value if result.direction else "", "")
        table.add_row(
            result.name,
            f"[{_COLOURS[result.outcome]}]{result.outcome.value}[/]",
            "" if result.score is None else f"{result.score:.3g} {result.unit}",
            "" if result.threshold is None else f"{sign} {result.threshold:.3g}",
            result.reason.value if result.reason else "",
            result.detail,
        )
    return table
