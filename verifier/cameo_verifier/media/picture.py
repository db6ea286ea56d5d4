"""Picture decoding: decodes every picture, converts the sampled ones to RGB, and rotates them upright.

1. Decode packet by packet, within the budget of the recording. A packet that does not decode, or a picture with concealed errors,
   is counted as damage. Whatever comes before the first key frame, or is the very end, is truncation and no damage to the rest.
2. Check the size of each decoded picture before anything is made of it.
3. Compute its time from the start of the recording. One with a decreasing timestamp is dropped and counted as damage.
4. Stop at the first one past the longest recording allowed.
5. Pass a thumbnail of it to the `glance` callback, and a few times a second check for broken blocks.
6. Convert the first picture of each slot of 1 / max_fps seconds to RGB, scaled and upright. The first picture of the recording
   fixes the size; one of another shape, as of a phone that was turned, is letterboxed into it.
7. At the end, refuse a recording of which too much was damaged or missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice, pairwise
from statistics import median
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media import source as media_source
from cameo_verifier.media.blocks import broken_blocks
from cameo_verifier.media.orientation import Orientation, from_display_matrix, from_rotation
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from typing_extensions import Buffer

    from cameo_verifier.media.budget import Budget
    from cameo_verifier.settings import MediaLimits
    from cameo_verifier.types import U8

ANALYSED_PX = 1280
"""The longer side of the pictures that the models analyse, and that landmark coordinates refer to."""

_MAX_DAMAGED_SHARE = 0.10
"""A container without an index may be truncated anywhere, which costs it a picture or two; a tenth of a recording is more than
that."""

_MIN_DECODED_SHARE = 0.90
"""An MP4 declares its length. One whose pictures end before nine tenths of that has lost some in transfer."""

_MAX_FPS = 240
"""No consumer camera records faster. It bounds the work: 16 MiB could hold a million pictures that repeat the last."""

_MAX_BACKWARDS_S = 1e-3

_MAX_TIMES = 100
"""Limit on the recorded times; more add no information."""

_SAME_SHAPE = 0.02
"""A sender that lowers its resolution rounds to whole blocks; that changes the proportions by 1 %, a quarter turn by half."""

_BLOCKS_FPS = 4
"""Checks for broken blocks a second: damage stays until the next key frame, in recordings of browsers for many seconds."""

_TAIL_S = 0.1
"""A decoding failure so close to the end of the last packet is truncation."""

GLANCE_PX = 32
_GLANCE_FPS = 60
"""Thumbnails a second at most: enough for any camera in use, and it bounds their cost."""

_INTERPOLATION = Interpolation.AREA | Interpolation.BITEXACT
"""Averaging over the area of a pixel does not alias when shrinking, and costs half of bilinear (2.2 against 4.3 ms for
1080p to 720p). Bit-exact keeps the same recording from giving other pixels on another processor, and costs nothing here."""


@dataclass(slots=True)
class PictureMeasures:
    """Measurements of the pictures decoded so far. Of lists of times the first `_MAX_TIMES` are kept.

    Attributes:
        t_s: presentation time of every decoded picture, sampled or not.
        end_s: end of the last picture.
        latest_s: presentation time of the last picture, negative if it lies before the start of the recording.
        damaged: number of dropped or concealed pictures.
        damaged_s: their times, except truncation at the ends.
        broken: the most broken blocks in a picture, see `cameo_verifier.media.blocks`.
        broken_s: the time of that picture.
        orientation: what makes the pictures upright.
        stored_size: width and height of the first picture as stored, px.
        reshaped_s: times at which the aspect ratio changes, as of a phone that is turned.
        too_long: decoding stopped at the longest recording allowed.
        complete: all pictures were read.
    """

    t_s: list[float] = field(default_factory=list)
    end_s: float = 0.0
    latest_s: float = float("-inf")
    damaged: int = 0
    damaged_s: list[float] = field(default_factory=list)
    broken: int = 0
    broken_s: float = 0.0
    orientation: Orientation = field(default_factory=Orientation)
    stored_size: tuple[int, int] = (0, 0)
    reshaped_s: list[float] = field(default_factory=list)
    too_long: bool = False
    complete: bool = False

    @property
    def interval_s(self) -> float:
        """Median interval of two pictures with different times, 0 with fewer than two."""
        steps = [later - earlier for earlier, later in pairwise(self.t_s) if later > earlier]
        return median(steps) if steps else 0.0

    @property
    def length_s(self) -> float:
        """Time from the first picture to the end of the last, whose duration is assumed to be the median."""
        return self.t_s[-1] - self.t_s[0] + self.interval_s if self.t_s else 0.0

    def look(self, picture: VideoFrame, t_s: float) -> None:
        """Check a picture for broken blocks."""
        if (broken := broken_blocks(picture)) > self.broken:
            self.broken, self.broken_s = broken, t_s

    def complete_at(self, ends_s: float) -> None:
        """Mark the reading as complete, and drop the damage that is truncation at the end."""
        self.damaged_s = [t_s for t_s in self.damaged_s if t_s < ends_s - _TAIL_S][:_MAX_TIMES]
        del self.reshaped_s[_MAX_TIMES:]
        self.complete = True


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """Parameters of picture decoding.

    Attributes:
        max_fps: sampling rate; `None` keeps all.
        max_side_px: limit on the longer side.
        threads: number of decoding threads.
        limits: limits on the recording.
        budget: the recording's remaining cost.
        origin_s: start of the recording on the container's clock.
        orientation: that of a photo, from its header, of which only the first picture counts; `None` where the pictures
            themselves carry it.
        glance: called with the time and a thumbnail of every picture, sampled or not, at most 60 a second: (32, 32) uint8 luma,
            0..255, area-averaged, as stored (neither upright nor in proportion).
        only: times of the sampled pictures that are converted and yielded; `None` for all.
    """

    max_fps: float | None
    max_side_px: int
    threads: int
    limits: MediaLimits
    budget: Budget
    origin_s: float = 0.0
    orientation: Orientation | None = None
    glance: Callable[[float, U8], None] | None = None
    only: Collection[float] | None = None


def read_pictures(
    packets: Iterator[Packet[VideoStream]],
    stream: VideoStream,
    request: PictureRequest,
    measures: PictureMeasures,
) -> Iterator[Frame]:
    """Yield the upright pictures and record measurements in `measures`, which `finish` completes.

    Raises:
        UnjudgeableError: `PICTURE_TOO_LARGE`, `RECORDING_TOO_COSTLY`, or `CORRUPT_MEDIA`.
    """
    limits = request.limits
    converter = _Converter(request.max_side_px, request.orientation)
    media_source.open_decoder(stream, max_pixels=limits.max_side_px**2, threads=request.threads)
    last_slot = last_glance = last_look = -1
    # A phone's JPEG may carry further pictures, of depth or of another exposure.
    for picture in islice(_decode(packets, stream, request, measures), None if request.orientation is None else 1):
        t_s = _place(picture, stream, request.origin_s, measures)
        if t_s is None:
            measures.damaged += 1
            continue
        if t_s > limits.max_s:
            measures.too_long = True
            measures.t_s.append(t_s)
            break
        if not measures.t_s:
            measures.orientation = converter.prepare(picture)
            measures.stored_size = (picture.width, picture.height)
        else:
            measures.reshaped_s += [t_s] * converter.reshaped(picture)
        measures.t_s.append(t_s)
        if len(measures.t_s) > _MAX_FPS * limits.max_s:
            raise media_source.damaged(f"more than {_MAX_FPS} pictures a second")
        if request.glance is not None and (glance := int(t_s * _GLANCE_FPS + 1e-6)) > last_glance:
            last_glance = glance
            request.glance(t_s, converter.glance(picture))
        if (look := int(t_s * _BLOCKS_FPS + 1e-6)) > last_look:
            last_look = look
            measures.look(picture, t_s)
        slot = int(t_s * request.max_fps + 1e-6) if request.max_fps else len(measures.t_s)
        if slot > last_slot:
            last_slot = slot
            if request.only is None or t_s in request.only:
                yield Frame(t_s=t_s, rgb=converter.convert(picture))


def finish(measures: PictureMeasures, *, must_reach_s: float, ends_s: float) -> None:
    """Complete the measurements once all pictures are read.

    Args:
        measures: of the pictures.
        must_reach_s: presentation time of the last picture packet, 0 for any.
        ends_s: end of the last packet.

    Raises:
        UnjudgeableError: `CORRUPT_MEDIA` where too much is damaged or missing.
    """
    _judge(measures, must_reach_s)
    measures.complete_at(ends_s)


def check_size(width: int, height: int, limits: MediaLimits) -> None:
    """Refuse a picture over the limit.

    Raises:
        UnjudgeableError: `PICTURE_TOO_LARGE`.
    """
    if max(width, height) > limits.max_side_px:
        raise UnjudgeableError(
            Reason.PICTURE_TOO_LARGE,
            f"pictures of {width}x{height} are over the limit of {limits.max_side_px} px a side: record at a lower resolution",
        )


def _decode(
    packets: Iterator[Packet[VideoStream]], stream: VideoStream, request: PictureRequest, measures: PictureMeasures
) -> Iterator[VideoFrame]:
    """Yield decoded pictures; count the packets that do not decode, and raise when most do not."""
    limits, context = request.limits, stream.codec_context
    hopeless = int(_MAX_FPS * limits.max_s)
    keyed = False
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            measures.damaged += 1
            return
        if packet is None:
            return
        keyed = keyed or packet.is_keyframe
        request.budget.spend(context.width * context.height if packet.size else 0)
        try:
            pictures = packet.decode()
        except (av.error.FFmpegError, ValueError):
            check_size(context.width, context.height, limits)
            measures.damaged += packet.size > 0
            if keyed and packet.size > 0:
                measures.damaged_s.append(_at_s(packet.pts, stream, request, measures))
            if measures.damaged > hopeless:
                return
            continue
        for picture in pictures:
            check_size(picture.width, picture.height, limits)
            measures.damaged += picture.is_corrupt
            if picture.is_corrupt and keyed:
                measures.damaged_s.append(_at_s(picture.pts, stream, request, measures))
            yield picture


def _at_s(ticks: int | None, stream: VideoStream, request: PictureRequest, measures: PictureMeasures) -> float:
    """Return a time of the stream in the recording; without one, that of the picture before."""
    return max(0.0, measures.latest_s) if ticks is None else media_source.seconds(ticks, stream) - request.origin_s


def _place(picture: VideoFrame, stream: VideoStream, origin_s: float, measures: PictureMeasures) -> float | None:
    """Return the presentation time in seconds from the start of the recording; `None` if timestamps decrease."""
    if picture.pts is not None:
        at_s = media_source.seconds(picture.pts, stream) - origin_s
    elif measures.t_s:
        at_s = measures.latest_s + float(1 / stream.average_rate if stream.average_rate else 0)
    else:
        at_s = 0.0
    if at_s < measures.latest_s - _MAX_BACKWARDS_S:
        return None
    measures.latest_s = max(measures.latest_s, at_s)
    t_s = max(0.0, measures.latest_s)
    measures.end_s = max(measures.end_s, t_s + max(0.0, media_source.seconds(picture.duration or 0, stream)))
    return t_s


def _judge(measures: PictureMeasures, must_reach_s: float) -> None:
    seen = len(measures.t_s)
    if measures.damaged and not seen:
        raise media_source.damaged("no picture could be decoded")
    every = seen + measures.damaged
    if measures.damaged > max(1, _MAX_DAMAGED_SHARE * every):
        raise media_source.damaged(f"{measures.damaged} of {every} pictures did not decode or run backwards in time")
    if not measures.too_long and measures.end_s < _MIN_DECODED_SHARE * must_reach_s:
        raise media_source.damaged(f"its pictures end at {measures.end_s:.1f} s of {must_reach_s:.1f} s")


class _Converter:
    """A converter of stored pictures to upright RGB. The first picture fixes the size of all."""

    def __init__(self, max_side_px: int, orientation: Orientation | None) -> None:
        self._max_side_px = max_side_px
        self._orientation = orientation
        self._reformatter = VideoReformatter()
        self._thumbnails = VideoReformatter()
        self._width = self._height = 0
        self._first = self._latest = (0, 0)

    def prepare(self, first: VideoFrame) -> Orientation:
        self._first = self._latest = first.width, first.height
        scale = min(1.0, self._max_side_px / max(first.width, first.height))
        self._width, self._height = max(1, round(first.width * scale)), max(1, round(first.height * scale))
        if self._orientation is None:
            self._orientation = _orientation(first)
        return self._orientation

    def reshaped(self, picture: VideoFrame) -> bool:
        """Whether this picture has another aspect ratio than the one before it."""
        (width, height), self._latest = self._latest, (picture.width, picture.height)
        return abs(picture.width * height / (picture.height * width) - 1.0) > _SAME_SHAPE

    def convert(self, picture: VideoFrame) -> U8:
        assert self._orientation is not None  # noqa: S101 - prepare() ran on the first picture
        return self._orientation.upright(self._fitted(picture, self._reformatter, self._width, self._height, "rgb24"))

    def glance(self, picture: VideoFrame) -> U8:
        return self._fitted(picture, self._thumbnails, GLANCE_PX, GLANCE_PX, "gray8")

    def _fitted(self, picture: VideoFrame, reformatter: VideoReformatter, width: int, height: int, pixels: str) -> U8:
        """Return the picture scaled as the first one is, to that size, letterboxed where its aspect ratio differs."""
        across, down = picture.width / self._first[0], picture.height / self._first[1]
        across, down = across / max(across, down), down / max(across, down)
        size = max(1, round(width * across)), max(1, round(height * down))
        with media_source.vendor_errors("a picture cannot be converted"):
            made: U8 = reformatter.reformat(
                picture,
                width=size[0],
                height=size[1],
                format=pixels,
                interpolation=_INTERPOLATION,
                # Without this FFmpeg takes over the range tag of the source, limited or full, for RGB.
                dst_color_range=ColorRange.JPEG,
                threads=1,
            ).to_ndarray()  # type: ignore[assignment] # rgb24 and gray8 are uint8; PyAV's type covers every format
        return made if size == (width, height) else _between_bars(made, width, height)


def _between_bars(picture: U8, width: int, height: int) -> U8:
    """Return the picture letterboxed: centred in a black one of that size."""
    whole = np.zeros((height, width, *picture.shape[2:]), np.uint8)
    top, left = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
    whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return whole


def _orientation(picture: VideoFrame) -> Orientation:
    try:
        matrix = picture.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # PyAV 18.1 does not know every kind of side data FFmpeg 8 attaches, and then lists none.
        return from_rotation(picture.rotation)
    return Orientation() if matrix is None else from_display_matrix(bytes(cast("Buffer", matrix)))
