"""The report of error rates as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from cameo_verifier.review.charts import det, distribution, trade_off
from cameo_verifier.review.error_rates import CONFIDENCE
from cameo_verifier.review.kept import told
from cameo_verifier.review.rendering import interval, percent, render

if TYPE_CHECKING:
    from cameo_verifier.review.report import Report, Scores


def page(report: Report) -> str:
    """Return the page."""
    return render(
        "report.html",
        title=f"Error rates: {report.profile.name}",
        report=report,
        boxes=_boxes(report),
        confidence=CONFIDENCE,
        kept={each.name: told(report.kept, each.name) for each in report.kept},
        drawn={name: _drawn(scores) for name, scores in report.scores.items()},
    )


def _boxes(report: Report) -> list[tuple[str, str]]:
    worst = max((rates.apcer.share or 0 for rates in report.species), default=None)
    through = sum(bool(rates.apcer.count) for rates in report.species)
    genuine = report.bona_fide
    return [
        (percent(worst), "APCER of the worst species"),
        (f"{through} of {len(report.species)}", "species of which any was accepted"),
        (percent(genuine.bpcer.share), f"BPCER, {interval(genuine.bpcer)}"),
        (percent(genuine.retries.share), "bona fide asked to try again"),
    ]


def _drawn(scores: Scores) -> Markup:
    histogram = distribution(
        scores.bona_fide, scores.attacks, threshold=scores.threshold, unit=scores.unit, direction=scores.direction
    )
    curves = [
        (kind, trade_off(scores.bona_fide, attacks, scores.direction))
        for kind, attacks in (("every", scores.attacks), ("aimed", scores.attacks_it_stops))
        if attacks and scores.bona_fide
    ]
    return histogram + (det(curves) if curves else Markup(""))
