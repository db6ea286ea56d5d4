"""Recording: reads headers, pictures and sound of a file, and reports measurements of both.

The limits in `settings.MediaLimits` come in two kinds. Size in bytes and side in pixels protect this process and are
enforced here with an error. Length, frame rate and smallest side are about the person's answer: they are measured, reported in
`MediaInfo`, and judged by a check; here only decoding stops at the longest length.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media.arrivals import arrivals
from cameo_verifier.media.budget import Budget
from cameo_verifier.media.iso import declared_size
from cameo_verifier.media.packets import measure
from cameo_verifier.media.picture import ANALYSED_PX, PictureMeasures, PictureRequest, check_size, finish, read_pictures
from cameo_verifier.media.sniff import sniff
from cameo_verifier.media.sound import MIN_GAP_S, RATE_HZ, Sound, read_sound
from cameo_verifier.media.source import INTRA_CODECS, Source, Streams, choose_streams, codec_of, open_source
from cameo_verifier.media.still import StillHeader, read_header
from cameo_verifier.reasons import Reason
from cameo_verifier.types import MediaInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from types import TracebackType

    from av.video.stream import VideoStream

    from cameo_verifier.live_record import Arrival, Chunk
    from cameo_verifier.media.early import EarlyPictures
    from cameo_verifier.settings import MediaLimits
    from cameo_verifier.types import F32, U8, Frame


def looked_at(info: MediaInfo) -> tuple[int, int]:
    """Return width and height in px of the upright pictures that landmark coordinates of a recording refer to."""
    scale = min(1.0, ANALYSED_PX / max(info.width, info.height, 1))
    width, height = (max(1, round(side * scale)) for side in (info.width, info.height))
    return (height, width) if info.rotation_deg in {90, 270} else (width, height)


def open_recording(data: bytes | Path, *, limits: MediaLimits) -> Recording:
    """Open a recording, a sound file or a still, and read its headers; no picture is decoded yet.

    Raises:
        InvalidRequestError: the path leads to no file.
        UnjudgeableError: `RECORDING_TOO_LARGE`, `PICTURE_TOO_LARGE`, `RECORDING_TOO_COSTLY`, `UNSUPPORTED_MEDIA` or
            `CORRUPT_MEDIA`; the message says what to do.
    """
    return Recording(_read(data, limits), limits)


def require_supported(data: bytes, *, limits: MediaLimits) -> None:
    """Refuse what is never judged, by its headers and packets alone: some milliseconds, and no challenge need be spent.

    `cameo_verifier.media.sniff.sniff` checks the container by the first 400 bytes, without FFmpeg.

    Raises:
        UnjudgeableError: as `open_recording`.
    """
    content = _read(data, limits)
    container = sniff(content)
    if container.still:
        header = read_header(content, container)
        check_size(header.width, header.height, limits)
    else:
        Recording(content, limits)


class Recording:
    """An open recording, used as a context manager.

    `frames` and `sound` read the same bytes through containers of their own, so they may run in two threads at once.
    """

    def __init__(self, data: bytes, limits: MediaLimits) -> None:
        container = sniff(data)
        self._limits = limits
        self._budget = Budget(limits)
        self._still: StillHeader | None = read_header(data, container) if container.still else None
        if self._still is not None:
            check_size(self._still.width, self._still.height, limits)
        self._source = Source(data, container)
        self._pictures = PictureMeasures()
        self._sound: Sound | None = None
        with open_source(self._source) as opened:
            streams = choose_streams(opened)
            check_size(*self._declared_size(streams.picture), limits)
            self._spans = measure(opened, streams, container, max_s=limits.max_s)
            if streams.picture is not None and codec_of(streams.picture) not in INTRA_CODECS:
                self._budget.require(self._spans.pictures, *self._declared_size(streams.picture))
            self._sounds = tuple((codec_of(stream), stream.codec_context.sample_rate) for stream in streams.sounds)
            self._info = self._headers(streams)

    def __enter__(self) -> Self:
        """Return the recording itself; no container is open between two readings."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """End its use; each reading closes its own container."""

    def arrivals(self, chunks: Sequence[Chunk]) -> tuple[Arrival, ...]:
        """Return when the pictures arrived, in the order of both clocks; a still has none. chunks: of its bytes, in order."""
        if self._still is not None:
            return ()
        return arrivals(self._source, chunks, origin_s=self._spans.origin_s(self._info.sound_track))

    @property
    def info(self) -> MediaInfo:
        """The streams as the headers declare them, and the length by packet times; no picture is decoded yet."""
        return self._info

    @property
    def still(self) -> bool:
        """Whether it is a photo, by its first bytes."""
        return self._still is not None

    @property
    def sound_tracks(self) -> int:
        """The number of sound streams to choose from."""
        return len(self._sounds)

    def choose_sound(self, speech_s: Callable[[F32], float]) -> None:
        """Select, of several sound streams, the one with the most seconds of speech by `speech_s`; the first of equals.

        Raises:
            UnjudgeableError: `CORRUPT_MEDIA` where more than a tenth of one did not decode; `RECORDING_TOO_COSTLY`.
        """
        said_s = [speech_s(self._read_sound(track).samples) for track in range(len(self._sounds))]
        self.use_sound(said_s.index(max(said_s)))

    def use_sound(self, track: int) -> None:
        """Select a sound stream by its number, as `MediaInfo.sound_track` says which was judged; 0 is selected at first."""
        if not self._sounds:
            return
        codec, rate_hz = self._sounds[track]
        duration_s = self._spans.length_s(track)
        self._sound = None
        self._info = replace(self._info, sound_track=track, audio_codec=codec, sample_rate_hz=rate_hz, duration_s=duration_s)

    def frames(
        self,
        *,
        max_fps: float | None = None,
        max_side_px: int = ANALYSED_PX,
        threads: int = 1,
        glance: Callable[[float, U8], None] | None = None,
        only: Collection[float] | None = None,
    ) -> Iterator[Frame]:
        """Yield upright RGB pictures in the order of their times, which count from the start of the recording.

        `max_fps` keeps the first picture of each slot of 1 / max_fps seconds, so that the choice depends on the times alone;
        `None` keeps all. `max_side_px` shrinks pictures to that longer side. `threads` decode; the pixels do not depend on their
        number. Decoding stops at the first picture past the longest length allowed. A recording without pictures yields none.
        `glance` is called with the time and a thumbnail of every picture, sampled or not, see `PictureRequest`. `only`: of the
        sampled ones, yield those of these times.

        Raises:
            UnjudgeableError: `PICTURE_TOO_LARGE` where a picture is larger than the headers declared; `RECORDING_TOO_COSTLY`;
                `CORRUPT_MEDIA`, at the end, where more than a tenth did not decode or they end before nine tenths of what was
                sent.
        """
        if not self._info.video_codec:
            return
        self._pictures = PictureMeasures()
        self._budget.renew()
        with open_source(self._source) as opened:
            stream = choose_streams(opened).picture
            if stream is None:
                raise RuntimeError("the same bytes opened twice hold different streams")
            request = PictureRequest(
                max_fps=max_fps,
                max_side_px=max_side_px,
                threads=threads,
                limits=self._limits,
                budget=self._budget,
                origin_s=self._spans.origin_s(self._info.sound_track),
                orientation=self._still.orientation if self._still else None,
                glance=glance,
                only=only,
            )
            yield from read_pictures(opened.demux(stream), stream, request, self._pictures)
        self._finish()

    def adopt(self, early: EarlyPictures) -> bool:
        """Take pictures that were read to their end while the recording arrived for those of `frames`.

        Return false, and take nothing, where the whole recording has another number of them, or places them at other times.

        Raises:
            UnjudgeableError: `CORRUPT_MEDIA` where too much is damaged or missing.
        """
        spans, info = self._spans, self._info
        whole = (spans.origin_s(info.sound_track), spans.pictures, info.video_codec)
        if self._still or whole != (early.origin_s, early.packets, early.codec):
            return False
        self._pictures = early.measures
        self._finish()
        return True

    def _finish(self) -> None:
        origin_s, picture = self._spans.origin_s(self._info.sound_track), self._spans.picture
        finish(self._pictures, must_reach_s=self._must_reach_s(), ends_s=picture.end_s - origin_s if picture else 0.0)

    def sound(self) -> F32:
        """Return the sound, (N,) float32 in [-1, 1] at 16 kHz mono, sample 0 at the start of the recording.

        A late start or a gap is filled with silence. At most the longest length allowed and half a second; (0,) for a recording
        without sound. The second call returns the same array.

        Raises:
            UnjudgeableError: `CORRUPT_MEDIA` where more than a tenth did not decode; `RECORDING_TOO_COSTLY`.
        """
        if self._sound is None:
            self._sound = self._read_sound(self._info.sound_track)
        return self._sound.samples

    def sound_at(self, rate_hz: int) -> F32:
        """Return the same sound at another rate; it is decoded anew. Errors as `sound`."""
        return self._read_sound(self._info.sound_track, rate_hz).samples

    def finished_info(self) -> MediaInfo:
        """Return `info` completed by measurements.

        `frames`, `fps` (from the median time between pictures), `video_s`, `rotation_deg` and stored width and height come from
        the decoded pictures; `audio_s` from the decoded sound where `sound` was called. `duration_s` is the end of the last of
        both, or the length by the packets where decoding stopped at the limit and that is longer.

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
        sound = self._sound or Sound(np.zeros(0, np.float32), 0.0)
        if self._sound is not None:
            ends.append(len(sound.samples) / RATE_HZ)
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
            audio_s=sound.length_s,
            video_from_s=pictures.t_s[0] if pictures.t_s else 0.0,
            audio_from_s=sound.from_s,
            sound_channel=sound.channel,
            resized_s=tuple(pictures.reshaped_s),
            damaged_s=tuple(sorted((*pictures.damaged_s, *sound.damaged_s))),
            broken=pictures.broken,
            broken_s=pictures.broken_s,
            lost_s=_lost_s(pictures.t_s, interval_s, sound.gaps_s),
        )

    def _read_sound(self, track: int, rate_hz: int = RATE_HZ) -> Sound:
        if not self._sounds:
            return Sound(np.zeros(0, np.float32), 0.0)
        with open_source(self._source) as opened:
            sounds = choose_streams(opened).sounds
            if len(sounds) != len(self._sounds):
                raise RuntimeError("the same bytes opened twice hold different streams")
            origin_s = self._spans.origin_s(track)
            return read_sound(opened, sounds[track], limits=self._limits, budget=self._budget, origin_s=origin_s, rate_hz=rate_hz)

    def _headers(self, streams: Streams) -> MediaInfo:
        picture, data = streams.picture, self._source.data
        width, height = self._declared_size(picture)
        codec, rate_hz = self._sounds[0] if self._sounds else ("", 0)
        return MediaInfo(
            container=self._source.container.name,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            duration_s=0.0 if self._still else self._spans.length_s(),
            video_codec=codec_of(picture) if picture else "",
            audio_codec=codec,
            width=width,
            height=height,
            sample_rate_hz=rate_hz,
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

    def _must_reach_s(self) -> float:
        """Return the presentation time of the last picture packet, decodable or not."""
        picture = self._spans.picture
        if picture is None or self._still:
            return 0.0
        return min(picture.last_s - self._spans.origin_s(self._info.sound_track), self._limits.max_s)


def _lost_s(pictures_s: list[float], interval_s: float, gaps_s: tuple[tuple[float, float], ...]) -> float:
    """Return the longest time, in seconds, without picture and sound though both resume after it."""
    without = [(start + interval_s, end) for start, end in pairwise(pictures_s) if end - start > interval_s + MIN_GAP_S]
    shared = [min(end, until) - max(start, begin) for start, end in without for begin, until in gaps_s]
    return max(0.0, *shared) if shared else 0.0


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
