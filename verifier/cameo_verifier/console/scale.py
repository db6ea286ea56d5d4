"""The time scale that all lanes of one attempt share, in the units of its drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

WIDTH = 960.0
MARGIN = 10.0
"""Space left of the first and right of the last moment."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Mapping from time to horizontal position."""

    duration_s: float

    def x(self, t_s: float) -> float:
        """Return the position of a time; times outside of the recording are clamped to its edges."""
        return MARGIN + min(max(t_s / self.duration_s, 0.0), 1.0) * (WIDTH - 2 * MARGIN)

    def ticks(self) -> list[float]:
        """Return the whole seconds to label, ten to twenty of them on a recording of usual length."""
        step = next(step for step in (1, 2, 5, 10, 60, 600) if self.duration_s / step <= 20 or step == 600)
        return [float(second) for second in range(0, int(self.duration_s) + 1, step)]


@dataclass(frozen=True, slots=True)
class Moment:
    """An event in words; `kind` is its lane. of: the checks and reasons that it is evidence for."""

    t_s: float
    kind: str
    text: str
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane of the axis: id, name, legend, height, and its drawing, from y = 0 down.

    keys: the legend, (class of the mark, meaning).
    """

    id: str
    name: str
    keys: tuple[tuple[str, str], ...]
    height: float
    picture: Markup
    moments: tuple[Moment, ...] = ()


def curve(
    scale: Scale,
    name: str,
    t_s: npt.NDArray[Any],
    values: npt.NDArray[Any],
    *,
    low: float,
    high: float,
    height: float,
    top: float = 0.0,
) -> Markup:
    """Return values over time as polylines of a class, interrupted at NaN; values outside of low..high are clamped."""
    y = top + (1.0 - np.clip((np.asarray(values, np.float64) - low) / (high - low), 0.0, 1.0)) * height
    runs: list[list[str]] = [[]]
    for time, value in zip(t_s, y, strict=True):
        if np.isfinite(value):
            runs[-1].append(f"{scale.x(float(time)):.1f},{value:.1f}")
        elif runs[-1]:
            runs.append([])
    lines = [Markup('<polyline class="{}" points="{}"/>').format(name, " ".join(run)) for run in runs if run]
    return Markup("").join(lines)


def level(name: str, value: float, *, low: float, high: float, height: float) -> Markup:
    """Return a horizontal line at a value, such as a threshold; nothing if the value is outside of low..high."""
    if not low <= value <= high:
        return Markup("")
    y = (1.0 - (value - low) / (high - low)) * height
    return Markup('<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(name, MARGIN, WIDTH - MARGIN, y, y)


def span(scale: Scale, name: str, start_s: float, end_s: float, *, top: float, height: float, title: str = "") -> Markup:
    """Return a band from one moment to another, at least as wide as can be seen."""
    left, right = scale.x(start_s), scale.x(end_s)
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">{}</rect>').format(
        name, left, top, max(right - left, 1.5), height, Markup("<title>{}</title>").format(title) if title else ""
    )


def dots(
    scale: Scale, name: str, t_s: npt.NDArray[Any], values: npt.NDArray[Any], *, low: float, high: float, height: float
) -> Markup:
    """Return a dot of a class for each finite value, with its value and time as a title."""
    parts = []
    for time, value in zip(t_s, values, strict=True):
        if np.isfinite(value):
            y = (1.0 - min(max((float(value) - low) / (high - low), 0.0), 1.0)) * height
            parts.append(
                Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="2.6"><title>{:.2f} at {:.1f} s</title></circle>').format(
                    name, scale.x(float(time)), y, float(value), float(time)
                )
            )
    return joined(parts)


def mark(scale: Scale, name: str, t_s: float, height: float, title: str) -> Markup:
    """Return a pin at one moment, with its description as a title."""
    x = scale.x(t_s)
    return Markup('<path class="{}" d="M{:.1f} 0v{:.1f}m-4 {:.1f}h8l-4 6z"><title>{} at {:.2f} s</title></path>').format(
        name, x, height, -height, title, t_s
    )


def nothing(lane: str, name: str, why: str) -> Lane:
    """Return a lane without data, with the reason."""
    return Lane(lane, name, (), 20.0, note("note", MARGIN, 14, why))


def spells(t_s: npt.NDArray[Any], is_so: npt.NDArray[np.bool_], *, most: int) -> list[tuple[float, float]]:
    """Return start and end of the longest `most` intervals in which the condition holds, by time."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(is_so, np.int8), [0]])))
    runs = [(float(t_s[start]), float(t_s[end - 1])) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return sorted(sorted(runs, key=lambda run: run[0] - run[1])[:most])


def note(name: str, x: float, y: float, text: str, *, anchor: str = "start") -> Markup:
    """Return a text of the drawing."""
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(name, x, y, anchor, text)


def fitting(text: str, room: float, *, per_letter: float = 6.2) -> str:
    """Return a text, shortened with an ellipsis to fit into `room`, or empty if there is too little."""
    letters = int(room / per_letter)
    if len(text) <= letters:
        return text
    return f"{text[: letters - 1]}…" if letters >= 3 else ""


def joined(parts: Sequence[Markup]) -> Markup:
    """Return the pieces concatenated."""
    return Markup("").join(parts)
