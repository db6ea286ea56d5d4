"""Frames that a check examined, cropped as it did: coordinates only, which the page fills once the face is revealed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.console.face_lanes import close_frames, covered_frames, like_the_rest
from cameo_verifier.media.recording import looked_at
from cameo_verifier.models.crop import CLOSE, WIDE, face_box, grown, squared

if TYPE_CHECKING:
    from cameo_verifier.models.crop import Box
    from cameo_verifier.profile import Profile, Threshold
    from cameo_verifier.types import Evidence, FaceTrack

_AROUND = 1.4
_DETAIL = 1.6


@dataclass(frozen=True, slots=True)
class Still:
    """One frame, or a part of it.

    box: left, top, width, height in px of the displayed picture. against: True if it counts against the recording. quad: corners
    of a border to draw over it, in px, flattened. detail: True if it is also shown with its brightness removed, as the grid
    search sees it.
    """

    t_s: float
    box: Box
    caption: str
    against: bool = False
    quad: tuple[float, ...] = ()
    detail: bool = False

    @property
    def area(self) -> str:
        """The box as the page's script reads it."""
        return " ".join(f"{value:.1f}" for value in self.box)

    @property
    def corners(self) -> str:
        """The corners as the page's script reads them."""
        return " ".join(f"{value:.1f}" for value in self.quad)


@dataclass(frozen=True, slots=True)
class _Cutter:
    """Crops a face out of the frames of one recording."""

    face: FaceTrack
    width: int
    height: int

    def box(self, t_s: float, *, scale: float, square: bool = True) -> Box | None:
        """Return the box of a face and its surroundings in the frame at a time; None without a face."""
        row = int(np.searchsorted(self.face.t_s, t_s - 1e-6))
        if row >= len(self.face.t_s) or not np.isfinite(self.face.landmarks[row]).all():
            return None
        box = face_box(self.face.landmarks[row])
        return grown(squared(box) if square else box, scale=scale, width=self.width, height=self.height)

    def still(self, t_s: float, caption: str, *, scale: float, square: bool = True, against: bool = False) -> Still | None:
        box = self.box(t_s, scale=scale, square=square)
        return None if box is None else Still(float(t_s), box, caption, against)


def wide(evidence: Evidence, face: FaceTrack, profile: Profile) -> tuple[Still, ...]:
    """Return the wide crops that the liveness network examined."""
    cutter, line = _cutter(evidence, face), profile["live_p20_min"]
    scored = zip(face.live_t_s, face.live, strict=True)
    found = [_scored(cutter, t_s, score, line, scale=WIDE, square=False) for t_s, score in scored]
    return tuple(each for each in found if each)


def close(evidence: Evidence, face: FaceTrack, profile: Profile) -> tuple[Still, ...]:
    """Return the close crops that the liveness network examined."""
    cutter, line = _cutter(evidence, face), profile["live_close_p20_min"]
    scored = zip(*close_frames(face), strict=True)
    found = [_scored(cutter, t_s, score, line, scale=CLOSE, square=False) for t_s, score in scored]
    return tuple(each for each in found if each)


def likenesses(evidence: Evidence, face: FaceTrack, profile: Profile) -> tuple[Still, ...]:
    """Return the faces that were compared with one another."""
    cutter, line = _cutter(evidence, face), profile["same_person_min"]
    found = [_scored(cutter, t_s, cosine, line) for t_s, cosine in zip(face.identity_t_s, like_the_rest(face), strict=True)]
    return tuple(each for each in found if each)


def uncovered(evidence: Evidence, face: FaceTrack, profile: Profile) -> tuple[Still, ...]:
    """Return the faces whose eyes and mouth were measured."""
    cutter, found = _cutter(evidence, face), []
    lines = profile["eye_contrast_min"], profile["mouth_contrast_min"]
    for t_s, eyes, mouth in zip(*covered_frames(face), strict=True):
        against = not (lines[0].holds(float(eyes)) and lines[1].holds(float(mouth)))
        found.append(cutter.still(t_s, f"eyes {eyes:.2f}, mouth {mouth:.2f}", scale=_AROUND, against=against))
    return tuple(each for each in found if each)


def edges(evidence: Evidence, face: FaceTrack, profile: Profile) -> tuple[Still, ...]:
    """Return the frames that were searched for a border, with its corners, the most covered first; none if not kept."""
    if len(face.bezel_px) != len(face.bezel):
        return ()
    width, height = looked_at(evidence.media)
    whole, line = (0.0, 0.0, float(width), float(height)), profile["bezel_max"]
    found = []
    for row in np.argsort(-face.bezel):
        corners = face.bezel_px[row].ravel()
        quad = tuple(float(value) for value in corners) if np.isfinite(corners).all() else ()
        share = float(face.bezel[row])
        found.append(Still(float(face.bezel_t_s[row]), whole, f"{share:.0%} of a border", not line.holds(share), quad))
    return tuple(found)


def searched(evidence: Evidence, face: FaceTrack) -> tuple[Still, ...]:
    """Return the last frame that was searched for a grid: face and surroundings, as displayed and as the search sees them."""
    known = face.grid_t_s[np.isfinite(face.grid[: len(face.grid_t_s)])]
    box = _cutter(evidence, face).box(float(known[-1]), scale=_DETAIL) if len(known) else None
    return () if box is None else (Still(float(known[-1]), box, "where it was searched", detail=True),)


def _scored(
    cutter: _Cutter, t_s: float, score: float, line: Threshold, *, scale: float = _AROUND, square: bool = True
) -> Still | None:
    return cutter.still(t_s, f"{score:.2f}", scale=scale, square=square, against=not line.holds(float(score)))


def _cutter(evidence: Evidence, face: FaceTrack) -> _Cutter:
    return _Cutter(face, *looked_at(evidence.media))
