"""Lanes that compare this recording with an earlier one, by the features of the fingerprint: movement and sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.console.rendering import plain
from cameo_verifier.console.scale import Lane, Moment, Scale, curve, joined, nothing, span
from cameo_verifier.evidence.fingerprint import MIRRORED, RATE_HZ, Matcher, Stretch
from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    from markupsafe import Markup

    from cameo_verifier.types import F64, Evidence, Fingerprint

_YAW, _MOUTH = 0, 3
"""Columns of the fingerprint's motion."""
_MOST = 32.0
_BAND = 30.0
_KEYS = (("stretch", "what both share"), ("yaw", "this one"), ("pitch", "the other"))


@dataclass(frozen=True, slots=True)
class Earlier:
    """The other recording; `fingerprint` is None if it is not kept any more."""

    attempt_id: str
    fingerprint: Fingerprint | None


def moves(scale: Scale, evidence: Evidence, other: Earlier) -> Lane:
    """Return the lane of head and mouth movement, with the other's drawn over it, aligned at the best match."""
    name = f"Head and mouth, over those of {_short(other.attempt_id)}"
    if other.fingerprint is None:
        return nothing("moves", name, "the other's fingerprint is not kept any more")
    own, theirs = evidence.fingerprint.motion.astype(np.float64), other.fingerprint.motion.astype(np.float64)
    found = Matcher(evidence.fingerprint).motion_stretch(other.fingerprint)
    if found is None:
        return nothing("moves", name, "too little to compare")
    starts_s = float(evidence.face.t_s[0]) if isinstance(evidence.face, FaceTrack) else 0.0
    if found.mirrored:
        theirs = theirs * MIRRORED
    shift_s = starts_s + np.arange(len(own)) / RATE_HZ
    laid_s = starts_s + _laid(found, len(theirs))
    drawn = [_shared(scale, found, starts_s, 2 * _BAND)]
    for place, column in enumerate((_YAW, _MOUTH)):
        bounds = {"low": -_MOST, "high": _MOST, "height": _BAND, "top": place * _BAND}
        drawn.append(curve(scale, "pitch", laid_s, theirs[:, column], **bounds))
        drawn.append(curve(scale, "yaw", shift_s, own[:, column], **bounds))
    how = "moves, in the mirror, as" if found.mirrored else "moves as"
    return Lane("moves", name, _KEYS, 2 * _BAND, joined(drawn), (_moment(found, starts_s, how, other),))


def sounds(scale: Scale, evidence: Evidence, other: Earlier) -> Lane:
    """Return the lane of sound agreement, smoothed over half a second, aligned at the best match."""
    name = f"Sound, agreement with that of {_short(other.attempt_id)}"
    if other.fingerprint is None:
        return nothing("sounds", name, "the other's fingerprint is not kept any more")
    found = Matcher(evidence.fingerprint).sound_stretch(other.fingerprint)
    if found is None:
        return nothing("sounds", name, "too little to compare")
    own, theirs = evidence.fingerprint.sound.astype(np.float64), other.fingerprint.sound.astype(np.float64)
    rows = np.arange(len(own))
    mapped = np.interp(rows / RATE_HZ, found.own_s, found.other_s) * RATE_HZ
    inside = (rows / RATE_HZ >= found.own_s[0]) & (rows / RATE_HZ <= found.own_s[1])
    nearest = np.clip(np.round(mapped).astype(int), 0, len(theirs) - 1)
    alike = np.where(inside, (own * theirs[nearest]).mean(axis=1), 0.0)
    smooth = np.convolve(alike, np.ones(RATE_HZ // 2) / (RATE_HZ // 2), "same")
    line = curve(scale, "yaw", rows / RATE_HZ, np.where(inside, smooth, np.nan), low=-0.2, high=1.0, height=_BAND)
    drawn = joined([_shared(scale, found, 0.0, _BAND), line])
    return Lane("sounds", name, _KEYS[:2], _BAND, drawn, (_moment(found, 0.0, "sounds as", other),))


def _laid(found: Stretch, rows: int) -> F64:
    """Return the time in the own track of each row of the other's, in seconds."""
    share = (found.own_s[1] - found.own_s[0]) / max(found.other_s[1] - found.other_s[0], 1e-9)
    return np.asarray(found.own_s[0] + (np.arange(rows) / RATE_HZ - found.other_s[0]) * share, np.float64)


def _shared(scale: Scale, found: Stretch, starts_s: float, height: float) -> Markup:
    title = f"{found.other_s[0]:.1f} to {found.other_s[1]:.1f} s of the other"
    return span(scale, "stretch", starts_s + found.own_s[0], starts_s + found.own_s[1], top=0.0, height=height, title=title)


def _moment(found: Stretch, starts_s: float, how: str, other: Earlier) -> Moment:
    pace = "" if abs(found.speed - 1.0) < 0.005 else f", which runs {found.speed:.2f} times as fast"
    until = f"until {starts_s + found.own_s[1]:.1f} s it {how} attempt {_short(other.attempt_id)}"
    there = f"from {found.other_s[0]:.1f} to {found.other_s[1]:.1f} s{pace}, likeness {found.likeness:.2f}"
    return Moment(starts_s + found.own_s[0], "again", f"{until} {there}", ("seen_before",))


def _short(attempt_id: str) -> str:
    text = plain(attempt_id)
    return text if len(text) <= 24 else f"{text[:10]}…"
