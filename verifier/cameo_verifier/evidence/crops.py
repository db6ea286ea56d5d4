"""Face crops: renders a few pictures of a face side by side, so that a person can compare two attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.crop import crop_scaled, face_box, squared

if TYPE_CHECKING:
    from cameo_verifier.settings import MediaLimits
    from cameo_verifier.types import U8, FaceTrack

PICTURES = 4
SIDE_PX = 192
_WIDER = 1.6
"""The margin includes hair and ears but not a bystander."""
_QUALITY = 85


def crops(recording: bytes, face: FaceTrack, *, limits: MediaLimits, fps: float) -> bytes:
    """Return a JPEG of up to `PICTURES` squares of `SIDE_PX`, of frames whose face was embedded; empty without such a frame.

    Args:
        recording: the recording that `face` was extracted from.
        face: its track.
        limits: on the recording.
        fps: the analysis rate at extraction, so that the same frames are found.

    Raises:
        UnjudgeableError: the recording cannot be read.
    """
    seen = {float(t_s): row for row, t_s in enumerate(face.t_s) if np.isfinite(face.landmarks[row]).all()}
    known = [float(t_s) for t_s in face.identity_t_s if float(t_s) in seen]
    wanted = {known[round(place)] for place in np.linspace(0, len(known) - 1, PICTURES)} if known else set()
    squares: list[U8] = []
    with open_recording(recording, limits=limits) as source:
        for frame in source.frames(max_fps=fps):
            if len(squares) == len(wanted):
                break
            if frame.t_s in wanted:
                box = squared(face_box(face.landmarks[seen[frame.t_s]]))
                squares.append(crop_scaled(frame.rgb, box, scale=_WIDER, side_px=SIDE_PX))
    if not squares:
        return b""
    strip = cv2.cvtColor(np.hstack(squares), cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", strip, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return jpeg.tobytes()
