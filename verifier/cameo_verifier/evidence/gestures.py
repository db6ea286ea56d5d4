"""Facial-gesture detection: segments openings of the mouth, smiles and closures of the eyes in the landmark track.

1. Three ratios of each frame, from landmarks in three dimensions, so that neither the size of the face nor, much, its rotation
   changes them: gap between the lips over the width of the eyes, width of the mouth over the same, height of the eyes over their
   own width (the eye aspect ratio of Soukupova and Cech, Real-Time Eye Blink Detection using Facial Landmarks, 2016).
2. Each is compared with the person's own median in the recording: most of an answer is a calm face with open eyes.
3. A gesture begins and ends where its ratio is half-way to its line, and counts if it passed the line and came back before the
   recording ends. An open mouth changes its width too, so it is no smile. A short closure of the eyes is a blink; blinks with
   short gaps between them are one gesture, and one more than asked is the person's own.
4. What happens during a head turn is left out: people blink as they turn, and the far half of the face is extrapolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cameo_challenges.model import Gesture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cameo_verifier.evidence.movements import Movement
    from cameo_verifier.types import F64, FaceTrack

_EYE_CORNERS = (33, 263)
_GAPS = ((13, 14), (82, 87), (312, 317))
_MOUTH_CORNERS = (61, 291)
_EYES = (((159, 145), (33, 133)), ((386, 374), (362, 263)))
"""Height and width of each eye."""
_BY_BLINKS = {gesture.blinks + own: gesture for gesture in Gesture if gesture.blinks for own in (0, 1)}
"""By the blinks that are seen: people blink between prompts too, so one more than asked is the person's own."""
_FRAMES = 3
"""A median of fewer frames says nothing."""


@dataclass(frozen=True, slots=True)
class GestureThresholds:
    """Thresholds of gesture detection.

    Attributes:
        open_rise: least rise of the gap between the lips, in widths of the eyes.
        smile_rise: least rise of the mouth's width, as a share of its own.
        held_s: least duration of an open mouth or a smile.
        closed: most height of closed eyes, as a share of their own.
        closed_s: least duration of eyes that are closed for a second; a shorter closure is a blink.
        between_s: longest gap between two blinks of one gesture.
    """

    open_rise: float
    smile_rise: float
    held_s: float
    closed: float
    closed_s: float
    between_s: float


@dataclass(frozen=True, slots=True)
class Made:
    """One gesture and its times; `gesture` is None for blinks of a number that is never asked."""

    gesture: Gesture | None
    start_s: float
    end_s: float


class _Span(NamedTuple):
    """A departure from the calm face."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


def gestures(face: FaceTrack, turns: Sequence[Movement], lines: GestureThresholds) -> tuple[Made, ...]:
    """Return the gestures in order of their start; single blinks are none.

    Args:
        face: the landmark track.
        turns: head turns in the same track.
        lines: lines of each gesture.
    """
    seen = np.isfinite(face.landmarks[:, 0, 0])
    if seen.sum() < _FRAMES:
        return ()
    t_s, points = face.t_s[seen], face.landmarks[seen].astype(np.float64)
    gap, width, closed = _departures(points)
    opened, smiled, closures = (
        [each for each in _spans(t_s, rise, line) if not _in_a_turn(each, turns)]
        for rise, line in ((gap, lines.open_rise), (width, lines.smile_rise), (closed, 1 - lines.closed))
    )
    found = [Made(Gesture.OPEN_MOUTH, *each) for each in opened if each.duration_s >= lines.held_s]
    found += [
        Made(Gesture.SMILE, *each)
        for each in smiled
        if each.duration_s >= lines.held_s and not any(_overlap(each, other) for other in opened)
    ]
    found += [Made(Gesture.CLOSE_EYES, *each) for each in closures if each.duration_s >= lines.closed_s]
    found += _blinks([each for each in closures if each.duration_s < lines.closed_s], lines.between_s)
    return tuple(sorted(found, key=lambda made: made.start_s))


def _departures(points: F64) -> tuple[F64, F64, F64]:
    """Return (N,) rise of the lips' gap, of the mouth's width and of the eyes' closure over the median of each."""
    eyes = _length(points, *_EYE_CORNERS)
    gap = np.mean([_length(points, *pair) for pair in _GAPS], axis=0) / eyes
    width = _length(points, *_MOUTH_CORNERS) / eyes
    height = np.mean([_length(points, *high) / _length(points, *wide) for high, wide in _EYES], axis=0)
    return gap - np.median(gap), width / np.median(width) - 1, 1 - height / np.median(height)


def _length(points: F64, one: int, other: int) -> F64:
    return np.asarray(np.linalg.norm(points[:, one] - points[:, other], axis=1), np.float64)


def _spans(t_s: F64, rise: F64, line: float) -> Iterator[_Span]:
    """Yield the stretches above half the line whose peak reaches it, and that end before the recording does."""
    away = rise > line / 2
    start = 0
    for end in range(len(away)):
        if away[end]:
            start = start if end and away[end - 1] else end
        elif end and away[end - 1] and rise[start:end].max() >= line:
            yield _Span(float(t_s[start]), float(t_s[end]))


def _in_a_turn(span: _Span, turns: Sequence[Movement]) -> bool:
    middle_s = (span.start_s + span.end_s) / 2
    return any(turn.start_s <= middle_s <= turn.end_s for turn in turns)


def _overlap(one: _Span, other: _Span) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s


def _blinks(closures: Sequence[_Span], between_s: float) -> list[Made]:
    """Return gestures of two blinks and more."""
    groups: list[list[_Span]] = []
    for each in closures:
        if groups and each.start_s - groups[-1][-1].end_s <= between_s:
            groups[-1].append(each)
        else:
            groups.append([each])
    return [Made(_BY_BLINKS.get(len(group)), group[0].start_s, group[-1].end_s) for group in groups if len(group) > 1]
