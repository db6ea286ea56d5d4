"""Early pictures: reads the pictures and the sound of a recording while its bytes are still arriving.

1. Identify the container by its first bytes. It must be one that is read from front to back: Matroska and WebM, an MPEG transport
   stream, and an MP4 whose index comes before its media, in fragments or whole.
2. Open it on the arriving bytes. An MP4 is released box by box, each checked as those of a whole file are.
3. Read packets until the first ones of picture and sound fix the start of the recording; then decode as for a whole file.
   Packets of sound go to a listener, in the order of the file.

The same limits hold. Whatever cannot be read early is left to `cameo_verifier.media.recording`, which reads the whole; that also
says whether the early pictures lie at the times of the whole recording (`Recording.adopt`).
"""

from __future__ import annotations

import io
from itertools import chain
from typing import TYPE_CHECKING, Any

import av

from cameo_credential.errors import CameoError
from cameo_verifier.media.arrivals import WHOLE_PACKETS
from cameo_verifier.media.iso import LARGE_HEADER, LEAST_BOX, IndexCheck, box
from cameo_verifier.media.packets import begin_s
from cameo_verifier.media.picture import ANALYSED_PX, PictureMeasures, PictureRequest, check_size, read_pictures
from cameo_verifier.media.sniff import sniff
from cameo_verifier.media.source import choose_streams, codec_of, open_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from cameo_verifier.media.arriving import Arriving
    from cameo_verifier.media.budget import Budget
    from cameo_verifier.media.sniff import Container
    from cameo_verifier.media.source import Streams
    from cameo_verifier.settings import MediaLimits
    from cameo_verifier.types import U8, Frame

_SNIFFED_BYTES = 400
_READ_BYTES = 1024
"""A picture has ten times as many at 2.5 Mbit/s: the decoder waits for each read, and nothing is seen of a picture before its
last one."""
_PROBE_S = 0.2
"""Probing ends when picture and sound were met. FFmpeg's five seconds would wait for half of an answer."""
_MAX_BOX_BYTES = 4 * 2**20
"""The largest box of an index that is waited for: 30 s of camera are listed in some tens of kilobytes."""
_MAX_HELD_PACKETS = 600
"""Packets that are held until picture and sound have both begun: some seconds of both."""
_FROM_FRONT_TO_BACK = {"matroska", "mpegts"}


class CannotReadEarlyError(CameoError):
    """The recording has to be whole to be read."""


class EarlyPictures:
    """The pictures of an arriving recording, and what was measured of them.

    Attributes:
        measures: of the pictures read so far.
        origin_s: start of the recording on the container's clock, in seconds, by the first packets.
        codec: of the pictures.
        packets: number of their packets.
    """

    def __init__(
        self,
        arriving: Arriving,
        *,
        limits: MediaLimits,
        budget: Budget,
        hear: Callable[[Packet[AudioStream], float], None] | None = None,
        needs_arrivals: bool = False,
    ) -> None:
        """Read nothing yet.

        Args:
            arriving: the bytes.
            limits: on the recording.
            budget: its remaining cost.
            hear: called with each packet of sound and `origin_s`, while `frames` is read.
            needs_arrivals: refuse a recording that does not tell when each of its packets has arrived, see `media.arrivals`.
        """
        self.measures = PictureMeasures()
        self.origin_s = 0.0
        self.codec = ""
        self.packets = 0
        self._arriving, self._limits, self._budget, self._hear = arriving, limits, budget, hear
        self._needs_arrivals = needs_arrivals

    def frames(
        self,
        *,
        max_fps: float,
        max_side_px: int = ANALYSED_PX,
        glance: Callable[[float, U8], None] | None = None,
    ) -> Iterator[Frame]:
        """Yield upright RGB pictures as `Recording.frames` does, each as soon as its bytes are there.

        Raises:
            CannotReadEarlyError: the recording has to be whole to be read.
            AbandonedError: the rest never comes.
            UnjudgeableError: as `Recording.frames`.
        """
        container = sniff(self._arriving.between(0, _SNIFFED_BYTES))
        if self._needs_arrivals and container.demuxer not in WHOLE_PACKETS:
            raise CannotReadEarlyError(f"{container.name} does not tell when a packet is complete")
        file = _front_to_back(self._arriving, container)
        try:
            with open_file(file, container, buffer_size=_READ_BYTES, probe_s=_PROBE_S) as opened:
                yield from self._frames(opened, container, max_fps=max_fps, max_side_px=max_side_px, glance=glance)
        except CameoError:
            if file.error is None:
                raise
        # FFmpeg took it for the end of the file, or for damage.
        if file.error is not None:
            raise file.error

    def _frames(
        self,
        opened: InputContainer,
        container: Container,
        *,
        max_fps: float,
        max_side_px: int,
        glance: Callable[[float, U8], None] | None,
    ) -> Iterator[Frame]:
        streams = choose_streams(opened)
        if streams.picture is None or len(streams.sounds) > 1:
            raise CannotReadEarlyError("it has no picture, or several streams of sound")
        self.codec = codec_of(streams.picture)
        context = streams.picture.codec_context
        check_size(context.width, context.height, self._limits)
        packets, self.origin_s = _started(opened, streams, container)
        if self._needs_arrivals:
            packets = _one_a_block(packets)
        request = PictureRequest(
            max_fps=max_fps,
            max_side_px=max_side_px,
            threads=1,
            limits=self._limits,
            budget=self._budget,
            origin_s=self.origin_s,
            glance=glance,
        )
        yield from read_pictures(self._pictures(packets, streams.picture), streams.picture, request, self.measures)

    def _pictures(self, packets: Iterator[Packet[Any]], picture: VideoStream) -> Iterator[Packet[VideoStream]]:
        """Yield the packets of the pictures, and let the others be heard."""
        for packet in packets:
            if packet.stream_index == picture.index:
                self.packets += packet.size > 0
                yield packet
            elif self._hear is not None:
                self._hear(packet, self.origin_s)


def _front_to_back(arriving: Arriving, container: Container) -> _FrontToBack:
    if container.complete_index:
        return _BoxByBox(arriving)
    if container.demuxer in _FROM_FRONT_TO_BACK:
        return _FrontToBack(arriving)
    raise CannotReadEarlyError(f"{container.name} has to be whole to be read")


def _started(opened: InputContainer, streams: Streams, container: Container) -> tuple[Iterator[Packet[Any]], float]:
    """Return all packets, and the start of the recording in seconds."""
    picture = streams.picture
    assert picture is not None  # noqa: S101 - the caller has refused that
    both: list[VideoStream | AudioStream] = [picture, *streams.sounds]
    packets: Iterator[Packet[Any]] = opened.demux(both)
    first: dict[int, float] = {}  # of each stream, by its index
    held: list[Packet[Any]] = []
    while (packet := _next(packets)) is not None:
        held.append(packet)
        if packet.pts is not None and not packet.is_discard:
            stream = picture if packet.stream_index == picture.index else streams.sounds[0]
            first.setdefault(stream.index, begin_s(stream, packet.pts, streams, container))
        if len(first) == len(both):
            break
        if len(held) > _MAX_HELD_PACKETS:
            raise CannotReadEarlyError("picture and sound do not begin together")

    return chain(held, packets), min(first.values(), default=0.0)


def _one_a_block(packets: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    """Yield packets while each has a place of its own."""
    place: int | None = None
    for packet in packets:
        if packet.size and packet.pos is not None:
            if packet.pos == place:
                raise CannotReadEarlyError("several packets share a block")
            place = packet.pos
        yield packet


def _next(packets: Iterator[Packet[Any]]) -> Packet[Any] | None:
    try:
        return next(packets, None)
    except av.error.FFmpegError:
        return None


class _FrontToBack(io.RawIOBase):
    """A file over arriving bytes that cannot be rewound. A read waits for all bytes it asks for.

    FFmpeg sees the end of the file where a read fails; `error` says why.
    """

    def __init__(self, arriving: Arriving) -> None:
        self._arriving, self._at = arriving, 0
        self.error: CameoError | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            found = self._arriving.between(self._at, self._released(self._at + size)) if self.error is None else b""
        except CameoError as error:
            self.error = error
            return b""
        self._at += len(found)
        return found

    def _released(self, end: int) -> int:
        """Return how far may be read, at most up to `end`."""
        return end


class _BoxByBox(_FrontToBack):
    """The same of an MP4, whose boxes are checked before they are read; its index has to come before its media."""

    def __init__(self, arriving: Arriving) -> None:
        super().__init__(arriving)
        self._check = IndexCheck()
        self._checked = 0
        self._indexed = False

    def _released(self, end: int) -> int:
        while self._checked < end and self._check_box():
            pass
        return min(end, self._checked)

    def _check_box(self) -> bool:
        """Check one more box; return false at the end."""
        header = self._arriving.between(self._checked, self._checked + LARGE_HEADER)
        if len(header) < LARGE_HEADER:
            self._checked += len(header)
            return False
        size, name = box(header)
        if size < LEAST_BOX:
            raise CannotReadEarlyError("a box has no size")
        if name == b"mdat":
            if not self._indexed:
                raise CannotReadEarlyError("its index follows its media")
        elif size > _MAX_BOX_BYTES:
            raise CannotReadEarlyError("its index is large")
        else:
            self._check.add(self._arriving.between(self._checked, self._checked + size))
            self._indexed = self._indexed or name == b"moov"
        self._checked += size
        return True
