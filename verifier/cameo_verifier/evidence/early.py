"""Early analysis: analyses the pictures of a recording while its bytes arrive, which leaves little for after the last byte."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_verifier.errors import AbandonedError, UnjudgeableError
from cameo_verifier.evidence.continuity import Glances
from cameo_verifier.evidence.picture import Stopwatch, observe
from cameo_verifier.media.arriving import Arriving
from cameo_verifier.media.budget import Budget
from cameo_verifier.media.early import CannotReadEarlyError, EarlyPictures
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.settings import Settings
    from cameo_verifier.types import FaceTrack, Frame, Missing


_ASK_S = 0.1


@dataclass(frozen=True, slots=True)
class EarlyFace:
    """What was seen in the pictures that were read early."""

    pictures: EarlyPictures
    face: FaceTrack | Missing
    glances: Glances


class EarlyAnalysis:
    """The analysis of an arriving recording, in a thread of its own.

    `feed` and `end` never wait for it. Whoever takes no `result` calls `stop`.
    """

    def __init__(self, kit: ModelKit, *, settings: Settings, spread_s: float) -> None:
        """Start; nothing has arrived yet.

        Args:
            kit: where the models come from.
            settings: limits and the analysis rate.
            spread_s: as of `cameo_verifier.evidence.picture.observe`.
        """
        self._kit, self._settings, self._spread_s = kit, settings, spread_s
        self._arriving = Arriving()
        self._watch = Stopwatch()
        self._result: Future[EarlyFace | None] = Future()
        self._thread = threading.Thread(target=self._run, name="early", daemon=True)
        self._thread.start()

    def feed(self, chunk: bytes) -> None:
        """Append what was received."""
        self._arriving.feed(chunk)

    def end(self) -> None:
        """Announce that all bytes are received."""
        self._arriving.end()

    def stop(self) -> None:
        """Give up, and wait until the thread has ended: within a picture or two."""
        self._arriving.stop()
        self._thread.join()

    def whole(self) -> bytes:
        """Return all bytes; they must have ended."""
        return self._arriving.whole()

    def result(self, cancelled: Callable[[], bool], timings_ms: Stopwatch | None = None) -> EarlyFace | None:
        """Wait for the analysis and return it; nothing where the recording has to be whole to be read.

        Args:
            cancelled: called now and then; a true answer stops the work.
            timings_ms: milliseconds by model are added here, but for decoding, which waits for bytes.

        Raises:
            UnjudgeableError: `RECORDING_TOO_COSTLY`.
            AbandonedError: `cancelled` returned true.
        """
        while self._thread.is_alive() and not self._result.done():
            self._thread.join(_ASK_S)
            if cancelled():
                self.stop()
                raise AbandonedError("the verification was abandoned")
        found = self._result.result()
        if timings_ms is not None:
            for name, spent in self._watch.items():
                timings_ms[name] = timings_ms.get(name, 0.0) + spent
        return found

    def _run(self) -> None:
        try:
            self._result.set_result(self._observed())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is taken
            self._result.set_exception(error)

    def _observed(self) -> EarlyFace | None:
        glances, settings = Glances(), self._settings
        pictures = EarlyPictures(self._arriving, limits=settings.media, budget=Budget(settings.media))
        frames = pictures.frames(max_fps=settings.analysis_fps, glance=glances.add)
        try:
            if settings.overlap:
                with closing(read_ahead(frames)) as upcoming:
                    face = self._face(upcoming)
            else:
                face = self._face(frames)
        except (AbandonedError, CannotReadEarlyError):
            return None
        except UnjudgeableError as error:
            # What else is wrong with it is said of the whole, in the order in which a whole recording is read.
            if error.reason is Reason.RECORDING_TOO_COSTLY:
                raise
            return None
        self._watch.pop("decode_picture", None)
        return EarlyFace(pictures, face, glances)

    def _face(self, frames: Iterator[Frame]) -> FaceTrack | Missing:
        return observe(frames, self._kit, spread_s=self._spread_s, cancelled=self._arriving.stopped, timings_ms=self._watch)


def read_ahead(frames: Iterator[Frame]) -> Generator[Frame, None, None]:
    """Yield the same frames, prefetching: each is decoded in another thread while the one before it is processed."""
    with ThreadPoolExecutor(1, "decoder") as pool:
        following = pool.submit(next, frames, None)
        while (frame := following.result()) is not None:
            following = pool.submit(next, frames, None)
            yield frame
