"""Tables and JSON of the simulation of delays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from cameo_verifier.review.late import SEED, SESSIONS, SLICE_S, SOURCES
from cameo_verifier.review.rendering import interval, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.profile import Profile
    from cameo_verifier.review.error_rates import Rate
    from cameo_verifier.review.late import Line

WHAT = "A simulation of delays, drawn from the distributions below: nobody was recorded for it."
GOALS = "Goals: at most 1 % of people asked again or accused; nothing accepted with more than 1.0 s added."


def late_document(lines: Sequence[Line], profile: Profile) -> dict[str, Any]:
    """Return the rates, the thresholds they rest on, and where each distribution comes from, as plain values."""
    return {
        "what": WHAT,
        "sessions": SESSIONS,
        "seed": SEED,
        "slice_s": SLICE_S,
        "answer_reaction_min_s": profile["answer_reaction_min"].value,
        "answer_latency_max_s": profile["answer_latency_max"].value,
        "delays": [
            {
                "added_s": line.delay_s,
                **{name: _rate(getattr(line, name)) for name in ("accepted", "asked_again", "accused", "best_case")},
            }
            for line in lines
        ],
        "distributions": [source._asdict() for source in SOURCES],
    }


def late_tables(lines: Sequence[Line]) -> tuple[Table, Table]:
    """Return two tables: the rates by added delay, and the distributions with their sources."""
    rates = Table(
        "added delay", "accepted", "95 % interval", "asked again", "95 % interval", "accused", "95 % interval",
        "accepted, quickest operator, no transport", "95 % interval", box=None, pad_edge=False,
    )  # fmt: skip
    for line in lines:
        cells = (line.accepted, line.asked_again, line.accused, line.best_case)
        rates.add_row(f"{line.delay_s:.1f} s", *(text for each in cells for text in (percent(each.share), interval(each))))
    sources = Table("what", "drawn", "source", box=None, pad_edge=False)
    for row in SOURCES:
        sources.add_row(*row)
    return rates, sources


def _rate(rate: Rate) -> dict[str, float | int | None]:
    return {"count": rate.count, "of": rate.trials, "share": rate.share, "low": rate.low, "high": rate.high}
