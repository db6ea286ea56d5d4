"""The time axis of one attempt: lanes stacked over one axis, as SVG rendered on the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from cameo_verifier.console import earlier, face_lanes, lanes, media_lanes, sound_lanes
from cameo_verifier.console.scale import MARGIN, WIDTH, Lane, Moment, Scale, joined, note

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cameo_challenges.model import Challenge
    from cameo_verifier.console.earlier import Earlier
    from cameo_verifier.profile import Profile
    from cameo_verifier.reasons import Reason
    from cameo_verifier.types import Evidence

USUAL = ("words", "head", "lips", "live", "voice", "sound", "picture")
"""Lanes that are always shown; others are shown if a check points to them, and collapsed otherwise."""
_MOST = 6
"""Maximum number of moments per check."""

_RULER, _TITLE, _GAP = 22.0, 19.0, 13.0
_LEAST_S = 0.5


@dataclass(frozen=True, slots=True)
class Axis:
    """A rendered time axis.

    picture: the lanes that are shown. folded: the collapsed lanes, empty if all are shown. duration_s: length of the recording.
    moments: events in words, sorted by time. names: of the lanes, by id.
    """

    picture: Markup
    folded: Markup
    duration_s: float
    moments: tuple[Moment, ...]
    names: dict[str, str]

    def of(self, check: str, reason: Reason | None) -> tuple[Moment, ...]:
        """Return the moments that belong to a check, or else to its reason."""
        own = tuple(each for each in self.moments if check in each.of)
        return (own or tuple(each for each in self.moments if reason and reason in each.of))[:_MOST]


def axis(
    evidence: Evidence,
    challenge: Challenge,
    profile: Profile,
    *,
    pointed_at: Collection[str] = (),
    beside: Collection[str] = (),
    moves_as: Earlier | None = None,
    sounds_as: Earlier | None = None,
) -> Axis:
    """Return the time axis of an attempt.

    Args:
        evidence: the attempt's evidence.
        challenge: the attempt's challenge.
        profile: supplies the thresholds that are drawn.
        pointed_at: lanes that checks point to, by id.
        beside: further lanes to show, by id.
        moves_as: the recording whose movement is drawn over this one's.
        sounds_as: the recording whose sound is compared with this one's.
    """
    scale = Scale(max(evidence.media.duration_s, _LEAST_S))
    rows = [
        lanes.words(scale, evidence, challenge, profile),
        lanes.pose(scale, evidence, challenge, profile),
        sound_lanes.lips(scale, evidence, profile),
        face_lanes.live(scale, evidence, profile),
        sound_lanes.voice(scale, evidence, profile),
        sound_lanes.loudness(scale, evidence, profile),
        media_lanes.picture(scale, evidence, profile),
        *([earlier.moves(scale, evidence, moves_as)] if moves_as else []),
        *([earlier.sounds(scale, evidence, sounds_as)] if sounds_as else []),
        media_lanes.streams(scale, evidence),
        media_lanes.pace(scale, evidence),
        *(each(scale, evidence, profile) for each in _OF_THE_FACE),
    ]
    shown = [row for row in rows if row.id in USUAL or row.id in pointed_at or row.id in beside]
    folded = [row for row in rows if row not in shown]
    moments = tuple(sorted((moment for row in rows for moment in row.moments), key=lambda moment: moment.t_s))
    return Axis(
        picture=_picture(scale, "The recording", shown, pointed_at),
        folded=_picture(scale, "More of the recording", folded, ()) if folded else Markup(""),
        duration_s=scale.duration_s,
        moments=moments,
        names={row.id: row.name for row in rows},
    )


_OF_THE_FACE = (
    face_lanes.faces,
    face_lanes.light,
    face_lanes.sharpness,
    face_lanes.size,
    face_lanes.covered,
    face_lanes.lids,
    face_lanes.identity,
    face_lanes.border,
    face_lanes.grid,
)


def _picture(scale: Scale, what: str, rows: Sequence[Lane], pointed_at: Collection[str]) -> Markup:
    height = _RULER + sum(_TITLE + row.height + _GAP for row in rows)
    parts, y = [_ruler(scale, height)], _RULER
    for row in rows:
        parts.append(_lane(row, y, pointed_at=row.id in pointed_at))
        y += _TITLE + row.height + _GAP
    parts.append(Markup('<line class="cursor" x1="{0}" x2="{0}" y1="0" y2="{1:.0f}"/>').format(MARGIN, height))
    return Markup(
        '<svg class="axis" role="img" aria-label="{} over {:.1f} seconds, in words below"'
        ' viewBox="0 0 {:.0f} {:.0f}" data-duration="{:.3f}" data-margin="{}" data-width="{}">{}</svg>'
    ).format(what, scale.duration_s, WIDTH, height, scale.duration_s, MARGIN, WIDTH, joined(parts))


def _ruler(scale: Scale, height: float) -> Markup:
    parts = []
    for second in scale.ticks():
        x = scale.x(second)
        parts.append(Markup('<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="16" y2="{1:.0f}"/>').format(x, height))
        parts.append(note("tick", x, 11, f"{second:.0f} s", anchor="start" if second == 0 else "middle"))
    return joined(parts)


def _lane(row: Lane, y: float, *, pointed_at: bool) -> Markup:
    parts = [Markup('<rect class="behind" x="0" y="-3" width="{}" height="{:.1f}"/>').format(WIDTH, _TITLE + row.height + 8)]
    parts.append(note("lane against" if pointed_at else "lane", MARGIN, 13, row.name))
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
    return Markup('<g class="row" data-place="{}" transform="translate(0 {:.1f})">{}</g>').format(row.id, y, joined(parts))
