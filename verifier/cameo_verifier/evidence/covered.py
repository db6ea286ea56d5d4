"""Occlusion detection: measures whether eyes and mouth are visible or covered by dark glasses, a mask, a scarf, a hand.

Landmarks cannot tell: the landmark model guesses them under a cover. Pixels can. An open eye is an iris darker than the sclera
beside it, in skin much like that of the cheek; a lens is even, or far darker than the cheek, or of another colour, and so is the
skin around the eye that it covers too. Lips differ from the skin around them in colour and in light, also in a beard; a cover
shows no such contrast. Cloth on cheek and chin has another colour than the forehead.

All features are computed on the face at a width of 128 px, in natural logarithms, so that neither the size of the face nor the
illumination matters: luma, and red over green and blue over green as colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import F32, U8, FaceTrack

    Mask = np.ndarray[tuple[int, int], np.dtype[np.bool_]]

EYES, MOUTH = 3, 5
"""Features per frame of the eyes and of the mouth."""

_WIDTH_PX = 128
_MARGIN_PX = 5
_BLACK = 6.0
"""Added to every level, so that the noise of a dark picture does not count as colour."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SIDES = (234, 454)


class _Eye(NamedTuple):
    iris: int
    rim: tuple[int, ...]
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    cheek: int


_EYES = (
    _Eye(
        iris=468,
        rim=(469, 470, 471, 472),
        upper=(33, 246, 161, 160, 159, 158, 157, 173, 133),
        lower=(33, 7, 163, 144, 145, 153, 154, 155, 133),
        cheek=50,
    ),
    _Eye(
        iris=473,
        rim=(474, 475, 476, 477),
        upper=(362, 398, 384, 385, 386, 387, 388, 466, 263),
        lower=(362, 382, 381, 380, 374, 373, 390, 249, 263),
        cheek=280,
    ),
)
_OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
_EYE_CORNERS = (33, 263)
_FOREHEAD, _BETWEEN_BROWS, _BRIDGE, _CHIN, _LOWER_CHEEKS = 151, 9, 168, 199, (205, 425)


class EyesSeen(NamedTuple):
    """Visibility features of the eyes: medians over the frames, each of the better visible eye.

    contrast: nats of luma by which the sclera is lighter than the iris, 0 where no opening is found.
    light: nats of luma of the sclera and of the skin below the eye, added, over that of bare skin.
    tint: nats of colour by which both the sclera and that skin differ from bare skin: of the cheek, which a mask may cover, or
    between the brows, whichever is nearer.
    """

    contrast: float
    light: float
    tint: float


class MouthSeen(NamedTuple):
    """Visibility features of the mouth, of the medians over the frames.

    contrast: nats by which the lips differ from the skin around them, in luma and colour, and a quarter of those by which they
    differ within themselves.
    tint: nats of colour by which cheeks and chin differ from forehead and bridge of the nose, the nearest two.
    """

    contrast: float
    tint: float


def eyes_seen(face: FaceTrack) -> EyesSeen:
    """Return the visibility features of the eyes; NaN without a frame."""
    return EyesSeen(*(_median(column) for column in face.eyes.T))


def mouth_seen(face: FaceTrack) -> MouthSeen:
    """Return the visibility features of the mouth; NaN without a frame."""
    luma, red, blue, within, tint = (_median(column) for column in face.mouth.T)
    return MouthSeen(float(np.linalg.norm([luma, red, blue])) + within / 4, tint)


def look(rgb: U8, landmarks: F32) -> tuple[F32, F32]:
    """Measure one near-frontal face.

    Args:
        rgb: the picture, (H, W, 3).
        landmarks: (478, 3) px.

    Returns:
        (3,) of the eyes: contrast, light and tint, as in `EyesSeen`; (5,) of the mouth: the lips over the skin around them in
        luma, red and blue, the spread of luma within them, and the tint of `MouthSeen`. NaN where too little is in the picture.
    """
    points = landmarks[:, :2].astype(np.float32)
    scale = _WIDTH_PX / max(float(np.linalg.norm(points[_SIDES[0]] - points[_SIDES[1]])), 1.0)
    low = np.floor(points.min(axis=0) - _MARGIN_PX / scale).clip(0).astype(int)
    high = np.ceil(points.max(axis=0) + _MARGIN_PX / scale).clip(0).astype(int)
    crop = rgb[low[1] : high[1], low[0] : high[0]]
    if min(crop.shape[:2]) * scale < _WIDTH_PX / 2:
        return np.full(EYES, np.nan, np.float32), np.full(MOUTH, np.nan, np.float32)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    levels = cv2.GaussianBlur(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=how), (3, 3), 0).astype(np.float32)
    face = _Face(levels, (points - low) * np.float32(scale))
    eyes = np.array([face.eye(eye) for eye in _EYES])
    best = np.array([_most(eyes[:, 0]), _most(eyes[:, 1]), -_most(-eyes[:, 2])], np.float32)
    return best, face.mouth()


class _Face:
    """A face scaled to one width; its methods measure luma and colour of its parts."""

    def __init__(self, levels: F32, points: F32) -> None:
        self._levels, self._points = levels, points
        self._luma = np.log(levels @ _LUMA + _BLACK)

    def eye(self, eye: _Eye) -> tuple[float, float, float]:
        """Return contrast, light and tint."""
        points = self._points
        upper, lower = points[list(eye.upper)], points[list(eye.lower)]
        along = upper[-1] - upper[0]
        down = np.array([-along[1], along[0]])
        centre = points[eye.iris]
        radius = float(np.linalg.norm(points[list(eye.rim)] - centre, axis=1).mean())
        opening = self._inside([*upper, *lower[::-1]])
        iris, white = opening & self._around(centre, 0.85 * radius), opening & ~self._around(centre, 1.15 * radius)
        below = self._inside([*(lower + 0.25 * down), *(lower + 0.5 * down)[::-1]])
        width = float(np.linalg.norm(along))
        bare = [self._colour(self._around(points[at], share * width)) for at, share in ((eye.cheek, 0.3), (_BETWEEN_BROWS, 0.15))]
        if min(iris.sum(), white.sum()) < 3:
            return 0.0, np.nan, np.nan
        contrast = float(np.quantile(self._luma[white], 0.75) - np.quantile(self._luma[iris], 0.25))
        over = np.array([[self._colour(white) - skin, self._colour(below) - skin] for skin in bare])
        return contrast, float(over[..., 0].sum(axis=1).max()), float(np.linalg.norm(over[..., 1:], axis=2).min())

    def mouth(self) -> F32:
        """Return the contrast of the lips to the skin around them, the spread within them, and the tint of cheeks and chin."""
        points = self._points
        unit = float(np.linalg.norm(points[_EYE_CORNERS[0]] - points[_EYE_CORNERS[1]])) / 2.4
        outer = points[list(_OUTER_LIPS)]
        away = outer - outer.mean(axis=0)
        away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
        lips = self._inside(outer) & ~self._inside(points[list(_INNER_LIPS)])
        ring = self._inside(outer + 0.28 * unit * away) & ~self._inside(outer + 0.06 * unit * away)
        cheeks = self._around(points[_LOWER_CHEEKS[0]], 0.3 * unit) | self._around(points[_LOWER_CHEEKS[1]], 0.3 * unit)
        below = self._colour(cheeks), self._colour(self._around(points[_CHIN], 0.3 * unit))
        bare = ((_FOREHEAD, 0.35), (_BETWEEN_BROWS, 0.15), (_BRIDGE, 0.2))
        above = [self._colour(self._around(points[at], share * unit)) for at, share in bare]
        if lips.sum() < 3:
            return np.full(MOUTH, np.nan, np.float32)
        within = float(np.quantile(self._luma[lips], 0.9) - np.quantile(self._luma[lips], 0.1))
        tint = min(float(np.linalg.norm((low - high)[1:])) for low in below for high in above)
        return np.array([*(self._colour(lips) - self._colour(ring)), within, tint], np.float32)

    def _colour(self, part: Mask) -> F32:
        """Return (3,): luma, red over green, blue over green; NaN for an empty part."""
        if not part.any():
            return np.full(3, np.nan, np.float32)
        red, green, blue = mean = self._levels[part].mean(axis=0) + np.float32(_BLACK)
        return np.log(np.array([mean @ _LUMA, red / green, blue / green], np.float32))

    def _inside(self, outline: list[F32] | F32) -> Mask:
        part = np.zeros(self._levels.shape[:2], np.uint8)
        cv2.fillPoly(part, [np.round(16 * np.asarray(outline)).astype(np.int32)], 1, cv2.LINE_8, 4)
        return part > 0

    def _around(self, centre: F32, radius: float) -> Mask:
        part = np.zeros(self._levels.shape[:2], np.uint8)
        cv2.circle(
            part, (round(16 * float(centre[0])), round(16 * float(centre[1]))), round(16 * max(radius, 1.0)), 1, -1, cv2.LINE_8, 4
        )
        return part > 0


def _median(values: F32) -> float:
    seen = values[np.isfinite(values)]
    return float(np.median(seen)) if len(seen) else float("nan")


def _most(values: F32) -> float:
    seen = values[np.isfinite(values)]
    return float(seen.max()) if len(seen) else float("nan")
