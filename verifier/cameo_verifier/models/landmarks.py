"""Face landmarks: detects faces with landmarks, blendshapes and head pose by MediaPipe's face landmarker."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.native_log import without_chatter
from cameo_verifier.models.quiet import quiet_import, quiet_mediapipe
from cameo_verifier.types import F32, FaceObservation, Frame

if TYPE_CHECKING:
    from pathlib import Path

MAX_FACES = 2
"""Limit in a recording: enough to know that there is more than one."""
_NOTHING = np.zeros((64, 64, 3), np.uint8)


class FaceLandmarker:
    """A detector of up to `max_faces` faces in pictures.

    With `video`, faces are tracked from one frame to the next: feed it one recording's frames in order of time, and `forget`
    before the next recording. Otherwise every picture is independent. MediaPipe detects anew whenever fewer than `max_faces` are
    tracked, and smooths only with `max_faces` = 1, so a lone face under `max_faces` = 2 comes out the same in both modes. Results
    repeat bit for bit, also after other recordings.

    Raises:
        ModelKitError: the file is missing or is no face landmarker bundle.
    """

    def __init__(self, path: Path, *, max_faces: int, video: bool) -> None:
        quiet_mediapipe()
        with quiet_import():
            from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415 - a second only a process with models should pay

        if not path.is_file():
            raise ModelKitError(f"model file {path} is missing; run: cameo models pull")
        mode = vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(path), delegate=BaseOptions.Delegate.CPU),
            running_mode=mode,
            num_faces=max_faces,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        try:
            with without_chatter():
                self._landmarker: Any = vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise ModelKitError(f"model file {path} cannot be loaded; run: cameo models pull") from error
        self._video = video
        self._smooths = video and max_faces == 1
        self._began_ms = 0
        self._last_ms = -1

    def __enter__(self) -> Self:
        """Return the landmarker itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Free the native graph; closing twice does nothing."""
        self._landmarker.close()

    def forget(self) -> bool:
        """Reset the tracking of every face, so that the next recording is tracked as by a new instance; False where that fails.

        A black picture ends the tracking, and the next recording's timestamps continue after it. Smoothing filters keep older
        state.
        """
        if self._video and self._last_ms >= self._began_ms:
            if self._smooths or all(self.detect(Frame((self._last_ms - self._began_ms) / 1000, _NOTHING)) for _ in range(3)):
                return False
            self._began_ms = self._last_ms + 1
        return True

    def detect(self, frame: Frame) -> tuple[FaceObservation, ...]:
        """Return the faces in one picture, largest first.

        In video mode timestamps are whole milliseconds, and each is made later than the one before.
        """
        import mediapipe  # noqa: PLC0415 - loaded by the constructor

        height, width = frame.rgb.shape[:2]
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(frame.rgb))
        if self._video:
            self._last_ms = max(self._last_ms + 1, self._began_ms + round(frame.t_s * 1000))
            result = self._landmarker.detect_for_video(image, self._last_ms)
        else:
            result = self._landmarker.detect(image)
        # MediaPipe gives z in widths of the picture, as it does x.
        to_px = np.array([width, height, width], np.float32)
        faces = [
            FaceObservation(
                landmarks=np.array([(point.x, point.y, point.z) for point in points], np.float32) * to_px,
                blendshapes=np.array([shape.score for shape in shapes], np.float32),
                transform=np.array(transform, np.float32),
            )
            for points, shapes, transform in zip(
                result.face_landmarks, result.face_blendshapes, result.facial_transformation_matrixes, strict=True
            )
        ]
        return tuple(sorted(faces, key=lambda face: float(np.prod(np.ptp(face.landmarks[:, :2], axis=0))), reverse=True))


def head_pose_deg(transform: F32) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees of a (4, 4) canonical-face-to-camera transform.

    Yaw > 0 looks to the person's own left, pitch > 0 up, roll > 0 leans towards the person's left shoulder. Canonical axes:
    x towards the person's left, y up, z out of the face; the rotation is read as yaw about y, pitch about x, roll about z.
    """
    rotation = np.asarray(transform[:3, :3], np.float64)
    rotation = rotation / np.linalg.norm(rotation, axis=0)
    yaw = math.atan2(rotation[0, 2], rotation[2, 2])
    pitch = math.asin(max(-1.0, min(1.0, rotation[1, 2])))
    roll = -math.atan2(rotation[1, 0], rotation[1, 1])
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)
