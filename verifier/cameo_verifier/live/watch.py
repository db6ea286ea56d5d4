"""Watch: observes a recording while its bytes arrive.

1. Decode as bytes come (`cameo_verifier.media.early`).
2. Detect faces in the first picture of each eighth of a second, and measure the level of each tenth of a second of sound and
   whether somebody speaks in it.
3. Tell each observation in the order of the file.

The observations depend on the bytes alone, neither on how they were split nor on time.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cameo_credential.errors import CameoError
from cameo_verifier.errors import AbandonedError, UnjudgeableError
from cameo_verifier.live.observation import Heard, Observation, Seen
from cameo_verifier.media.arriving import Arriving
from cameo_verifier.media.budget import Budget
from cameo_verifier.media.early import CannotReadEarlyError, EarlyPictures
from cameo_verifier.media.early_sound import EarlySound
from cameo_verifier.media.source import damaged
from cameo_verifier.models.landmarks import MAX_FACES, head_pose_deg
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.settings import MediaLimits
    from cameo_verifier.types import F32, U8, FaceObservation, Frame

WATCHED_FPS = 8
"""A nod or a blink is not looked for: a turn of the head takes half a second."""
_WATCHED_PX = 640
_LONGEST_S = 300.0
"""Of a recording that is only watched; the limit on its bytes ends it earlier."""
_SILENCE_DB = -120.0


class Watch:
    """The observation of one arriving recording, in a thread of its own; `feed` never waits for it."""

    def __init__(self, kit: ModelKit, *, limits: MediaLimits, tell: Callable[[Observation | Exception], None]) -> None:
        """Start; nothing has arrived yet.

        Args:
            kit: where the models come from.
            limits: on the recording.
            tell: called in that thread with every observation, or with the error that ends them: `UnjudgeableError` where the
                recording cannot be read while it arrives.
        """
        self._kit, self._limits, self._tell = kit, limits, tell
        self._arriving = Arriving()
        self._size = 0
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def feed(self, chunk: bytes) -> None:
        """Append what was received; beyond the limit on the size nothing is kept."""
        self._size += len(chunk)
        if self._size > self._limits.max_bytes:
            self._arriving.stop()
        else:
            self._arriving.feed(chunk)

    def stop(self) -> None:
        """End the observation, and wait until nothing more is told: for a picture or two."""
        self._arriving.stop()
        self._thread.join()

    def _run(self) -> None:
        error: Exception
        try:
            error = self._watched()
        except Exception as fault:  # noqa: BLE001 - told, and reported by whoever hears it
            error = fault
        if isinstance(error, AbandonedError):
            if self._size <= self._limits.max_bytes:
                return
            most = f"{self._limits.max_bytes / 2**20:.0f} MiB"
            error = UnjudgeableError(Reason.RECORDING_TOO_LARGE, f"the recording is over the limit of {most}: begin a new one")
        self._tell(error)

    def _watched(self) -> CameoError:
        """Observe until the recording cannot be read on; return why."""
        budget, times = Budget(self._limits), deque[float]()
        listener = EarlySound(self._listener(), budget=budget, max_s=_LONGEST_S)
        limits = self._limits.model_copy(update={"max_s": _LONGEST_S})
        pictures = EarlyPictures(self._arriving, limits=limits, budget=budget, hear=listener.add)
        frames = pictures.frames(max_fps=WATCHED_FPS, max_side_px=_WATCHED_PX, glance=lambda t_s, _: times.append(t_s))
        # The landmarker is not lent again where an error passes through.
        with self._kit.landmarker(max_faces=MAX_FACES, video=True) as landmarker:
            try:
                for frame in frames:
                    self._tell(seen(frame, landmarker.detect(frame), _fps(times)))
            except CannotReadEarlyError as error:
                return UnjudgeableError(
                    Reason.UNSUPPORTED_MEDIA,
                    f"{error}, and this one is to be read while it is made: record WebM, or MP4 in fragments",
                )
            except CameoError as error:
                return error
            return damaged("it cannot be read on")

    def _listener(self) -> Callable[[float, F32], None]:
        follower = self._kit.voice_activity.follow()

        def each(end_s: float, window: F32) -> None:
            rms = float(np.sqrt(np.mean(np.square(window, dtype=np.float64))))
            self._tell(Heard(end_s, max(_SILENCE_DB, 20.0 * float(np.log10(max(rms, 1e-12)))), follower.add(window)))

        return each


def seen(frame: Frame, faces: tuple[FaceObservation, ...], fps: float) -> Seen:
    """Return what a picture shows, given its faces, largest first, and the rate of the pictures."""
    rgb = frame.rgb
    height, width, _ = rgb.shape
    if not faces:
        return Seen(frame.t_s, 0, 0.0, (0.5, 0.5), _luma(rgb), 0.0, 0.0, fps)
    face = faces[0]
    low, high = face.landmarks[:, :2].min(axis=0), face.landmarks[:, :2].max(axis=0)
    x0, y0 = np.clip(low.astype(int), 0, (width - 1, height - 1))
    x1, y1 = np.clip(high.astype(int) + 1, (x0 + 1, y0 + 1), (width, height))
    middle = np.clip((low + high) / 2 / (width, height), 0.0, 1.0)
    yaw, pitch, _ = head_pose_deg(face.transform)
    return Seen(
        media_s=frame.t_s,
        faces=len(faces),
        face_share=float(np.clip((high[1] - low[1]) / height, 0.0, 1.0)),
        centre=(float(middle[0]), float(middle[1])),
        luma=_luma(rgb[y0:y1, x0:x1]),
        yaw=yaw,
        pitch=pitch,
        fps=fps,
    )


def _luma(rgb: U8) -> float:
    return float(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).mean())


def _fps(times: deque[float]) -> float:
    """Return the rate of the pictures by their times, of which those of the last second are kept."""
    while times[-1] - times[0] > 1.0:
        times.popleft()
    return (len(times) - 1) / (times[-1] - times[0]) if times[-1] > times[0] else 0.0
