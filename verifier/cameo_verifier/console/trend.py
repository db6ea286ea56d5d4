"""Charts of attempts over time as inline SVG: stacked verdicts per day or week, and a small bar chart for each reason.

Colours come from the classes of the style sheet; every bar has its numbers in words too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cameo_verifier.reasons import Reason
    from cameo_verifier.store.attempts.counts import Count

_MOST_DAYS = 92
_WIDTH, _HEIGHT, _FLOOR = 600.0, 120.0, 98.0
_ROW_WIDTH, _ROW_HEIGHT = 120.0, 22.0
_MOST_BARS = 40
_ORDER = (Verdict.ACCEPTED, Verdict.REVIEW, Verdict.RETRY, Verdict.REJECTED)


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """The frequency of a reason, with its bars over time."""

    reason: Reason
    attempts: int
    bars: Markup


@dataclass(frozen=True, slots=True)
class Trend:
    """The charts above the queue."""

    attempts: int
    by_verdict: tuple[tuple[Verdict, int], ...]
    chart: Markup
    reasons: tuple[ReasonRow, ...]


def trend(counts: Sequence[Count]) -> Trend:
    """Return the charts of some counts; bars are days, or weeks if there are many days."""
    starts = _starts(counts)
    verdicts: dict[Verdict, list[int]] = {verdict: [0] * len(starts) for verdict in _ORDER}
    reasons: dict[Reason, list[int]] = {}
    for count in counts:
        bar = bisect_right(starts, count.day) - 1
        verdicts[count.verdict][bar] += count.attempts
        for reason in count.reasons:
            reasons.setdefault(reason, [0] * len(starts))[bar] += count.attempts
    totals = Counter({reason: sum(bars) for reason, bars in reasons.items()})
    tallest = max((value for bars in reasons.values() for value in bars), default=1)
    return Trend(
        attempts=sum(count.attempts for count in counts),
        by_verdict=tuple((verdict, sum(verdicts[verdict])) for verdict in reversed(_ORDER)),
        chart=_stacks(starts, verdicts),
        reasons=tuple(ReasonRow(reason, number, _bars(reasons[reason], tallest)) for reason, number in totals.most_common()),
    )


def _starts(counts: Sequence[Count]) -> list[datetime]:
    """Return the first day of each bar, oldest first."""
    if not counts:
        return []
    first, last = counts[0].day, counts[-1].day
    step = timedelta(days=1 if (last - first).days <= _MOST_DAYS else 7)
    number = (last - first) // step + 1
    return [first + step * index for index in range(number)]


def _stacks(starts: Sequence[datetime], verdicts: dict[Verdict, list[int]]) -> Markup:
    totals = [sum(bars[index] for bars in verdicts.values()) for index in range(len(starts))]
    tallest, wide = max(totals, default=1), _WIDTH / max(len(starts), 14)
    left = _WIDTH - wide * len(starts)
    parts = [Markup('<line class="rule" x1="0" x2="{}" y1="{}" y2="{}"/>').format(_WIDTH, _FLOOR, _FLOOR)]
    for index, start in enumerate(starts):
        top = _FLOOR
        told = ", ".join(f"{bars[index]} {verdict.lower()}" for verdict, bars in verdicts.items() if bars[index])
        rects = []
        for verdict, bars in verdicts.items():
            tall = bars[index] / tallest * (_FLOOR - 8)
            if tall:
                top -= tall
                rects.append(
                    Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                        verdict.lower(), left + wide * index, top, max(wide - 2, 1), max(tall - 0.6, 0.6)
                    )
                )
        parts.append(Markup("<g><title>{:%Y-%m-%d}: {}</title>{}</g>").format(start, told, Markup("").join(rects)))
    if starts:
        parts.append(Markup('<text x="{:.1f}" y="114">{:%d %b}</text>').format(left, starts[0]))
        parts.append(Markup('<text x="{}" y="114" text-anchor="end">{:%d %b}</text>').format(_WIDTH, starts[-1]))
    label = f"Attempts over time: {sum(totals)} in all, at most {tallest} in one bar" if starts else "No attempts"
    return Markup('<svg class="trend" role="img" aria-label="{}" viewBox="0 0 {:.0f} {:.0f}">{}</svg>').format(
        label, _WIDTH, _HEIGHT, Markup("").join(parts)
    )


def _bars(values: Sequence[int], tallest: int) -> Markup:
    shown = values[-_MOST_BARS:]
    wide = _ROW_WIDTH / max(len(shown), 14)
    left = _ROW_WIDTH - wide * len(shown)
    parts = [
        Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            left + wide * index, _ROW_HEIGHT - tall, max(wide - 1, 0.8), tall
        )
        for index, value in enumerate(shown)
        if (tall := value / tallest * (_ROW_HEIGHT - 2))
    ]
    return Markup('<svg class="spark" aria-hidden="true" viewBox="0 0 {:.0f} {:.0f}">{}</svg>').format(
        _ROW_WIDTH, _ROW_HEIGHT, Markup("").join(parts)
    )
