"""Preview: transcodes a recording for browsers to upright VP8 and Opus in WebM, which all of them play.

Its times are those of the recording as it is judged: picture by picture, and the sound sample by sample, both from the start.
Pictures have the size that landmarks refer to, so that outlines fit. A preview is not evidence: it is sampled and re-encoded.
Everything stays in memory; nothing is written to a disk.
"""

from __future__ import annotations

import io
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

import av
import numpy as np

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media.recording import open_recording
from cameo_verifier.media.sound import RATE_HZ
from cameo_verifier.media.source import vendor_errors
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from cameo_verifier.media.recording import Recording
    from cameo_verifier.settings import MediaLimits
    from cameo_verifier.types import F32, Frame

MAX_BYTES = 24 * 2**20
MAX_FPS = 30.0
_PICTURE_BITS_S, _SOUND_BITS_S = 2_500_000, 32_000
_TICKS = 1000
"""WebM counts milliseconds."""
_KEY_EVERY = 15
"""Key-frame interval: a seek in the recording decodes half of it on average."""
_SOUND_CHUNK = RATE_HZ // 5


def preview(recording: bytes, *, limits: MediaLimits, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the preview of a recording, as far as it can be read within the limits; it ends where that ends.

    Args:
        recording: as it is kept.
        limits: on a recording and its cost; the pictures made of it count too.
        max_bytes: approximate limit on the size of the preview.

    Raises:
        UnjudgeableError: as `open_recording`, or nothing of it can be shown; the message says why.
    """
    made = io.BytesIO()
    with open_recording(recording, limits=limits) as opened, vendor_errors("no preview can be made"):
        frames = opened.frames(max_fps=MAX_FPS)
        first = next(frames, None)
        sound = _sound(opened)
        if first is None and not sound.size:
            raise UnjudgeableError(Reason.CORRUPT_MEDIA, "the recording holds nothing that can be shown")
        with av.open(made, "w", format="webm") as container:
            writer = _Writer(container, first, sound)
            for frame in _while_readable(chain(() if first is None else (first,), frames)):
                writer.show(frame)
                if made.tell() > max_bytes:
                    break
            writer.finish()
    return made.getvalue()


def previewing(limits: MediaLimits) -> Callable[[bytes, Callable[[], bool]], bytes]:
    """Return the function that a worker process (`cameo_verifier.workers.process`) applies to a recording."""

    def judge(recording: bytes, _cancelled: Callable[[], bool]) -> bytes:
        return preview(recording, limits=limits)

    return judge


class _Writer:
    """An encoder of pictures, and of the sound up to each of them."""

    def __init__(self, container: OutputContainer, first: Frame | None, sound: F32) -> None:
        self._container, self._sound, self._said, self._last = container, sound, 0, -1
        self._picture: VideoStream | None = None
        self._voice: AudioStream | None = None
        if first is not None:
            self._picture = container.add_stream("libvpx", rate=round(MAX_FPS))
            self._picture.height, self._picture.width = first.rgb.shape[:2]
            self._picture.pix_fmt = "yuv420p"
            context = self._picture.codec_context
            context.time_base, context.bit_rate, context.gop_size = Fraction(1, _TICKS), _PICTURE_BITS_S, _KEY_EVERY
            context.thread_count = 1
            context.options = {"deadline": "realtime", "cpu-used": "8"}
        if sound.size:
            self._voice = container.add_stream("libopus", rate=RATE_HZ, layout="mono")
            self._voice.codec_context.bit_rate = _SOUND_BITS_S

    def show(self, frame: Frame) -> None:
        """Encode a picture, unless one of the same millisecond came before it."""
        self._say(round(frame.t_s * RATE_HZ))
        ticks = round(frame.t_s * _TICKS)
        if self._picture is None or ticks <= self._last:
            return
        self._last = ticks
        picture = av.VideoFrame.from_ndarray(frame.rgb, format="rgb24")
        picture.pts, picture.time_base = ticks, Fraction(1, _TICKS)
        self._container.mux(self._picture.encode(picture))

    def finish(self) -> None:
        """Encode the rest of the sound, and flush the encoders."""
        self._say(len(self._sound))
        for stream in (self._picture, self._voice):
            if stream is not None:
                self._container.mux(stream.encode(None))

    def _say(self, upto: int) -> None:
        while self._voice is not None and self._said < min(upto, len(self._sound)):
            samples = self._sound[self._said : self._said + _SOUND_CHUNK]
            piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="flt", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = RATE_HZ, self._said, Fraction(1, RATE_HZ)
            self._said += len(samples)
            self._container.mux(self._voice.encode(piece))


def _sound(opened: Recording) -> F32:
    """Return the sound; none where it cannot be read: the pictures are previewed all the same."""
    try:
        return opened.sound()
    except UnjudgeableError:
        return np.zeros(0, np.float32)


def _while_readable(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Yield pictures until one cannot be read: those before it are previewed all the same."""
    try:
        yield from frames
    except UnjudgeableError:
        return
