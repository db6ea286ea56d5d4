"""The face overlay: outlines of a face over time, drawn over its video: brows, eyes, irises, nose, lips and jaw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_verifier.media.recording import looked_at
from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    from cameo_verifier.types import Evidence

_CLOSED = {
    "jaw": (
        "10 338 297 332 284 251 389 356 454 323 361 288 397 365 379 378 400 377 152 148 176 149 150 136 172 58 132 93 234 127 "
        "162 21 54 103 67 109"
    ),
    "outer lips": "61 146 91 181 84 17 314 405 321 375 291 409 270 269 267 0 37 39 40 185",
    "inner lips": "78 95 88 178 87 14 317 402 318 324 308 415 310 311 312 13 82 81 80 191",
    "left eye": "263 249 390 373 374 380 381 382 362 398 384 385 386 387 388 466",
    "right eye": "33 7 163 144 145 153 154 155 133 173 157 158 159 160 161 246",
    "left iris": "474 475 476 477",
    "right iris": "469 470 471 472",
}
_OPEN = {
    "left brow": "276 283 282 295 285",
    "right brow": "46 53 52 65 55",
    "bridge": "168 6 197 195 5 4",
    "nose": "98 97 2 326 327",
}
"""Indices into MediaPipe's 478 landmarks, from its own lists of face contours."""

OUTLINES = tuple(
    (tuple(map(int, indices.split())), closed)
    for group, closed in ((_CLOSED, True), (_OPEN, False))
    for indices in group.values()
)


def overlay(evidence: Evidence) -> dict[str, Any]:
    """Return the overlay as JSON: size of the displayed picture, the frames' times, and their points, to a tenth of a pixel.

    A frame without a face has no points.
    """
    width, height = looked_at(evidence.media)
    size = {"width": width, "height": height}
    starts = np.cumsum([0, *(len(indices) for indices, _ in OUTLINES)])
    lines = [
        {"from": int(start), "to": int(end), "closed": closed}
        for start, end, (_, closed) in zip(starts, starts[1:], OUTLINES, strict=False)
    ]
    face = evidence.face
    if not isinstance(face, FaceTrack):
        return {**size, "lines": lines, "times": [], "frames": []}
    chosen = [index for indices, _ in OUTLINES for index in indices]
    points = face.landmarks[:, chosen, :2].reshape(len(face.landmarks), -1)
    frames = [np.round(frame, 1).tolist() if np.isfinite(frame).all() else [] for frame in points.astype(np.float64)]
    return {**size, "lines": lines, "times": [round(float(t_s), 3) for t_s in face.t_s], "frames": frames}
