"""Packet times: measure the length of a recording by its packets, without decoding.

The times that a container declares are claims, and may be missing. A browser that writes while it records declares no length, and
a clip of a running stream declares one from the start of that stream. The packets carry the presentation times of pictures and
sound; reading them takes about a millisecond a second.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import av
import numpy as np

from cameo_verifier.media.source import damaged, seconds, start_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from cameo_verifier.media.sniff import Container
    from cameo_verifier.media.source import Streams

MAX_PACKETS = 100_000
"""30 s of 240 pictures and 400 packets of sound a second are 19,200. A file with more is over every limit long before its end."""


@dataclass(frozen=True, slots=True)
class Span:
    """Presentation times of the packets of one stream, in seconds on the container's clock: the first, the last, and the end.

    The last one is assumed to have the average length: what packets declare of their own length is a claim as well.
    """

    first_s: float
    last_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans of the picture stream and of each sound stream; a stream without packets has none.

    pictures: number of picture packets within the longest time that is read.
    """

    picture: Span | None
    sounds: tuple[Span | None, ...]
    pictures: int = 0

    def origin_s(self, sound: int = 0) -> float:
        """Return the start of the recording on the container's clock: the earlier of its picture and that sound, in seconds."""
        return min((span.first_s for span in self._judged(sound)), default=0.0)

    def length_s(self, sound: int = 0) -> float:
        """Return the time from that start to the end of the later of both, in seconds; 0 without packets."""
        return max((span.end_s for span in self._judged(sound)), default=0.0) - self.origin_s(sound)

    def _judged(self, sound: int) -> list[Span]:
        both = self.picture, self.sounds[sound] if self.sounds else None
        return [span for span in both if span is not None]


def begin_s(stream: VideoStream | AudioStream, first: int, streams: Streams, container: Container) -> float:
    """Return the start of a stream on the container's clock, in seconds, given the time of its first packet in ticks.

    The headers of an MP4 give the start of its pictures. For others FFmpeg derives that by decoding, which is not allowed while
    it probes (H.264 in Matroska then seems to start some pictures late), so the time of the first packet is taken.
    """
    told = None if stream is streams.picture and not container.complete_index else start_s(stream)
    return seconds(first, stream) if told is None else told


def measure(opened: InputContainer, streams: Streams, container: Container, *, max_s: float) -> Spans:
    """Read the times of all packets; the container is then no longer at its start.

    Raises:
        UnjudgeableError: `CORRUPT_MEDIA`; packets overlap in the file, by which an index of a few kilobytes makes one picture
            thousands.
    """
    counted = [stream for stream in (streams.picture, *streams.sounds) if stream is not None]
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    count: Counter[int] = Counter()
    places: list[tuple[int, int]] = []
    pictures = 0
    try:
        for packet in islice(opened.demux(counted), MAX_PACKETS):
            at, key = packet.pts, packet.stream_index
            if streams.picture is not None and key == streams.picture.index and packet.size:
                since = 0 if at is None else at - first.get(key, at)
                pictures += seconds(since, streams.picture) <= max_s
            if at is None or packet.is_discard:
                continue
            if container.complete_index and packet.size and packet.pos is not None:
                places.append((packet.pos, packet.size))
            first.setdefault(key, at)
            last[key] = max(last.get(key, at), at)
            count[key] += 1
    except (av.error.FFmpegError, ValueError):
        # A packet that cannot be demuxed is counted as damage and judged during decoding.
        pass

    def span(stream: VideoStream | AudioStream | None) -> Span | None:
        if stream is None or stream.index not in first:
            return None
        begins_s, last_s = seconds(first[stream.index], stream), seconds(last[stream.index], stream)
        each_s = max(0.0, last_s - begins_s) / max(1, count[stream.index] - 1)
        return Span(begin_s(stream, first[stream.index], streams, container), last_s, last_s + each_s)

    _require_apart(places)
    return Spans(span(streams.picture), tuple(map(span, streams.sounds)), pictures)


def _require_apart(places: Sequence[tuple[int, int]]) -> None:
    """Refuse packets, each by its first byte and its length, that overlap in the file."""
    place = np.array(places, np.int64).reshape(-1, 2)
    place = place[np.argsort(place[:, 0], kind="stable")]
    if np.any(place[1:, 0] < place[:-1].sum(axis=1)):
        raise damaged("its index names the same bytes more than once, which no camera does")
