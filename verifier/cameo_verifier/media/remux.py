"""Remuxing: copies the judged streams of a recording into a file of their own, the evidence that is kept.

A received file may hold more than was judged: where it was filmed and on what device, further tracks, unreferenced bytes. So the
packets of the judged streams are copied, unchanged, into a new file of the same kind without metadata. The copy is read back and
used only if every packet has the same bytes at the same time, and the first picture the same orientation, so that a replay
decodes the same pictures and the same sound. The same recording always gives the same bytes.

Some files cannot be remuxed unchanged (a program stream whose times FFmpeg fills in). Such a file is kept as it is where it holds
nothing else, and not at all otherwise.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media.recording import open_recording
from cameo_verifier.media.sniff import sniff
from cameo_verifier.media.source import Source, choose_streams, open_source, start_s

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from cameo_verifier.settings import MediaLimits

_MUXERS = {
    "mp4": "mp4",
    "mov": "mov",
    "3gp": "3gp",
    "m4a": "ipod",
    "webm": "webm",
    "mkv": "matroska",
    "mpegts": "mpegts",
    "mpeg": "mpeg",
    "ogg": "ogg",
    "wav": "wav",
    "flac": "flac",
    "mp3": "mp3",
    "aac": "adts",
    "amr": "amr",
}
"""FFmpeg's muxer for each container by its name; a still is one picture and is kept as it is or not at all."""

_MAX_TICKS = 2**31 - 1
_SAYS_NOTHING = frozenset(
    {
        "major_brand",
        "minor_version",
        "compatible_brands",
        "encoder",
        "handler_name",
        "vendor_id",
        "language",
        "duration",
        "creation_time",
    }
)
"""Metadata that tell neither a place nor a device nor a name."""
_OVERHEAD_BYTES, _OVERHEAD_PACKET_BYTES = 16_384, 192
"""Upper bounds of a container's overhead: headers, and for each packet an entry or the padding of a transport stream."""


def judged_only(recording: bytes | Path, *, sound_track: int, limits: MediaLimits) -> bytes:
    """Return a recording reduced to its judged streams; empty where that is impossible.

    Args:
        recording: as it was received: the file's bytes, or its path.
        sound_track: which of its sound streams was judged.
        limits: of the site.
    """
    try:
        data = recording.read_bytes() if isinstance(recording, Path) else recording
        copy = _copied(data, sound_track)
        if copy and _reading(copy, 0, limits) == _reading(data, sound_track, limits):
            return copy
        return data if _holds_nothing_else(data) else b""
    except (UnjudgeableError, av.error.FFmpegError, OSError, ValueError, OverflowError):
        return b""


def _copied(data: bytes, sound_track: int) -> bytes:
    container = sniff(data)
    if container.name not in _MUXERS:
        return b""
    file = io.BytesIO()
    # Its streams were decoded and are within the limits, so FFmpeg may probe them: muxers need the results.
    with av.open(io.BytesIO(data), format=container.demuxer, metadata_errors="replace") as opened:
        judged = _judged(opened, sound_track)
        packets = [packet for packet in opened.demux(judged) if packet.size]
        with av.open(file, "w", format=_MUXERS[container.name], options=_options(container.name, judged)) as out:
            copies = {stream.index: out.add_stream_from_template(stream, opaque=True) for stream in judged}
            for stream in judged:
                copies[stream.index].time_base = stream.time_base
                _order([packet for packet in packets if packet.stream_index == stream.index], video=stream.type == "video")
            for packet in packets:
                packet.stream = copies[packet.stream_index]
                out.mux(packet)
    return file.getvalue()


def _judged(opened: InputContainer, sound_track: int) -> list[VideoStream | AudioStream]:
    streams = choose_streams(opened)
    sound = streams.sounds[sound_track] if streams.sounds else None
    return [stream for stream in (streams.picture, sound) if stream is not None]


def _options(name: str, judged: list[VideoStream | AudioStream]) -> dict[str, str]:
    """Return the muxer's options: no version of its own, no random number, and clocks as fine as those of the source."""
    options = {"fflags": "+bitexact"}
    if name in {"mp4", "mov", "3gp", "m4a"}:
        ticks = [stream.time_base.denominator for stream in judged if stream.time_base]
        every = math.lcm(*ticks)
        options["movie_timescale"] = str(every if every <= _MAX_TICKS else max(ticks))
        for stream in judged:
            if stream.type == "video" and stream.time_base:
                options["video_track_timescale"] = str(stream.time_base.denominator)
    elif name == "mpegts":
        options["mpegts_copyts"] = "1"
    elif name == "mpeg":
        options["preload"] = "0"
    return options


def _order(packets: list[Packet[Any]], *, video: bool) -> None:
    """Set a decoding time that muxers accept: sound is decoded as it is played, and Matroska carries none of pictures."""
    shown = [packet.pts for packet in packets if packet.pts is not None]
    if len(shown) < len(packets) or (video and all(packet.dts is not None for packet in packets)):
        return
    rising = sorted(shown)
    late = max((decoded - at for decoded, at in zip(rising, shown, strict=True)), default=0)
    for packet, decoded in zip(packets, rising, strict=True):
        packet.dts = decoded - late


def _reading(data: bytes, sound_track: int, limits: MediaLimits) -> list[Any]:
    """Return all that decoding depends on, to the byte and to the tick."""
    container = sniff(data)
    read: list[Any] = [container]
    with open_source(Source(data, container)) as opened:
        judged = _judged(opened, sound_track)
        held: dict[int, list[Any]] = {stream.index: [] for stream in judged}
        for packet in opened.demux(judged):
            if packet.size:
                at = None if packet.pts is None else packet.pts * packet.time_base
                beside = sorted((str(piece.data_type), bytes(piece)) for piece in packet.iter_sidedata())
                held[packet.stream_index].append((at, packet.is_keyframe, packet.is_discard, bytes(packet), beside))
        for stream in judged:
            context = stream.codec_context
            # FFmpeg's start time of pictures is a guess elsewhere, and not used: see `cameo_verifier.media.packets`.
            told = start_s(stream) if container.complete_index or stream.type == "audio" else None
            read.append((context.name, context.extradata, told, held[stream.index]))
    with open_recording(data, limits=limits) as recording:
        for frame in recording.frames(max_fps=1.0):
            read.append((frame.t_s, frame.rgb.tobytes()))
            break
    return read


def _holds_nothing_else(data: bytes) -> bool:
    """Whether a file is its judged streams, a container's overhead, and no metadata about place or device."""
    with open_source(Source(data, sniff(data))) as opened:
        streams = list(opened.streams)
        told = {*opened.metadata, *(key for stream in streams for key in stream.metadata)}
        if len(streams) != len(_judged(opened, 0)) or told - _SAYS_NOTHING:
            return False
        sizes = [packet.size for packet in opened.demux(streams)]
    return len(data) - sum(sizes) <= _OVERHEAD_BYTES + _OVERHEAD_PACKET_BYTES * len(sizes)
