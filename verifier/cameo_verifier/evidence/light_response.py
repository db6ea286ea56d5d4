"""Light response: matches the light on the face with the colours that the display showed, and finds its delay.

1. Course: the logarithms of red over green and of blue over green, of the skin less those of the background. Each place has a
   level of its own, which is removed before the median over places, so that places may come and go.
2. Model: while a colour is shown, the course has a level of its own; a colour comes within `_RISE_S`. Added light changes each
   logarithm, to first order, by what it has more in red, or in blue, than in green: so each level is a positive multiple of that
   of its colour, one for red and one for blue, which the light of the room and the skin determine.
3. Noise: slow changes, so successive pictures are compared (an autoregression of the first order, `_MEMORY`). A straight line
   over the sequence, and what goes with place, size and turn of the head, are removed from course and model alike.
4. For each delay: the sum of squares that free levels explain, and the part of it that the colours revealed explain, in units of
   the noise. A negative multiple counts against a positive one. The delay is that of the largest part.
5. The match is the correlation of the levels with those of the colours: the root of the part over the whole, less what noise
   alone is expected to explain. The strength is the root of the part: how many deviations of the noise it is.
6. The delay is told from when a colour left the server to when the server had the bytes that show it, by the server's own clock:
   the median over the colours. What the client says of its own clock is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cameo_challenges.colours import LEAST_S, linear
from cameo_verifier.evidence.screen_light import SKIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.live_record import LiveRecord
    from cameo_verifier.types import F32, F64

Mask = npt.NDArray[np.bool_]

REACH_S, _STEP_S = 2.0, 1 / 20
"""Delays are searched from none to this, in such steps."""
_RISE_S = 0.06
"""A display, an exposure and a codec need about so long to show another colour."""
_MEMORY = 0.5
_LEAST_SEEN, _LEAST_PICTURES = 0.8, 20
_LEAST_SKIN, _LEAST_BACKGROUND = 8, 15
"""Points of skin and places of background without which a picture does not count: a tenth of it is background."""
_NOSE = 1
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Response:
    """The measured response of a face to the colours of a display.

    Attributes:
        match: correlation with the colours revealed, -1..1, at the best delay; NaN where too little was seen.
        strength: the answer in deviations of the noise.
        delay_s: the delay, in seconds by the server's clock; NaN where no bytes arrived for it.
        pictures: number of pictures that show skin and background.
    """

    match: float
    strength: float
    delay_s: float
    pictures: int


@dataclass(frozen=True, slots=True)
class _Levels:
    """The course at one delay, without noise's memory: its design, and what free levels explain, in deviations of the noise."""

    design: F64
    measured: F64
    whole: float
    by_chance: int


class Answers:
    """The light on a face in one live session, from which the response to colours is measured."""

    def __init__(self, t_s: F64, lit: F32, landmarks: F32, live: LiveRecord) -> None:
        """Compute the levels at every delay.

        Args:
            t_s: (N,) times of the pictures in the recording.
            lit: (N, P, 3) linear colours, see `cameo_verifier.evidence.screen_light.colours_seen`.
            landmarks: (N, 478, 3) px.
            live: when colours were revealed, and when bytes arrived.
        """
        self._sent_s = np.array([each.sent_s for each in live.colours])
        self._arrived = np.array([(each.media_s, each.arrived_s) for each in live.arrivals]).reshape(-1, 2)
        course = course_of(lit)
        seen = np.asarray(np.isfinite(course).all(axis=1), bool)
        self._pictures = int(seen.sum())
        self._levels: list[tuple[float, _Levels]] = []
        if self._pictures < _LEAST_PICTURES or not len(self._sent_s) or not len(self._arrived):
            return
        # The clock of the recording is behind the server's by at least the shortest way that any of its bytes took.
        ahead_s = -float((self._arrived[:, 1] - self._arrived[:, 0]).min())
        moved = _movement(landmarks)
        for delay_s in ahead_s + np.arange(0.0, REACH_S, _STEP_S):
            levels = _levels(t_s, course, moved, seen, self._sent_s + delay_s)
            if levels is not None:
                self._levels.append((float(delay_s), levels))

    def to(self, colours: Sequence[int]) -> Response:
        """Return the response to colours, sRGB 0xRRGGBB, in the order in which they were revealed."""
        if not self._levels or len(colours) != len(self._sent_s):
            return Response(float("nan"), float("nan"), float("nan"), self._pictures)
        light = _against_green(np.array([linear(colour) for colour in colours]))
        parts = [_explained(levels, light) for _, levels in self._levels]
        best = int(np.argmax(parts))
        delay_s, levels = self._levels[best]
        share = abs(parts[best]) / max(levels.whole - levels.by_chance, abs(parts[best]), _TINY)
        places = np.searchsorted(self._arrived[:, 0], self._sent_s + delay_s)
        arrivals = np.append(self._arrived[:, 1], np.nan)[places]
        return Response(
            match=float(np.sign(parts[best]) * np.sqrt(share)),
            strength=float(np.sign(parts[best]) * np.sqrt(abs(parts[best]))),
            delay_s=float(np.median(arrivals - self._sent_s)),
            pictures=self._pictures,
        )


def course_of(lit: F32) -> F64:
    """Return the light of skin less that of the background: (N, 2) logarithms of red and of blue over green, NaN where unseen.

    Args:
        lit: (N, P, 3) linear colours, see `cameo_verifier.evidence.screen_light.colours_seen`.
    """
    ratios = _against_green(np.log(lit.astype(np.float64)))
    skin, background = ratios[:, : len(SKIN)], ratios[:, len(SKIN) :]
    return _common(skin, least=_LEAST_SKIN) - _common(background, least=_LEAST_BACKGROUND)


def _common(ratios: F64, *, least: int) -> F64:
    """Return the median course (N, 2) of places (N, P, 2), each relative to its own level; NaN with too few places."""
    course = np.full((len(ratios), 2), np.nan)
    held = ratios[:, 2 * np.isfinite(ratios[..., 0]).sum(axis=0) >= max(1, len(ratios))]
    seen = np.isfinite(held[..., 0]).sum(axis=1) >= least
    if not seen.any():
        return course
    held = held[seen][:, np.isfinite(held[seen][..., 0]).any(axis=0)]
    common = np.nanmedian(held, axis=1)
    for _ in range(2):
        common = np.nanmedian(held - np.nanmean(held - common[:, None], axis=0), axis=1)
    course[seen] = common
    return course


def _movement(landmarks: F32) -> F64:
    """Return place, size and turn of the head, (N, 5), each about its mean."""
    points = landmarks[..., :2].astype(np.float64)
    low, high = points.min(axis=1), points.max(axis=1)
    centre, size = (low + high) / 2, high - low
    moved = np.concatenate([centre / size.mean(), np.log(size[:, :1]), (points[:, _NOSE] - centre) / size], axis=1)
    return np.asarray(moved - moved.mean(axis=0))


def _levels(t_s: F64, course: F64, moved: F64, seen: Mask, shown_s: F64) -> _Levels | None:
    """Return the levels of colours shown from `shown_s` on; None where too few pictures show them."""
    shown = np.array([*shown_s, shown_s[-1] + LEAST_S])
    while_shown = (t_s >= shown[0]) & (t_s < shown[-1])
    rows = while_shown & seen
    if rows.sum() < max(_LEAST_PICTURES, _LEAST_SEEN * while_shown.sum()):
        return None
    risen = np.clip((t_s[rows, None] - shown[:-1]) / _RISE_S, 0.0, 1.0)
    risen[:, 0] = 1.0
    indicators = risen - np.pad(risen[:, 1:], ((0, 0), (0, 1)))
    removed = _span(_whitened(np.column_stack([np.ones(rows.sum()), t_s[rows] - t_s[rows].mean(), moved[rows]])))
    measured, design = (each - removed @ (removed.T @ each) for each in (_whitened(course[rows]), _whitened(indicators)))
    span = _span(design)
    explained = span.T @ measured
    freedom = max(1, len(measured) - span.shape[1] - removed.shape[1])
    noise = np.maximum(np.sqrt(((measured - span @ explained) ** 2).sum(axis=0) / freedom), _TINY)
    return _Levels(design, measured / noise, float(((explained / noise) ** 2).sum()), explained.size)


def _explained(levels: _Levels, light: F64) -> float:
    """Return the sum of squares that the light of the colours (K, 2) explains, negative where it is the opposite of it."""
    expected = levels.design @ light
    along = (levels.measured * expected).sum(axis=0) / np.maximum(np.sqrt((expected**2).sum(axis=0)), _TINY)
    return float((np.sign(along) * along**2).sum())


def _against_green(light: F64) -> F64:
    """Return red less green and blue less green."""
    return np.asarray(light[..., (0, 2)] - light[..., 1:2])


def _whitened(columns: F64) -> F64:
    return np.asarray(columns[1:] - _MEMORY * columns[:-1])


def _span(columns: F64) -> F64:
    """Return an orthonormal basis of the columns."""
    basis, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(basis[:, sizes > 1e-6 * max(float(sizes[0]), _TINY)])
