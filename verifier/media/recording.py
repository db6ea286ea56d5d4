"""A recording: what its headers say, its pictures, its sound, and what was measured when both were read.

The limits in `verifier.settings.MediaLimits` come in two kinds. Size in bytes and side in pixels protect this process and
are refused here with an error. Length, frame rate and smallest side are about the person's answer: they are measured,
reported in `MediaInfo`, and judged by a check; all that happens here is that nothing past the longest length is decoded.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from verifier.errors import InvalidRequestError, UnjudgeableError
from verifier.media.iso import declared_size
from verifier.media.picture import PictureMeasures, PictureRequest, check_size, read_pictures
from verifier.media.sniff import sniff
from verifier.media.sound import RATE_HZ, Sound, read_sound
from verifier.media.source import Source, Streams, choose_streams, codec_of, declared_s, open_source, origin_s, seconds
from verifier.media.still import StillHeader, read_header
from verifier.reasons import Reason
from verifier.types import MediaInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from verifier.settings import MediaLimits
    from verifier.types import F32, U8, Frame


def open_recording(data: bytes | Path, *, limits: MediaLimits) -> Recording:
    """Open a recording, a sound file or a still, and read its headers; no picture is decoded yet.

    Raises:
        InvalidRequestError: the path leads to no file.
        UnjudgeableError: `RECORDING_TOO_LARGE`, `PICTURE_TOO_LARGE`, `UNSUPPORTED_MEDIA` or `CORRUPT_MEDIA`; the
            message says what to do.
    """
    return Recording(_read(data, limits), limits)


class Recording:
    """An open recording. Use it as a context manager.

    `frames` and `sound` read the same bytes through containers of their own, so they may run in two threads at once.
    """

    def __init__(self, data: bytes, limits: MediaLimits) -> None:
        container = sniff(data)
        self._limits = limits
        self._still: StillHeader | None = read_header(data, container) if container.still else None
        if self._still is not None:
            check_size(self._still.width, self._still.height, limits)
        self._source = Source(data, container)
        self._pictures = PictureMeasures()
        self._sound: Sound | None = None
        opened = open_source(self._source)
        self._opened: InputContainer | None = opened
        try:
            streams = choose_streams(opened)
            self._info = self._headers(streams, declared_s(opened))
            check_size(self._info.width, self._info.height, limits)
            self._origin_s, moved_on = origin_s(opened, streams, container)
            if moved_on:
                self.close()
        except UnjudgeableError:
            opened.close()
            raise

    def __enter__(self) -> Self:
        """Return itself, open."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Free the container that read the headers; reading pictures or sound frees its own."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def info(self) -> MediaInfo:
        """What the headers say. `duration_s` is 0 where they do not; pictures are not counted or turned yet."""
        return self._info

    def frames(
        self,
        *,
        max_fps: float | None = None,
        max_side_px: int = 1280,
        threads: int = 1,
        glance: Callable[[float, U8], None] | None = None,
    ) -> Iterator[Frame]:
        """Yield upright RGB pictures in the order of their times, which count from the start of the recording.

        `max_fps` keeps the first picture of each slot of 1 / max_fps seconds, so that the choice depends on the times
        alone; `None` keeps all. `max_side_px` shrinks pictures to that longer side. `threads` decode; the pixels do not
        depend on their number. Decoding stops at the first picture past the longest length allowed. A recording
        without pictures yields none. `glance` is called with the time and a thumbnail of every picture, thinned or not,
        see `PictureRequest`.

        Raises:
            UnjudgeableError: `PICTURE_TOO_LARGE` where a picture is larger than the headers said; `CORRUPT_MEDIA`, at
                the end, where more than a tenth did not decode or an MP4 ends before nine tenths of its length.
        """
        if not self._info.video_codec:
            return
        self._pictures = PictureMeasures()
        with self._take() as opened:
            stream = choose_streams(opened).picture
            if stream is None:
                raise RuntimeError("the same bytes opened twice hold different streams")
            request = PictureRequest(
                max_fps=max_fps,
                max_side_px=max_side_px,
                threads=threads,
                limits=self._limits,
                origin_s=self._origin_s,
                orientation=self._still.orientation if self._still else None,
                must_reach_s=self._must_reach_s(stream),
                glance=glance,
            )
            yield from read_pictures(opened, stream, request, self._pictures)

    def sound(self) -> F32:
        """Return the sound, (N,) float32 in [-1, 1] at 16 kHz mono, sample 0 at the start of the recording.

        Silence stands where the sound starts late or has a gap. At most the longest length allowed and half a second;
        (0,) for a recording without sound. The second call returns the same array.

        Raises:
            UnjudgeableError: `CORRUPT_MEDIA` where more than a tenth did not decode.
        """
        if self._sound is None:
            self._sound = self._read_sound()
        return self._sound.samples

    def finished_info(self) -> MediaInfo:
        """Return `info` with what was measured.

        `frames`, `fps` (from the median time between pictures), `video_s`, `rotation_deg` and stored width and height
        come from the decoded pictures; `audio_s` from the decoded sound where `sound` was called. `duration_s` is the
        end of the last of both, or the declared length where decoding stopped at the limit and that is longer.

        Raises:
            RuntimeError: the pictures were not read to their end.
        """
        pictures = self._pictures
        if self._info.video_codec and not pictures.complete:
            raise RuntimeError("read the pictures to their end before asking what was measured")
        width, height = pictures.stored_size if pictures.t_s else (self._info.width, self._info.height)
        interval_s = pictures.interval_s
        video_s = 0.0 if self._still else pictures.length_s
        ends = [pictures.t_s[0] + video_s] if pictures.t_s else []
        audio_s = self._info.audio_s
        if self._sound is not None:
            audio_s = self._sound.length_s
            ends.append(len(self._sound.samples) / RATE_HZ)
        measured_s = max(ends, default=0.0)
        if pictures.too_long or measured_s > self._limits.max_s or not ends:
            measured_s = max(measured_s, self._info.duration_s)
        return replace(
            self._info,
            duration_s=measured_s,
            width=width,
            height=height,
            rotation_deg=pictures.orientation.rotation_deg,
            frames=len(pictures.t_s),
            fps=1.0 / interval_s if interval_s else 0.0,
            video_s=video_s,
            audio_s=audio_s,
        )

    def _read_sound(self) -> Sound:
        if not self._info.audio_codec:
            return Sound(np.zeros(0, np.float32), 0.0)
        with open_source(self._source) as opened:
            stream = choose_streams(opened).sound
            if stream is None:
                raise RuntimeError("the same bytes opened twice hold different streams")
            return read_sound(opened, stream, limits=self._limits, origin_s=self._origin_s)

    def _take(self) -> InputContainer:
        """The container that read the headers stands at the start and serves the first reader; later ones open another."""
        opened, self._opened = self._opened, None
        return opened if opened is not None else open_source(self._source)

    def _headers(self, streams: Streams, duration_s: float) -> MediaInfo:
        picture, sound, data = streams.picture, streams.sound, self._source.data
        width, height = self._declared_size(picture)
        return MediaInfo(
            container=self._source.container.name,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            duration_s=0.0 if self._still else duration_s,
            video_codec=codec_of(picture) if picture else "",
            audio_codec=codec_of(sound) if sound else "",
            width=width,
            height=height,
            audio_s=seconds(sound.duration, sound) if sound and sound.duration else 0.0,
            sample_rate_hz=sound.codec_context.sample_rate if sound else 0,
        )

    def _declared_size(self, picture: VideoStream | None) -> tuple[int, int]:
        if picture is None:
            return 0, 0
        if self._still is not None:
            return self._still.width, self._still.height
        context = picture.codec_context
        if not context.width and self._source.container.complete_index:
            return declared_size(self._source.data)
        return context.width, context.height

    def _must_reach_s(self, stream: VideoStream) -> float:
        if not self._source.container.complete_index or not stream.duration:
            return 0.0
        return min(seconds(stream.duration, stream), self._limits.max_s)


def _read(data: bytes | Path, limits: MediaLimits) -> bytes:
    if isinstance(data, Path):
        try:
            size = data.stat().st_size
            content = data.read_bytes() if size <= limits.max_bytes else b""
        except OSError as error:
            raise InvalidRequestError(f"cannot read {data}: {error.strerror}; give the path of a recording") from None
    else:
        size, content = len(data), data
    if size > limits.max_bytes:
        raise UnjudgeableError(
            Reason.RECORDING_TOO_LARGE,
            f"the recording has {size / 2**20:.1f} MiB, over the limit of {limits.max_bytes / 2**20:.0f} MiB: "
            "record at a lower resolution or bitrate",
        )
    return content
