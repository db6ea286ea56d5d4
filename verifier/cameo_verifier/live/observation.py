"""Observations: what the arriving recording shows and sounds like, in the order of its own clock.

That clock counts seconds from the start of the recording: the first picture or sound, as in its evidence.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """One analysed picture.

    Attributes:
        media_s: its time in the recording, in seconds.
        faces: number of faces.
        face_share: height of the largest face over the picture's height, 0 to 1; 0 without a face.
        centre: its centre over the picture's width and height, 0 to 1 each; (0.5, 0.5) without a face.
        luma: mean luma of the box around it, 0 to 255; of the picture without a face.
        yaw: degrees; positive: the person turns to their own left.
        pitch: degrees; positive: the chin is raised.
        fps: pictures a second over the last second; 0 for the first one.
    """

    media_s: float
    faces: int
    face_share: float
    centre: tuple[float, float]
    luma: float
    yaw: float
    pitch: float
    fps: float


@dataclass(frozen=True, slots=True)
class Heard:
    """One stretch of sound of 0.1 s.

    Attributes:
        media_s: time of its end in the recording, in seconds.
        level_db: its RMS level in dB relative to full scale; -120 for digital silence.
        speech: whether somebody speaks.
    """

    media_s: float
    level_db: float
    speech: bool


Observation = Seen | Heard
