"""Pictures of scores as inline SVG, written by hand: they need no script, no font and no network.

Colours come from CSS classes of the page: `genuine`, `attack`, `axis`, `grid`, `line`, `note`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from markupsafe import Markup

from cameo_verifier.types import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT = 340, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 12, 34
_BINS = 28
_TICKS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Rates on the axes of a DET curve; errors below the first or above the last are drawn on the edge."""
_PROBIT = NormalDist().inv_cdf


@dataclass(frozen=True, slots=True)
class Point:
    """The error rates, 0..1, at one threshold."""

    apcer: float
    bpcer: float


def distribution(
    bona_fide: Sequence[float], attacks: Sequence[float], *, threshold: float | None, unit: str, direction: Direction
) -> Markup:
    """Return two histograms back to back, bona fide above and attacks below, with the threshold between good and bad.

    Each is drawn to its own number, so that few bona fide presentations stay visible beside many attacks.
    """
    scores = [*bona_fide, *attacks, *([] if threshold is None else [threshold])]
    low, high = min(scores), max(scores)
    pad = (high - low) * 0.04 or max(abs(high) * 0.1, 0.5)
    low, high = low - pad, high + pad
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    room = middle - _TOP - 2
    parts = [_line("axis", _LEFT, _WIDTH - _RIGHT, middle, middle)]
    for name, values, up in (("genuine", bona_fide, 1), ("attack", attacks, -1)):
        counts = _histogram(values, low, high)
        tallest = max(counts, default=0)
        for index, count in enumerate(counts):
            if count:
                tall = room * count / tallest
                left = _across(low + (high - low) * index / _BINS, low, high)
                top = middle - tall if up > 0 else middle
                wide = (_WIDTH - _LEFT - _RIGHT) / _BINS - 1
                bar = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
                parts.append(bar.format(name, left, top, wide, tall))
    if threshold is not None:
        x = _across(threshold, low, high)
        sign = "≥" if direction is Direction.AT_LEAST else "≤"
        anchor = "end" if x > _WIDTH / 2 else "start"
        beside = x - 4 if anchor == "end" else x + 4
        parts.append(_line("line", x, x, _TOP - 4, _HEIGHT - _BOTTOM + 4))
        parts.append(_note(beside, _TOP, f"{sign} {threshold:.3g}", anchor))
    for share in (0.0, 0.5, 1.0):
        value = low + (high - low) * share
        anchor = ("start", "middle", "end")[round(2 * share)]
        parts.append(_note(_across(value, low, high), _HEIGHT - 18, f"{value:.3g}", anchor))
    parts.append(_caption(unit))
    return _svg(parts, "Scores: bona fide above the axis, attacks below")


def det(curves: Sequence[tuple[str, Sequence[Point]]]) -> Markup:
    """Return detection-error trade-off curves, (class, points) each, on axes that make normal scores straight lines."""
    parts = []
    for tick in _TICKS:
        x, y = _deviate_x(tick), _deviate_y(tick)
        parts.append(_line("grid", x, x, _TOP, _HEIGHT - _BOTTOM))
        parts.append(_line("grid", _LEFT, _WIDTH - _RIGHT, y, y))
        label = f"{100 * tick:g}"
        parts.append(_note(x, _HEIGHT - _BOTTOM + 13, label, "middle"))
        parts.append(_note(_LEFT - 4, y + 3, label, "end"))
    for name, points in curves:
        steps = [f"{_deviate_x(p.apcer):.1f},{_deviate_y(p.bpcer):.1f}" for p in points]
        parts.append(Markup('<polyline class="curve {}" points="{}"/>').format(name, " ".join(steps)))
    turned = Markup('<text class="note" transform="translate(10 {}) rotate(-90)">BPCER, %</text>')
    parts.append(turned.format((_HEIGHT - _BOTTOM + _TOP) / 2))
    parts.append(_caption("APCER, %"))
    return _svg(parts, "Detection error trade-off")


def trade_off(bona_fide: Sequence[float], attacks: Sequence[float], direction: Direction) -> list[Point]:
    """Return both error rates at every threshold that changes one of them, from refusing nobody to refusing everybody."""
    sign = 1.0 if direction is Direction.AT_LEAST else -1.0
    genuine, hostile = sorted(sign * score for score in bona_fide), sorted(sign * score for score in attacks)
    edges = [-math.inf, *sorted({*genuine, *hostile}), math.inf]
    return [
        Point(
            apcer=sum(score >= edge for score in hostile) / len(hostile),
            bpcer=sum(score < edge for score in genuine) / len(genuine),
        )
        for edge in edges
    ]


def _histogram(values: Sequence[float], low: float, high: float) -> list[int]:
    counts = [0] * _BINS
    for value in values:
        counts[min(int((value - low) / (high - low) * _BINS), _BINS - 1)] += 1
    return counts


def _across(value: float, low: float, high: float) -> float:
    return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)


def _deviate(share: float) -> float:
    """Return where a rate lies on an axis of normal deviates, 0..1."""
    first, last = _PROBIT(_TICKS[0]), _PROBIT(_TICKS[-1])
    return (_PROBIT(min(max(share, _TICKS[0]), _TICKS[-1])) - first) / (last - first)


def _deviate_x(share: float) -> float:
    return _LEFT + _deviate(share) * (_WIDTH - _LEFT - _RIGHT)


def _deviate_y(share: float) -> float:
    return _HEIGHT - _BOTTOM - _deviate(share) * (_HEIGHT - _BOTTOM - _TOP)


def _line(name: str, x1: float, x2: float, y1: float, y2: float) -> Markup:
    drawn = Markup('<line class="{}" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
    return drawn.format(name, x1, x2, y1, y2)


def _note(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text class="note" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _caption(text: str) -> Markup:
    return _note((_WIDTH + _LEFT) / 2, _HEIGHT - 4, text, "middle")


def _svg(parts: Sequence[Markup], label: str) -> Markup:
    drawing = Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>')
    return drawing.format(label, _WIDTH, _HEIGHT, Markup("").join(parts))
