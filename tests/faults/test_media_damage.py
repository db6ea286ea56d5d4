"""Damaged recordings: flipped bits and missing blocks are reported as damage wherever possible."""

from __future__ import annotations

import io
import os
from fractions import Fraction
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media import open_recording
from cameo_verifier.media.blocks import broken_blocks
from cameo_verifier.profiles import load
from cameo_verifier.settings import MediaLimits
from fixtures.manifest import load as load_fixtures
from tests.unit.media.clips import Clip, make

if TYPE_CHECKING:
    from cameo_verifier.types import MediaInfo

_CLIP = next(fixture.file for fixture in load_fixtures() if fixture.id == "astronaut_bona_fide")
_LIMITS = MediaLimits()
_PROFILE = load()
_CODECS = {
    "h264": ("libx264", {"preset": "ultrafast", "crf": "26"}),
    "hevc": ("libx265", {"preset": "ultrafast", "x265-params": "log-level=none", "crf": "28"}),
    "vp8": ("libvpx", {"deadline": "realtime", "cpu-used": "8"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
    "av1": ("libsvtav1", {"preset": "11", "crf": "38"}),
    "mpeg4": ("mpeg4", {}),
}
_FLIPS = 16
_SHOWS = 10.0
"""RMS difference of a thumbnail, in levels, that anybody sees: a quarter of the picture is something else."""


@cache
def _whole(codec: str) -> bytes:
    """Return two seconds of a committed recording in that codec, as a browser would: one key picture, then changes."""
    os.environ.setdefault("SVT_LOG", "1")
    name, options = _CODECS[codec]
    file = io.BytesIO()
    with av.open(str(_CLIP)) as source, av.open(file, "w", format="matroska") as out:
        stream = out.add_stream(name, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 320, 240, "yuv420p", 100
        if codec not in {"h264", "hevc", "av1"}:
            stream.bit_rate = 300_000
        for number, frame in enumerate(islice(source.decode(video=0), 50)):
            small = frame.reformat(width=320, height=240, format="yuv420p")
            small.pts, small.time_base, small.pict_type = number, Fraction(1, 25), 0
            out.mux(stream.encode(small))
        out.mux(stream.encode(None))
    return file.getvalue()


def _payload(data: bytes) -> list[int]:
    """Return the places of all bytes of pictures in the file."""
    places: list[int] = []
    at = 0
    with av.open(io.BytesIO(data)) as opened:
        for packet in opened.demux(video=0):
            if packet.size:
                raw = bytes(packet)
                at = data.index(raw, at)
                places += range(at, at + len(raw))
    return places


def _measured(data: bytes, glances: list[np.ndarray] | None = None) -> MediaInfo | None:
    try:
        with open_recording(data, limits=_LIMITS) as recording:
            list(
                recording.frames(
                    max_fps=15, glance=lambda _, luma: None if glances is None else glances.append(luma.astype(float))
                )
            )
            recording.sound()
            return recording.finished_info()
    except UnjudgeableError:
        return None


def _told(info: MediaInfo | None) -> bool:
    """Whether the damage leads to CORRUPT_MEDIA: here, or by the check of damage."""
    return info is None or not (
        _PROFILE["damaged_max"].holds(len(info.damaged_s))
        and _PROFILE["lost_max"].holds(info.lost_s)
        and _PROFILE["broken_blocks_max"].holds(info.broken)
    )


@pytest.mark.parametrize("codec", _CODECS)
@pytest.mark.parametrize("bits", [1, 8])
def test_flipped_bits_that_show_are_told_as_damage(codec: str, bits: int) -> None:
    """Of what anybody would see four fifths are told, by the decoder or by the blocks; the whole recording has none."""
    data, rng = _whole(codec), np.random.default_rng(bits)
    clean: list[np.ndarray] = []
    assert not _told(_measured(data, clean))
    places, shown, told = _payload(data), 0, 0
    for _ in range(_FLIPS):
        changed, glances = bytearray(data), []
        for at in rng.choice(places, bits, replace=False):
            changed[at] ^= 1 << rng.integers(8)
        info = _measured(bytes(changed), glances)
        apart = [np.sqrt(np.mean((one - other) ** 2)) for one, other in zip(clean, glances, strict=False)]
        shows = len(glances) < len(clean) or max(apart) > _SHOWS
        shown += shows
        told += shows and _told(info)
    assert shown > 0
    assert told >= 0.8 * shown


def test_what_was_cut_off_at_an_end_is_no_damage() -> None:
    """A stream that begins in the midst of a group of pictures, or whose last packet is cut, is judged as far as it goes."""
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(make(Clip("mpegts", "libx264", "aac", seconds=3, fps=15, gop=15)))) as whole,
        av.open(file, "w", format="mpegts") as out,
    ):
        copies = {stream.index: out.add_stream_from_template(stream) for stream in whole.streams}
        for packet in whole.demux():
            if packet.size and packet.pts * packet.time_base > 1.4 + 0.5:
                packet.stream = copies[packet.stream_index]
                out.mux(packet)
    info = _measured(file.getvalue()[:-188])
    assert info is not None
    assert not _told(info)
    assert info.frames >= 10


def test_a_time_that_neither_medium_has_is_lost() -> None:
    """A second without pictures and without sound is told as lost; a second without one of them is not."""
    for without in ({"video", "audio"}, {"video"}, {"audio"}):
        file = io.BytesIO()
        with (
            av.open(io.BytesIO(make(Clip("mkv", "mjpeg", "flac", seconds=3)))) as whole,
            av.open(file, "w", format="matroska") as out,
        ):
            copies = {stream.index: out.add_stream_from_template(stream) for stream in whole.streams}
            for packet in whole.demux():
                inside = packet.pts is not None and 1.0 <= packet.pts * packet.time_base < 2.0
                if packet.size and not (inside and packet.stream.type in without):
                    packet.stream = copies[packet.stream_index]
                    out.mux(packet)
        info = _measured(file.getvalue())
        assert info is not None
        assert info.lost_s == (pytest.approx(1.0, abs=0.15) if without == {"video", "audio"} else 0.0)


def _frame(luma: np.ndarray, pixels: str = "gray") -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(luma, format=pixels)


def test_blocks_of_another_picture_are_broken() -> None:
    """Blocks that stand out of a smooth picture on sides that meet are counted; a straight edge along the grid is not."""
    smooth = np.add.outer(np.arange(128), np.arange(160)).astype(np.uint8) // 2 + 40
    assert broken_blocks(_frame(smooth)) == 0
    edge = smooth.copy()
    edge[:, 80:] += 60
    assert broken_blocks(_frame(edge)) == 0
    broken = smooth.copy()
    for row, column in ((1, 1), (3, 6), (5, 4)):
        broken[16 * row : 16 * row + 16, 16 * column : 16 * column + 16] += 60
    assert broken_blocks(_frame(broken)) >= 3
    off_the_grid = np.roll(broken, (5, 7), axis=(0, 1))
    assert broken_blocks(_frame(off_the_grid[8:, 8:].copy())) == 0


@pytest.mark.parametrize("size", [(1, 1), (15, 40), (16, 16), (17, 33), (40, 15)])
def test_small_pictures_have_few_blocks(size: tuple[int, int]) -> None:
    """A picture smaller than two blocks has none that are broken."""
    assert broken_blocks(_frame(np.zeros(size, np.uint8))) == 0


def test_ten_bits_are_read_as_eight() -> None:
    """The luma of a deeper picture counts in the same levels."""
    deep = av.VideoFrame(160, 128, "yuv420p10le")
    luma = np.full((128, deep.planes[0].line_size // 2), 400, "<u2")
    luma[32:48, 32:48] = 640
    deep.planes[0].update(luma.tobytes())
    assert broken_blocks(deep) >= 1
