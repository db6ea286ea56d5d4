"""The report as one HTML page: it opens from disk, holds its own styles and pictures, and runs no script.

Ids, species and conditions come from manifests that anybody may have written: every text is escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from cameo_verifier.profile import CheckRole
from cameo_verifier.review.charts import det, distribution, trade_off
from cameo_verifier.review.error_rates import CONFIDENCE
from cameo_verifier.review.kept import told
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cameo_verifier.review.error_rates import CheckRates, ConditionRates, Rate, SpeciesRates
    from cameo_verifier.review.fairness import GroupRates
    from cameo_verifier.review.judging import Attempt
    from cameo_verifier.review.kept import Kept
    from cameo_verifier.review.report import Report, Scores

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --rule: #d9dee6; --paper: #fff; --panel: #f6f7f9;
  --good: #2a7f62; --bad: #c2410c; --mark: #1d4ed8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #98a2b3; --rule: #343c49; --paper: #12161c;
  --panel: #1a2029; --good: #5cc29f; --bad: #fb923c; --mark: #93b4ff; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 1080px;
  padding: 32px 20px 80px; }
h1 { font-size: 1.6rem; margin: 0 0 4px; } h2 { font-size: 1.15rem; margin: 40px 0 8px; } h3 { font-size: 1rem; margin: 0; }
p { margin: 6px 0; max-width: 75ch; } .soft, small { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .85rem; vertical-align: bottom; }
th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--rule); } td.n, th.n { text-align: right; white-space: nowrap; }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); }
.headline { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0; }
.headline div { background: var(--panel); border-radius: 8px; padding: 12px 18px; min-width: 160px; }
.headline b { display: block; font-size: 1.5rem; }
.checks { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 16px; }
.checks section { background: var(--panel); border-radius: 8px; padding: 14px; }
svg { width: 100%; height: auto; display: block; } svg text { font: 10px system-ui, sans-serif; fill: var(--soft); }
rect.genuine { fill: var(--good); } rect.attack { fill: var(--bad); }
.axis { stroke: var(--soft); } .grid { stroke: var(--rule); } .line { stroke: var(--mark); stroke-width: 1.5; }
.curve { fill: none; stroke-width: 2; } .every { stroke: var(--soft); stroke-dasharray: 4 3; } .aimed { stroke: var(--mark); }
code { font-size: .85em; overflow-wrap: anywhere; } details { margin-top: 12px; }
"""


def page(report: Report) -> str:
    """Return the page."""
    body = "".join(
        [
            _head(report),
            _kept_section(report.kept),
            _species_section(report.species),
            _bona_fide_section(report.bona_fide, report.conditions),
            _groups_section(report.groups),
            _checks_section(report.checks),
            _charts_section(report),
            _attempts_section(report.attempts),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Error rates: {escape(report.profile.name)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def percent(share: float | None) -> str:
    """Return a rate for people."""
    return "–" if share is None else f"{100 * share:.1f} %"


def interval(rate: Rate) -> str:
    """Return the interval of a rate for people."""
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f} %"


def _head(report: Report) -> str:
    worst = max((rates.apcer.share or 0 for rates in report.species), default=None)
    through = sum(bool(rates.apcer.count) for rates in report.species)
    genuine = report.bona_fide
    boxes = [
        (percent(worst), "APCER of the worst species"),
        (f"{through} of {len(report.species)}", "species of which any was accepted"),
        (percent(genuine.bpcer.share), f"BPCER, {interval(genuine.bpcer)}"),
        (percent(genuine.retries.share), "bona fide asked to try again"),
    ]
    digests = "".join(
        f"<tr><td>{escape(name)}</td><td><code>{escape(digest)}</code></td></tr>" for name, digest in report.digests.items()
    )
    half = f", half <b>{escape(report.half)}</b>" if report.half else ""
    return (
        f"<h1>Error rates, profile {escape(report.profile.name)}</h1>"
        f'<p class="soft">{escape(report.manifest)}{half}: {len(report.attempts)} recordings, '
        f"judged {report.made_at:%Y-%m-%d %H:%M} UTC. Intervals: Clopper-Pearson, {100 * CONFIDENCE:.0f} %.</p>"
        f'<div class="headline">{"".join(f"<div><b>{escape(n)}</b><small>{escape(t)}</small></div>" for n, t in boxes)}</div>'
        f"<details><summary>What the verdicts depend on</summary><table>{digests}</table></details>"
    )


def _kept_section(kept: Sequence[Kept]) -> str:
    if not kept:
        return ""
    rows = [[escape(name), escape(told(kept, name))] for name in dict.fromkeys(each.name for each in kept)]
    return "<h2>What the rates are of</h2>" + table(["label", "labelled attempts, by what they were judged then"], rows)


def _species_section(species: Sequence[SpeciesRates]) -> str:
    return (
        "<h2>Attacks, worst species first</h2><p>APCER is the share accepted; it is not averaged over species, since an attacker "
        f"chooses the best one.</p>{_species_table(species)}"
    )


def _species_table(species: Iterable[SpeciesRates]) -> str:
    rows = [
        [
            escape(rates.species),
            _number(rates.apcer.trials),
            _number(rates.apcer.count, bad=bool(rates.apcer.count)),
            percent(rates.apcer.share),
            interval(rates.apcer),
            percent(rates.retries.share),
            _stopped(rates.stopped_by),
        ]
        for rates in species
    ]
    return table(["species", "#presented", "#accepted", "#APCER", "#interval", "#retry", "stopped by"], rows)


def _bona_fide_section(everyone: ConditionRates, conditions: Sequence[ConditionRates]) -> str:
    rows = [
        [
            escape(rates.condition),
            _number(rates.bpcer.trials),
            _number(rates.bpcer.count, bad=bool(rates.bpcer.count)),
            percent(rates.bpcer.share),
            interval(rates.bpcer),
            percent(rates.retries.share),
            _stopped(rates.stopped_by),
        ]
        for rates in (everyone, *conditions)
    ]
    return (
        "<h2>Bona fide people</h2><p>BPCER is the share rejected, sent to review or not judgeable; being asked to try again is "
        "counted apart.</p>"
        + table(["condition", "#presented", "#rejected", "#BPCER", "#interval", "#retry", "stopped by"], rows)
    )


def _groups_section(groups: Sequence[GroupRates]) -> str:
    if not groups:
        return ""
    rows = [
        [
            escape(rates.attribute),
            escape(rates.group),
            _number(rates.accused.trials),
            f"{percent(rates.acquisition_failures.share)} <small>{interval(rates.acquisition_failures)}</small>",
            f"{percent(rates.false_rejections.share)} <small>{interval(rates.false_rejections)}</small>",
            _number(rates.accused.count, bad=bool(rates.accused.count)),
            f"{rates.median_s:.1f} s",
            escape(shifts(rates)),
        ]
        for rates in groups
    ]
    return (
        "<h2>Bona fide people by group</h2><p>In the terms of ISO/IEC 19795-10. Failure to acquire: asked to try again, or not "
        "judgeable. False rejection: rejected or sent to review, of those acquired. Score shift: how much better the group "
        "scores than everybody else, in interquartile ranges; the worst three.</p>"
        + table(
            ["by", "group", "#presented", "#failure to acquire", "#false rejection", "#accused", "#time", "score shift"], rows
        )
    )


def shifts(rates: GroupRates) -> str:
    """Return the three confirming checks in which a group does worst against everybody else, for people."""
    worst = sorted(rates.score_shifts.items(), key=lambda item: item[1])[:3]
    return ", ".join(f"{check} {shift:+.2f}" for check, shift in worst)


def _checks_section(checks: Sequence[CheckRates]) -> str:
    rows = [
        [
            escape(rates.check),
            escape(rates.role.value),
            _of(rates.attacks_stopped),
            _number(rates.attacks_alone.count),
            _of(rates.bona_fide_stopped, bad=bool(rates.bona_fide_stopped.count) and rates.role is not CheckRole.ADVISE),
            _number(rates.bona_fide_alone.count),
            _number(rates.unable),
        ]
        for rates in checks
    ]
    return (
        "<h2>Which check does what</h2><p>How many presentations each check counted against, and how many nothing else did: "
        "what is lost without it, and what it alone costs bona fide people. A check of role advise decided nothing; its row says "
        "what it would do as a veto.</p>"
        + table(
            ["check", "role", "#attacks stopped", "#alone", "#bona fide stopped", "#alone", "#could not answer"],
            rows,
        )
    )


def _charts_section(report: Report) -> str:
    sections = [_chart(name, scores) for name, scores in report.scores.items()]
    return (
        '<h2>Scores</h2><p><span class="good">■ bona fide</span> above, <span class="bad">■ attacks</span> below, each to its '
        "own number; the line is the threshold. Below: the trade-off of errors when that one threshold moves, over all attacks "
        "(dashed) and over the species of which the check stopped at least one (solid). Most checks are made against few "
        "species.</p>"
        f'<div class="checks">{"".join(sections)}</div>'
    )


def _chart(name: str, scores: Scores) -> str:
    counted = f"{len(scores.bona_fide)} bona fide, {len(scores.attacks)} attacks scored"
    histogram = distribution(
        scores.bona_fide, scores.attacks, threshold=scores.threshold, unit=scores.unit, direction=scores.direction
    )
    curves = [
        (kind, trade_off(scores.bona_fide, attacks, scores.direction))
        for kind, attacks in (("every", scores.attacks), ("aimed", scores.attacks_it_stops))
        if attacks and scores.bona_fide
    ]
    return f"<section><h3>{escape(name)}</h3><small>{counted}</small>{histogram}{det(curves) if curves else ''}</section>"


def _attempts_section(attempts: Sequence[Attempt]) -> str:
    rows = [
        [
            escape(attempt.case.id),
            escape(attempt.case.species or f"bona fide, {attempt.case.condition}"),
            _verdict(attempt),
            escape(", ".join(attempt.reasons)),
        ]
        for attempt in attempts
    ]
    listed = table(["id", "what it is", "verdict", "reasons"], rows)
    return f"<h2>Recordings</h2><details><summary>All {len(rows)}</summary>{listed}</details>"


def _verdict(attempt: Attempt) -> str:
    wrong = (attempt.verdict is Verdict.ACCEPTED) == bool(attempt.case.species)
    return f'<span class="{"bad" if wrong else "good"}">{escape(attempt.verdict.value)}</span>'


def _stopped(stopped_by: Mapping[str, int]) -> str:
    return escape(", ".join(f"{name} {count}" for name, count in stopped_by.items())) or '<span class="soft">nothing</span>'


def _number(value: int, *, bad: bool = False) -> str:
    return f'<span class="bad">{value}</span>' if bad else str(value)


def _of(rate: Rate, *, bad: bool = False) -> str:
    return _number(rate.count, bad=bad) + f' <span class="soft">of {rate.trials}</span>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of escaped cells; a head that starts with # stands over numbers."""
    tags = [' class="n"' if head.startswith("#") else "" for head in heads]
    head = "".join(f"<th{tag}>{text.lstrip('#')}</th>" for tag, text in zip(tags, heads, strict=True))
    body = "".join(f"<tr>{''.join(f'<td{tag}>{cell}</td>' for tag, cell in zip(tags, row, strict=True))}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
