"""Watch: observes a recording while its bytes arrive.

1. Decode as bytes come (`cameo_verifier.media.early`).
2. Detect faces in the first picture of each eighth of a second, and measure the level of each tenth of a second of sound and
   whether somebody speaks in it.
3. Tell each observation in the order of the file.

Of an answer the faces are found in every picture that is to be judged, and remembered (`cameo_verifier.evidence.early`). A
preparation that does not tell when its packets arrive is refused, since no answer like it could be accepted. The observations
depend on the bytes alone, neither on how they were split nor on time.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cameo_credential.errors import CameoError
from cameo_verifier.errors import AbandonedError, UnjudgeableError
from cameo_verifier.evidence.early import EarlyFaces
from cameo_verifier.live.observation import Heard, Observation, Seen
from cameo_verifier.media.arriving import Arriving
from cameo_verifier.media.budget import Budget
from cameo_verifier.media.early import CannotReadEarlyError, EarlyPictures
from cameo_verifier.media.early_sound import EarlySound
from cameo_verifier.media.picture import ANALYSED_PX
from cameo_verifier.media.source import damaged
from cameo_verifier.models.landmarks import MAX_FACES, head_pose_deg
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.settings import Settings
    from cameo_verifier.types import F32, U8, FaceObservation, Frame

WATCHED_FPS = 8
"""A nod or a blink is not looked for: a turn of the head takes half a second."""
_WATCHED_PX = 640
_LONGEST_S = 300.0
"""Of a recording that is only watched; the limit on its bytes ends it earlier."""
_SILENCE_DB = -120.0
_ASK_S = 0.1


class Watch:
    """The observation of one arriving recording, in a thread of its own; `feed` never waits for it."""

    def __init__(
        self, kit: ModelKit, *, settings: Settings, tell: Callable[[Observation | Exception], None], answer: bool = False
    ) -> None:
        """Start; nothing has arrived yet.

        Args:
            kit: where the models come from.
            settings: limits and the analysis rate.
            tell: called in that thread with every observation, or with the error that ends them: `UnjudgeableError` where the
                recording cannot be read while it arrives.
            answer: find the faces in all pictures that are to be judged.
        """
        self._kit, self._settings, self._limits, self._tell = kit, settings, settings.media, tell
        self._answer = answer
        self._early = EarlyFaces()
        self._times: deque[float] = deque()
        self._slot = -1
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

    def end(self) -> None:
        """Announce that all bytes are received."""
        self._arriving.end()

    def wait(self, timeout_s: float) -> bool:
        """Wait, at most so many seconds, for the end of the observation; return whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def result(self, recording: bytes, cancelled: Callable[[], bool]) -> EarlyFaces | None:
        """Wait for the faces of an answer that has ended, and return them; nothing where it was no such, or cannot be read.

        Args:
            recording: the whole; nothing is returned where these are not the bytes that arrived.
            cancelled: called now and then; a true answer stops the work.

        Raises:
            AbandonedError: `cancelled` returned true.
        """
        if not self._answer:
            return None
        while not self.wait(_ASK_S):
            if cancelled():
                self.stop()
                raise AbandonedError("the verification was abandoned")
        return self._early if not self._arriving.stopped() and self._arriving.whole() == recording else None

    def _run(self) -> None:
        error: Exception | None
        try:
            error = self._watched()
        except Exception as fault:  # noqa: BLE001 - told, and reported by whoever hears it
            error = fault
        if isinstance(error, AbandonedError):
            if self._size <= self._limits.max_bytes:
                return
            most = f"{self._limits.max_bytes / 2**20:.0f} MiB"
            error = UnjudgeableError(Reason.RECORDING_TOO_LARGE, f"the recording is over the limit of {most}: begin a new one")
        if error is not None:
            self._tell(error)

    def _watched(self) -> CameoError | None:
        """Observe until the recording cannot be read on; return why, or nothing at its end."""
        budget = Budget(self._limits)
        listener = EarlySound(self._listener(), budget=budget, max_s=_LONGEST_S)
        try:
            self._look(budget, listener)
        except CannotReadEarlyError as error:
            return UnjudgeableError(
                Reason.UNSUPPORTED_MEDIA,
                f"{error}, and this one is to be read while it is made: record WebM, or MP4 in fragments",
            )
        return None if self._arriving.ended() else damaged("it cannot be read on")

    def _look(self, budget: Budget, listener: EarlySound) -> None:
        if self._answer:
            limits, fps, side_px = self._limits, self._settings.analysis_fps, ANALYSED_PX
        else:
            limits, fps, side_px = self._limits.model_copy(update={"max_s": _LONGEST_S}), WATCHED_FPS, _WATCHED_PX
        pictures = EarlyPictures(self._arriving, limits=limits, budget=budget, hear=listener.add, needs_arrivals=not self._answer)
        frames = pictures.frames(max_fps=fps, max_side_px=side_px, glance=lambda t_s, _: self._times.append(t_s))
        ended: CameoError | None = None
        # The landmarker is not lent again where an error passes through.
        with self._kit.landmarker(max_faces=MAX_FACES, video=True) as landmarker:
            try:
                for frame in frames:
                    self._found(frame, landmarker.detect(frame))
            except CameoError as error:
                ended = error
        if ended is not None:
            raise ended

    def _found(self, frame: Frame, faces: tuple[FaceObservation, ...]) -> None:
        """Tell of a picture, if it is the first of its slot."""
        if self._answer:
            self._early.add(frame, faces)
        if (slot := int(frame.t_s * WATCHED_FPS + 1e-6)) > self._slot:
            self._slot = slot
            self._tell(seen(frame, faces, _fps(self._times)))

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
