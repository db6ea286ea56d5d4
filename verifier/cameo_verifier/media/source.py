"""Container access: opens a file safely, by one named demuxer, known codecs only, and no other file or address ever.

PyAV's errors leave this module as `UnjudgeableError`.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

import av

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media.ebml import require_whole_segment
from cameo_verifier.media.iso import require_bounded_index
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from av.audio.codeccontext import AudioCodecContext
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

    from cameo_verifier.media.sniff import Container

_S = TypeVar("_S", "VideoStream", "AudioStream")

_PICTURE_CODECS = frozenset(
    {"av1", "h263", "h264", "hevc", "mjpeg", "mpeg1video", "mpeg2video", "mpeg4", "png", "vp8", "vp9", "webp"}
)
INTRA_CODECS = frozenset({"mjpeg", "png", "webp"})
"""Intra-only codecs, whose pictures can each be skipped without decoding."""
_SOUND_CODECS = frozenset(
    {"aac", "alac", "amr_nb", "amr_wb", "flac", "mp2", "mp3", "opus", "vorbis"}
    | {f"pcm_{name}" for name in ("alaw", "f32be", "f32le", "mulaw", "s16be", "s16le", "s24be", "s24le", "s32be", "s32le", "u8")}
)
_PROBE_DECODERS = ",".join(sorted(_SOUND_CODECS | {"amrnb", "amrwb", "mp2float", "mp3float", "mpeg1video"}))
"""Decoders that FFmpeg may run while it probes, by its own names: sound, and no picture before its size was checked. The
headers hold all that is needed of pictures, and opening a 720p MP4 takes 4 ms instead of 20. MPEG-1 is the exception, at most
4,095 pixels wide: a program stream gives a time to some of its pictures only, and FFmpeg decodes one to fill in the rest."""

_READ_BYTES = 256 * 1024
"""Read in few large pieces: each one takes the interpreter lock that the other medium's thread may need."""

_SOUND_RATES_HZ = range(4_000, 192_001)
_MAX_CHANNELS = 16
_MAX_SOUNDS = 4
"""Limit on sound streams, each of which is decoded: cameras write one or two."""


@dataclass(frozen=True, slots=True)
class Source:
    """A recording in memory, opened repeatedly: each medium is read through its own container."""

    data: bytes
    container: Container


@dataclass(frozen=True, slots=True)
class Streams:
    """The picture stream, `None` where the recording has none, and the sound streams, of which one is judged."""

    picture: VideoStream | None
    sounds: tuple[AudioStream, ...]


def damaged(detail: str) -> UnjudgeableError:
    """Return the error for a recording that cannot be read to its end."""
    return UnjudgeableError(Reason.CORRUPT_MEDIA, f"the recording is damaged or incomplete ({detail}): record and send it again")


@contextmanager
def vendor_errors(doing: str) -> Iterator[None]:
    """Convert whatever PyAV raises inside into `UnjudgeableError` (`CORRUPT_MEDIA`) with what was being done."""
    try:
        yield
    except av.error.FFmpegError as error:
        raise damaged(f"{doing}: {error.strerror}") from error
    except ValueError as error:
        raise damaged(doing) from error


def open_source(source: Source) -> InputContainer:
    """Open the bytes with the demuxer their signature named.

    Raises:
        UnjudgeableError: `CORRUPT_MEDIA`; the headers cannot be read, or list data the file does not hold.
    """
    if source.container.complete_index:
        require_bounded_index(source.data)
    require_whole_segment(source.data)
    opened = open_file(io.BytesIO(source.data), source.container, buffer_size=_READ_BYTES)
    try:
        if source.container.complete_index:
            _require_all_samples(opened, len(source.data))
    except UnjudgeableError:
        opened.close()
        raise
    return opened


def open_file(
    file: io.BytesIO | io.RawIOBase, container: Container, *, buffer_size: int, probe_s: float | None = None
) -> InputContainer:
    """Open a file with the demuxer of its container.

    Args:
        file: to read from.
        container: as its signature says.
        buffer_size: bytes of each read.
        probe_s: seconds of the recording that FFmpeg probes at most for what the headers leave open; its own choice without it.

    Raises:
        UnjudgeableError: `CORRUPT_MEDIA`; the headers cannot be read.
    """
    probed = {} if probe_s is None else {"analyzeduration": str(round(probe_s * 1e6))}
    with vendor_errors("its headers cannot be read"):
        opened: InputContainer = av.open(
            file,
            mode="r",
            format=container.demuxer,
            container_options={"codec_whitelist": _PROBE_DECODERS, **probed},
            metadata_errors="replace",
            buffer_size=buffer_size,
            io_open=_refuse,
        )
    return opened


def choose_streams(opened: InputContainer) -> Streams:
    """Return the picture stream and the sound streams that can be decoded; cover art and thumbnails do not count.

    Raises:
        UnjudgeableError: `UNSUPPORTED_MEDIA`; it holds neither picture nor sound, or only in unsupported codecs, or more than one
            picture stream: nobody could say afterwards which of them was judged.
    """
    passed_over = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    pictures = [stream for stream in opened.streams.video if not stream.disposition & passed_over]
    sounds = opened.streams.audio
    if not pictures and not sounds:
        raise UnjudgeableError(Reason.UNSUPPORTED_MEDIA, "the file holds neither picture nor sound: send a recording")
    if len(pictures) > 1:
        raise UnjudgeableError(
            Reason.UNSUPPORTED_MEDIA, f"the file holds {len(pictures)} streams of pictures: send a recording of one camera"
        )
    heard = tuple(stream for stream in _known(sounds, _SOUND_CODECS, "sound") if _is_sane(stream.codec_context))
    if sounds and not heard:
        raise UnjudgeableError(
            Reason.UNSUPPORTED_MEDIA, "its sound has an impossible sample rate or number of channels: record at 48 kHz"
        )
    return Streams(next(iter(_known(pictures, _PICTURE_CODECS, "picture")), None), heard[:_MAX_SOUNDS])


def codec_of(stream: VideoStream | AudioStream) -> str:
    """Return FFmpeg's name of the stream's codec (not of the decoder in use), empty where it has no decoder."""
    context = stream.codec_context
    return str(context.codec.canonical_name) if context is not None else ""


def open_decoder(stream: VideoStream | AudioStream, *, max_pixels: int, threads: int) -> None:
    """Set what must be set before the first packet: the thread count, and the picture size no decoder may exceed."""
    context = stream.codec_context
    context.thread_count = threads
    context.thread_type = "AUTO" if threads > 1 else "NONE"
    context.options = {"max_pixels": str(max_pixels)}


def start_s(stream: Stream) -> float | None:
    """Return the start of the stream on the container's clock by its headers, in seconds; `None` if undeclared."""
    return None if stream.start_time is None else seconds(stream.start_time, stream)


def seconds(ticks: int, stream: Stream) -> float:
    """Convert a count of the stream's ticks to seconds; 0 where the stream has no time base."""
    return float(ticks * stream.time_base) if stream.time_base else 0.0


def _refuse(_url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    # PyAV propagates an exception of this callback unchanged.
    raise UnjudgeableError(Reason.UNSUPPORTED_MEDIA, "the file only names other files: send the recording itself")


def _require_all_samples(opened: InputContainer, size: int) -> None:
    for stream in opened.streams:
        if any(entry.pos + entry.size > size for entry in stream.index_entries):
            raise damaged("its index lists samples beyond its end")


def _known(streams: Sequence[_S], known: frozenset[str], medium: str) -> list[_S]:
    found = [stream for stream in streams if codec_of(stream) in known]
    if streams and not found:
        codec = codec_of(streams[0]) or "an unknown codec"
        raise UnjudgeableError(
            Reason.UNSUPPORTED_MEDIA,
            f"its {medium} is in {codec}, which is not read: record with H.264 and AAC, or VP8/VP9 and Opus",
        )
    return found


def _is_sane(context: AudioCodecContext) -> bool:
    return context.sample_rate in _SOUND_RATES_HZ and 1 <= context.channels <= _MAX_CHANNELS
