"""One attempt over time: the lanes under one another on one axis, as a single picture made on the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from verifier.console import lanes
from verifier.console.scale import MARGIN, WIDTH, Lane, Moment, Scale, joined, note

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profile import Profile
    from verifier.types import Evidence

_RULER, _TITLE, _GAP = 22.0, 19.0, 13.0
_LEAST_S = 0.5


@dataclass(frozen=True, slots=True)
class Axis:
    """The picture, how long the recording is, and what happens in it in words, by time."""

    picture: Markup
    duration_s: float
    moments: tuple[Moment, ...]


def axis(evidence: Evidence, challenge: Challenge, profile: Profile) -> Axis:
    """Return the axis of an attempt.

    Args:
        evidence: of the attempt.
        challenge: what was asked.
        profile: whose thresholds are drawn.
    """
    scale = Scale(max(evidence.media.duration_s, _LEAST_S))
    rows = (
        lanes.words(scale, evidence, challenge, profile),
        lanes.pose(scale, evidence, challenge, profile),
        lanes.lips(scale, evidence),
        lanes.live(scale, evidence, profile),
        lanes.voice(scale, evidence),
        lanes.loudness(scale, evidence),
        lanes.picture(scale, evidence, profile),
    )
    height = _RULER + sum(_TITLE + row.height + _GAP for row in rows)
    parts, y = [_ruler(scale, height)], _RULER
    for row in rows:
        parts.append(_lane(row, y))
        y += _TITLE + row.height + _GAP
    parts.append(Markup('<line class="cursor" x1="{0}" x2="{0}" y1="0" y2="{1:.0f}"/>').format(MARGIN, height))
    moments = tuple(sorted((moment for row in rows for moment in row.moments), key=lambda moment: moment.t_s))
    picture = Markup(
        '<svg class="axis" role="img" aria-label="The recording over {:.1f} seconds, in words below"'
        ' viewBox="0 0 {:.0f} {:.0f}" data-duration="{:.3f}" data-margin="{}" data-width="{}">{}</svg>'
    ).format(scale.duration_s, WIDTH, height, scale.duration_s, MARGIN, WIDTH, joined(parts))
    return Axis(picture, scale.duration_s, moments)


def _ruler(scale: Scale, height: float) -> Markup:
    parts = []
    for second in scale.ticks():
        x = scale.x(second)
        parts.append(Markup('<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="16" y2="{1:.0f}"/>').format(x, height))
        parts.append(note("tick", x, 11, f"{second:.0f} s", anchor="start" if second == 0 else "middle"))
    return joined(parts)


def _lane(row: Lane, y: float) -> Markup:
    parts = [note("lane", MARGIN, 13, row.name)]
    x = WIDTH - MARGIN
    for name, text in reversed(row.keys):
        x -= 5.6 * len(text) + 24
        parts.append(Markup('<rect class="key {}" x="{:.1f}" y="6" width="10" height="6"/>').format(name, x))
        parts.append(note("tick key", x + 14, 13, text))
    parts.append(Markup('<g transform="translate(0 {})">{}</g>').format(_TITLE, row.picture))
    parts.append(
        Markup('<line class="floor" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>').format(
            MARGIN, WIDTH - MARGIN, y=_TITLE + row.height
        )
    )
    return Markup('<g transform="translate(0 {:.1f})">{}</g>').format(y, joined(parts))
