"""Portraits: the aligned pictures of a face that a likeness holds, chosen by what was measured of every frame.

1. Eligible is a frame with one face, turned by at most `IDENTITY_DEG`.
2. Its quality is the product of five scores in 0..1: frontal (a Gaussian of the turn, `portrait_turn_max` wide), eyes open,
   mouth closed, sharp and lit, the last two relative to the best twentieth of the recording.
3. The best frame is taken, then the next best that keeps a distance in time from all before it, up to `portraits_max`; those
   after the first `portraits_min` only with `portrait_quality_min` of the best one's quality. The distance, `portrait_apart_min`
   of the recording, is halved until there are as many as the least.
4. Each is decoded again in its full resolution and aligned as `PREPROCESSING` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from cameo_credential.item_kind import ItemKind
from cameo_credential.media_items import MediaItem
from cameo_verifier.evidence.picture import IDENTITY_DEG
from cameo_verifier.media.recording import looked_at
from cameo_verifier.models.face_embedding import five_points

if TYPE_CHECKING:
    from cameo_verifier.media.recording import Recording
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import F32, F64, U8, FaceTrack

SIDE_PX = 512
TEMPLATE = np.array(
    [[192.98138, 239.94708], [318.90277, 240.1936], [256.63416, 314.01935], [201.26117, 371.41043], [313.08905, 371.15118]]
)
"""Px of the eyes, the tip of the nose and the corners of the mouth, from left to right in the picture: the template of facexlib's
`FaceRestoreHelper` for faces of FFHQ at 512 px."""
QUALITY = 95
PREPROCESSING = (
    "512x512 px sRGB; the least-squares similarity (rotation, scale, shift) of five points (centres of the eyes' corners, tip of "
    "the nose, corners of the mouth; MediaPipe face mesh 33+133, 362+263, 1, 61, 291) to facexlib's FFHQ template "
    "(192.98138,239.94708; 318.90277,240.1936; 256.63416,314.01935; 201.26117,371.41043; 313.08905,371.15118); shrunk by area "
    "averaging first where the picture is larger; bilinear; outside of the picture grey (132,133,135); JPEG quality 95, 4:4:4"
)
_GREY = (132, 133, 135)
_BEST = 95
_BLINK, _JAW_OPEN = (9, 10), 25
"""Indices of eyeBlinkLeft and -Right and of jawOpen in MediaPipe's 52 blendshapes."""


def portraits(source: Recording, face: FaceTrack, profile: Profile, *, fps: float, threads: int = 1) -> tuple[MediaItem, ...]:
    """Return the portraits of a recording, the best first; none without an eligible frame.

    Args:
        source: the open recording that `face` was extracted from.
        face: its track.
        profile: has the thresholds by which they are chosen.
        fps: the analysis rate at extraction, so that the same frames are found.
        threads: threads that decode.

    Raises:
        UnjudgeableError: the recording cannot be read.
    """
    score = quality(face, profile)
    rows = chosen(face.t_s, score, profile)
    wanted = {float(face.t_s[row]): row for row in rows}
    width, height = looked_at(source.info)
    found: dict[int, MediaItem] = {}
    if wanted:
        for frame in source.frames(max_fps=fps, max_side_px=_ANY_PX, threads=threads, only=wanted):
            row = wanted[frame.t_s]
            # Landmarks refer to the picture that was looked at, whose orientation only the frames show where headers do not.
            scale = max(frame.rgb.shape[:2]) / max(width, height)
            found[row] = _item(frame.rgb, face, row, scale=scale, score=float(score[row]))
            if len(found) == len(wanted):
                break
    return tuple(found[row] for row in rows if row in found)


_ANY_PX = 1 << 15


def quality(face: FaceTrack, profile: Profile) -> F64:
    """Return the quality of each frame, (N,) 0..1; 0 where it is not eligible."""
    turned = np.abs(face.pose_deg[:, :2]).max(axis=1)
    seen = (face.faces == 1) & np.isfinite(face.landmarks).all(axis=(1, 2)) & (np.nan_to_num(turned, nan=90.0) <= IDENTITY_DEG)
    score = np.zeros(len(face.t_s))
    if not seen.any():
        return score
    shapes, sharp = face.blendshapes[seen], face.sharpness[seen]
    lit = np.minimum(np.fmax(face.luma[seen], face.eye_white[seen]), profile["portrait_luma_max"].value)
    score[seen] = (
        np.exp(-((turned[seen] / profile["portrait_turn_max"].value) ** 2))
        * (1.0 - np.clip(shapes[:, _BLINK].max(axis=1), 0.0, 1.0))
        * (1.0 - np.clip(shapes[:, _JAW_OPEN], 0.0, 1.0))
        * _of_best(sharp)
        * _of_best(lit)
    )
    return np.nan_to_num(score)


def chosen(t_s: F64, score: F64, profile: Profile) -> list[int]:
    """Return the rows of the portraits, the best first."""
    order = [int(row) for row in np.argsort(-score, kind="stable") if score[row] > 0.0]
    if not order:
        return []
    least, most = (int(profile[name].value) for name in ("portraits_min", "portraits_max"))
    apart_s = float(t_s[-1] - t_s[0]) * profile["portrait_apart_min"].value
    while True:
        rows: list[int] = []
        for row in order:
            good = len(rows) < least or profile["portrait_quality_min"].holds(score[row] / score[order[0]])
            if good and len(rows) < most and all(abs(t_s[row] - t_s[other]) >= apart_s for other in rows):
                rows.append(row)
        if len(rows) >= min(least, len(order)) or apart_s == 0.0:
            return rows
        apart_s = apart_s / 2.0 if apart_s > 1e-3 else 0.0


def align(rgb: U8, points: F32) -> tuple[U8, float]:
    """Return the (512, 512, 3) uint8 RGB portrait of a picture, and how many px of it a px of the picture becomes.

    Args:
        rgb: (H, W, 3).
        points: (5, 2) px, as `five_points` returns them.
    """
    turn, shift = _similarity(points.astype(np.float64), TEMPLATE)
    scale = abs(turn)
    if scale < 1.0:
        height, width = rgb.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        shrunk = points * (np.array(size) / (width, height))
        turn, shift = _similarity(shrunk.astype(np.float64), TEMPLATE)
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    made = cv2.warpAffine(rgb, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR, borderValue=_GREY)
    return np.asarray(made, np.uint8), scale


def _similarity(points: F64, to: F64) -> tuple[complex, complex]:
    """Return the least-squares similarity w = turn * z + shift of points of the complex plane."""
    z, w = (each[:, 0] + 1j * each[:, 1] for each in (points, to))
    about = z - z.mean()
    turn = complex((about.conj() * (w - w.mean())).sum() / (np.abs(about) ** 2).sum())
    return turn, complex(w.mean() - turn * z.mean())


def _of_best(values: F32) -> F64:
    best = np.nanpercentile(values, _BEST)
    return np.clip(np.nan_to_num(values.astype(np.float64)) / max(float(best), 1e-6), 0.0, 1.0)


def _item(rgb: U8, face: FaceTrack, row: int, *, scale: float, score: float) -> MediaItem:
    made, magnified = align(rgb, five_points(face.landmarks[row]) * scale)
    settings = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(made, cv2.COLOR_RGB2BGR), settings)
    shapes, (yaw, pitch, roll) = face.blendshapes[row], face.pose_deg[row]
    facts = {
        "width": SIDE_PX,
        "height": SIDE_PX,
        "at_s": round(float(face.t_s[row]), 3),
        "quality": round(score, 4),
        "yaw_deg": round(float(yaw), 1),
        "pitch_deg": round(float(pitch), 1),
        "roll_deg": round(float(roll), 1),
        "sharpness": round(float(face.sharpness[row]), 4),
        "luma": round(float(face.luma[row]), 1),
        "eyes_closed": round(float(shapes[list(_BLINK)].max()), 3),
        "mouth_open": round(float(shapes[_JAW_OPEN]), 3),
        "magnified": round(magnified, 3),
    }
    return MediaItem(ItemKind.FACE_CROP, "image/jpeg", PREPROCESSING, facts, jpeg.tobytes())
