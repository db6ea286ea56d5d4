"""Figures that are not over time: depth against turn, a grid's spectrum, ages, gaze against head, frames that checks cropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from cameo_verifier.console import stills
from cameo_verifier.console.rendering import compared, number
from cameo_verifier.console.scale import joined, note
from cameo_verifier.evidence.gaze import irises
from cameo_verifier.evidence.relief import pairs, relief
from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.console.stills import Still
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import Evidence

_WIDTH, _HEIGHT, _EDGE = 420.0, 230.0, 34.0
_NOT_KEPT = "Not kept: these tracks were made before it was."
_MOST_DOTS = 160
_NONE = Markup("")
_CELL = 6.0
_STEPS = 6
"""Number of shades of a frequency."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure: its caption, its drawing, if any, and frames."""

    id: str
    title: str
    says: str
    drawing: Markup = _NONE
    frames: tuple[Still, ...] = ()


def pictures(evidence: Evidence, profile: Profile) -> tuple[Picture, ...]:
    """Return all figures, each with a caption that says so if there is nothing to show; without a face no drawings."""
    face = evidence.face
    if not isinstance(face, FaceTrack):
        return tuple(Picture(name, title, "No face was followed.") for name, title, _ in _MADE)
    return tuple(make(evidence, face, profile) for _, _, make in _MADE)


def depth(_evidence: Evidence, face: FaceTrack, profile: Profile) -> Picture:
    """Return the figure of depth: for each pair of frames, the skin's movement by parallax over the head's turn."""
    found, line = pairs(face), profile["relief_min"].value
    if not len(found.before):
        return Picture("depth", "Depth against turn", "No two frames with the head turned between them could be followed.")
    turned = np.linalg.norm(found.due, axis=1)
    shown = found.depth * turned
    most = 1.15 * float(turned.max())
    plot = _Plot(0.0, most, min(-0.2 * most, float(shown.min())), max(1.05 * most, float(shown.max())))
    parts = [
        plot.line("zero", 0.0, 0.0, most, 0.0),
        plot.line("reference", 0.0, 0.0, most, most),
        plot.line("threshold", 0.0, 0.0, most, line * most),
        plot.text(most, most, "all of a head's", anchor="end"),
        plot.text(most, line * most, "the least", anchor="end"),
        plot.text(most, 0.0, "a plane", anchor="end"),
    ]
    for after, x, y, share in zip(found.after, turned, shown, found.depth, strict=True):
        at_s, degrees = float(face.t_s[after]), np.degrees(np.arcsin(min(float(x), 1.0)))
        parts.append(plot.dot(float(x), float(y), at_s, f"{share:.2f} of a head's depth over {degrees:.0f}°", bad=share < line))
    whole = relief(face).depth
    parts += plot.axes("turned between two frames, sine", "moved as depth moves it")
    score, limit = compared(whole, line, at_least=True)
    says = f"{len(turned)} pairs of frames; two of three show {score} of a head's depth and more, which is {limit}."
    return Picture("depth", "Depth against turn", says, plot.drawing(parts, says))


def spectrum(evidence: Evidence, face: FaceTrack, profile: Profile) -> Picture:
    """Return the figure of the grid's spectrum: the deviation of each frequency, with the frame that was searched last."""
    title, values, line = "Spectrum of the display's grid", face.grid_spectrum, profile["grid_max"].value
    if not len(face.grid) or not np.isfinite(face.grid).any():
        return Picture("spectrum", title, "No frame had squares enough in the face and around it.")
    frames = stills.searched(evidence, face)
    if not values.size or not np.isfinite(values).any():
        return Picture("spectrum", title, _NOT_KEPT, frames=frames)
    rows, columns = values.shape
    parts = [Markup('<rect class="ground" width="{:.0f}" height="{:.0f}"/>').format(_CELL * rows, _CELL * columns)]
    known = np.nan_to_num(values, nan=0.0)
    steps = np.clip(np.floor(known / line * _STEPS), 0, _STEPS).astype(int)
    for step in range(1, _STEPS + 1):
        path = "".join(f"M{_CELL * row:.0f} {_CELL * column:.0f}h6v6h-6z" for row, column in np.argwhere(steps == step))
        if path:
            name = "over" if step == _STEPS else "cell"
            opacity = min(step / (_STEPS - 1), 1.0)
            parts.append(Markup('<path class="{}" fill-opacity="{:.2f}" d="{}"/>').format(name, opacity, path))
    row, column = (int(place) for place in np.unravel_index(int(np.nanargmax(values)), values.shape))
    parts.append(
        Markup('<circle class="peak" cx="{:.0f}" cy="{:.0f}" r="11"/>').format(_CELL * (row + 0.5), _CELL * (column + 0.5))
    )
    cycles = max(float(np.hypot(row - rows // 2, column)) / rows, 1e-6)
    top = float(np.nanmax(values))
    says = (
        f"Stripes {1 / cycles:.1f} px apart stand out most, by {top:.1f} deviations; more than {line:.1f} counts as a grid."
        " Each square is a frequency: none is in the middle of the upper edge, and the farther from it, the finer."
    )
    drawing = Markup('<svg class="spectrum" role="img" aria-label="{}" viewBox="0 0 {:.0f} {:.0f}">{}</svg>').format(
        says, _CELL * rows, _CELL * columns, joined(parts)
    )
    return Picture("spectrum", title, says, drawing, frames)


def gaze(_evidence: Evidence, face: FaceTrack, profile: Profile) -> Picture:
    """Return the figure of gaze: the position of the irises in the eyes, over the head's yaw."""
    title, (t_s, yaw, iris) = "Eyes against head", irises(face)
    if len(yaw) < 2:
        return Picture("gaze", title, "No two frames show the eyes well enough.")
    slope = profile["gaze_slope_max"].value
    middle = float(np.median(iris))
    reach = max(float(np.abs(yaw).max()), 5.0)
    low, high = min(float(iris.min()), middle - 5), max(float(iris.max()), middle + 5)
    plot = _Plot(-reach, reach, low, high)
    parts = [
        plot.line("zero", 0.0, low, 0.0, high),
        plot.line("threshold", -reach, middle - slope * reach, reach, middle + slope * reach),
    ]
    for row in np.unique(np.linspace(0, len(yaw) - 1, min(_MOST_DOTS, len(yaw))).astype(int)):
        text = f"{yaw[row]:.0f}°, iris at {iris[row]:.0f} % of the eye"
        parts.append(plot.dot(float(yaw[row]), float(iris[row]), float(t_s[row]), text))
    parts += plot.axes("yaw, degrees", "iris, % of the eye")
    says = f"Eyes that hold the camera go against the head, at least as the dashed line does, by {number(slope)} % a degree."
    return Picture("gaze", title, says, plot.drawing(parts, says))


def ages(_evidence: Evidence, face: FaceTrack, profile: Profile) -> Picture:
    """Return the figure of apparent age: the age that each network estimates per frame, and their mean."""
    line = profile["adult_age_min"].value
    if not len(face.ages):
        return Picture("ages", "Apparent age", "No near-frontal frame was looked at.")
    means = face.ages.mean(axis=1)
    plot = _Plot(0.0, max(80.0, float(face.ages.max())), float(len(face.ages)) + 0.5, 0.5)
    parts = [plot.line("threshold", line, 0.5, line, len(face.ages) + 0.5)]
    for row, (both, mean) in enumerate(zip(face.ages, means, strict=True), start=1):
        parts.append(plot.line("zero", float(both.min()), row, float(both.max()), row))
        parts.append(plot.mark(float(mean), row, f"{both[0]:.0f} and {both[1]:.0f} years", bad=mean < line))
    parts += plot.axes("years", "frame")
    says = f"Middle of the means {np.median(means):.1f} years; {line:.0f} and more count as clearly adult. When was not kept."
    return Picture("ages", "Apparent age", says, plot.drawing(parts, says))


def _framed(
    name: str, title: str, says: str, cut: Callable[[Evidence, FaceTrack, Profile], tuple[Still, ...]]
) -> Callable[[Evidence, FaceTrack, Profile], Picture]:
    def make(evidence: Evidence, face: FaceTrack, profile: Profile) -> Picture:
        frames = cut(evidence, face, profile)
        return Picture(
            name, title, says if frames else f"No frame. {_NOT_KEPT if name == 'edges' else ''}".strip(), frames=frames
        )

    return make


_WIDE = "What the network looked at to tell a live face, with what it said of each: 1 is live."
_CLOSE = "The closer crops that it looked at, with the lesser of what it said of each and of its mirror image."
_LIKE = "The faces that were compared, each with its mean cosine with the others."
_COVERED = "The faces whose eyes and mouth were looked at, and how far they stand out of the skin, in nats."
_EDGES = "The frames that were searched for the border of a display or a print, the most covered one first."
_MADE = (
    ("depth", "Depth against turn", depth),
    ("spectrum", "Spectrum of the display's grid", spectrum),
    ("edges", "Border around the face", _framed("edges", "Border around the face", _EDGES, stills.edges)),
    ("wide", "Live face, wide crops", _framed("wide", "Live face, wide crops", _WIDE, stills.wide)),
    ("close", "Live face, close crops", _framed("close", "Live face, close crops", _CLOSE, stills.close)),
    ("likenesses", "Face against face", _framed("likenesses", "Face against face", _LIKE, stills.likenesses)),
    ("uncovered", "Eyes and mouth", _framed("uncovered", "Eyes and mouth", _COVERED, stills.uncovered)),
    ("gaze", "Eyes against head", gaze),
    ("ages", "Apparent age", ages),
)
PICTURES = tuple(name for name, _, _ in _MADE)


@dataclass(frozen=True, slots=True)
class _Plot:
    """A scatter plot of two quantities, in the units of its drawing."""

    left: float
    right: float
    low: float
    high: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = _EDGE + (x - self.left) / (self.right - self.left) * (_WIDTH - 1.4 * _EDGE)
        return across, 8 + (1 - (y - self.low) / (self.high - self.low)) * (_HEIGHT - _EDGE - 8)

    def line(self, name: str, x: float, y: float, to_x: float, to_y: float) -> Markup:
        start, end = self.at(x, y), self.at(to_x, to_y)
        return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(name, *start, *end)

    def dot(self, x: float, y: float, at_s: float, text: str, *, bad: bool = False) -> Markup:
        """Return a dot that links to its moment."""
        return Markup(
            '<circle class="dot{}" data-at="{:.3f}" cx="{:.1f}" cy="{:.1f}" r="4"><title>{} at {:.2f} s</title></circle>'
        ).format(" bad" if bad else "", at_s, *self.at(x, y), text, at_s)

    def mark(self, x: float, y: float, text: str, *, bad: bool = False) -> Markup:
        return Markup('<circle class="dot{}" cx="{:.1f}" cy="{:.1f}" r="4"><title>{}</title></circle>').format(
            " bad" if bad else "", *self.at(x, y), text
        )

    def text(self, x: float, y: float, text: str, *, anchor: str = "start") -> Markup:
        across, down = self.at(x, y)
        return note("tick", across, down - 4, text, anchor=anchor)

    def axes(self, below: str, beside: str) -> list[Markup]:
        """Return the axis labels: names and ranges of both quantities."""
        bottom = _HEIGHT - _EDGE + 14
        return [
            note("tick", _EDGE, bottom, f"{self.left:.2g}"),
            note("tick", _WIDTH - 0.4 * _EDGE, bottom, f"{self.right:.2g}", anchor="end"),
            note("tick", _WIDTH / 2, bottom + 12, below, anchor="middle"),
            note("tick", 2, 14, beside),
        ]

    def drawing(self, parts: list[Markup], says: str) -> Markup:
        return Markup('<svg class="plot" role="img" aria-label="{}" viewBox="0 0 {:.0f} {:.0f}">{}</svg>').format(
            says, _WIDTH, _HEIGHT, joined(parts)
        )
