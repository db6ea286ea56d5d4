"""`cameo attempts`: lists attempts and shows one with its checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cameo_verifier.cli.output import check_document, checks_table, print_json, rounded
from cameo_verifier.cli.site import Data, open_site, site_settings
from cameo_verifier.review.filter_language import condition_of as parse
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.labels import LabelStore
from cameo_verifier.store.attempts.search import AttemptSearch

if TYPE_CHECKING:
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.attempts.labels import Consensus

app = typer.Typer(help="Attempts and their results.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_(
    *,
    where: Annotated[
        str, typer.Option(help="Which, such as 'verdict=REJECTED and since=2026-11-01'; all without it.", show_default=False)
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="So many at most.")] = 100,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show attempts, the newest first."""
    condition = parse(where) if where else None
    with open_site(site_settings(data)) as site:
        found = AttemptSearch(site.engine).page(condition, limit=limit)
        consensus = LabelStore(site.engine).consensus([attempt.id for attempt in found])
    if as_json:
        print_json({"attempts": [_document(attempt, consensus.get(attempt.id)) for attempt in found]})
        return
    others = (Column(title, overflow="fold") for title in ("when", "account", "came of it", "reasons", "label"))
    table = Table(Column("attempt", no_wrap=True), *others, box=None, pad_edge=False)
    for attempt in found:
        reasons = ", ".join(reason.value for reason in attempt.reasons)
        when, came = f"{attempt.created_at:%Y-%m-%d %H:%M}", _came_of(attempt)
        table.add_row(attempt.id, when, escape(attempt.subject), came, reasons, _label(consensus.get(attempt.id)))
    Console(highlight=False, soft_wrap=True).print(table)


@app.command()
def show(
    attempt: Annotated[str, typer.Argument(help="The attempt's id.", show_default=False)],
    *,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show one attempt with every check, its score and its threshold."""
    with open_site(site_settings(data)) as site:
        site.require_attempts(attempt)
        found = AttemptStore(site.engine).get(attempt)
        consensus = LabelStore(site.engine).consensus([attempt]).get(attempt)
        kept = [piece.kind.value for piece in site.room.vault.held(attempt) if piece.removed_at is None]
    if as_json:
        checks = [check_document(check) for check in found.checks]
        more = {"timings_ms": rounded(found.timings_ms), "digests": dict(found.digests), "kept": kept}
        print_json(_document(found, consensus) | {"checks": checks} | more)
        return
    console = Console(highlight=False)
    reasons = ", ".join(reason.value for reason in found.reasons)
    console.print(f"[bold]{_came_of(found)}[/bold] {reasons}")
    console.print(f"{escape(found.subject)} for {escape(found.audience)}, {found.created_at:%Y-%m-%d %H:%M:%S} UTC")
    if found.checks:
        console.print(checks_table(found.checks))
    console.print(f"profile {escape(found.profile) or 'none'}; kept: {', '.join(kept) or 'nothing'}")
    if found.minor_safeguards:
        console.print("possibly a minor: minor safeguards apply")
    if consensus:
        console.print(f"label: {_label(consensus)}")


def _came_of(attempt: Attempt) -> str:
    return attempt.state.value if attempt.verdict is None else attempt.verdict.value


def _label(consensus: Consensus | None) -> str:
    if consensus is None:
        return ""
    if consensus.disputed:
        return "disputed"
    return " ".join(filter(None, [label.truth.value, label.species])) if (label := consensus.settled) else "unsure"


def _document(attempt: Attempt, consensus: Consensus | None) -> dict[str, Any]:
    return {
        "attempt": attempt.id,
        "challenge": attempt.challenge_id,
        "subject": attempt.subject,
        "audience": attempt.audience,
        "state": attempt.state.value,
        "verdict": attempt.verdict.value if attempt.verdict else None,
        "reasons": [reason.value for reason in attempt.reasons],
        "profile": attempt.profile,
        "minor_safeguards": attempt.minor_safeguards,
        "recording_sha256": attempt.recording_sha256,
        "created_at": attempt.created_at.isoformat(),
        "finished_at": attempt.finished_at.isoformat() if attempt.finished_at else None,
        "label": _label(consensus),
    }
