"""Pictures that are read while the recording arrives: those of the whole, however it is split, or none."""

from __future__ import annotations

import io
import struct
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fixtures.browsers
from cameo_verifier.errors import AbandonedError, UnjudgeableError
from cameo_verifier.media import open_recording
from cameo_verifier.media.arriving import Arriving
from cameo_verifier.media.budget import Budget
from cameo_verifier.media.early import CannotReadEarlyError, EarlyPictures
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import MediaLimits
from tests.conftest import COMMITTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.types import F32, U8, Frame, MediaInfo

LIMITS = MediaLimits()
BROWSERS = {path.name: path.read_bytes() for path in sorted(Path(fixtures.browsers.__file__).parent.glob("*.*[4m]"))}
COMMITTED_FILE = COMMITTED["astronaut_bona_fide"].file.read_bytes()
CONTAINERS: dict[str, tuple[str, dict[str, str]]] = {
    "matroska": ("matroska", {}),
    "mpegts": ("mpegts", {}),
    "mp4, its index first": ("mp4", {"movflags": "faststart"}),
    "mp4, in fragments": ("mp4", {"movflags": "frag_every_frame+empty_moov+default_base_moof"}),
}

Seen = tuple[list[tuple[float, "U8"]], list[tuple[float, "U8"]], "F32", "MediaInfo"]


def remuxed(data: bytes, container: str, options: dict[str, str], *, until_s: float = float("inf")) -> bytes:
    """The same packets in another container, or the first of them."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "recording")
        with av.open(io.BytesIO(data)) as source, av.open(str(path), "w", format=container, options=options) as target:
            streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
            for packet in source.demux():
                if packet.dts is not None and packet.dts * packet.time_base < until_s:
                    packet.stream = streams[packet.stream_index]
                    target.mux(packet)
        return path.read_bytes()


def arriving(chunks: Sequence[bytes]) -> Arriving:
    """A recording that arrives in these pieces, in a thread of its own."""
    bytes_ = Arriving()

    def feed() -> None:
        for chunk in chunks:
            bytes_.feed(chunk)
        bytes_.end()

    Thread(target=feed).start()
    return bytes_


def cut(data: bytes, at: Sequence[int]) -> list[bytes]:
    places = [0, *sorted(at), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def early_of(bytes_: Arriving) -> EarlyPictures:
    return EarlyPictures(bytes_, limits=LIMITS, budget=Budget(LIMITS))


def pictures(frames: Sequence[Frame]) -> list[tuple[float, U8]]:
    return [(frame.t_s, frame.rgb) for frame in frames]


def whole(data: bytes) -> Seen:
    glances: list[tuple[float, U8]] = []
    with open_recording(data, limits=LIMITS) as recording:
        frames = list(recording.frames(max_fps=15, glance=lambda t_s, luma: glances.append((t_s, luma))))
        return pictures(frames), glances, recording.sound(), recording.finished_info()


def early(chunks: Sequence[bytes]) -> Seen:
    glances: list[tuple[float, U8]] = []
    bytes_ = arriving(chunks)
    read = early_of(bytes_)
    frames = list(read.frames(max_fps=15, glance=lambda t_s, luma: glances.append((t_s, luma))))
    with open_recording(bytes_.whole(), limits=LIMITS) as recording:
        assert recording.adopt(read)
        return pictures(frames), glances, recording.sound(), recording.finished_info()


def assert_same(one: Seen, other: Seen) -> None:
    for first, second in ((one[0], other[0]), (one[1], other[1])):
        assert [t_s for t_s, _ in first] == [t_s for t_s, _ in second]
        assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, second, strict=True))
    assert np.array_equal(one[2], other[2])
    assert one[3] == other[3]


@pytest.mark.parametrize("name", sorted(BROWSERS))
def test_what_a_browser_records_is_read_the_same_however_it_is_split(name: str) -> None:
    """Bytes at once, or in pieces of any length: the same pictures at the same times, and the same measurements."""
    data = BROWSERS[name]
    expected = whole(data)

    @settings(max_examples=8)
    @given(st.lists(st.integers(0, len(data)), max_size=30))
    def check(places: list[int]) -> None:
        assert_same(early(cut(data, places)), expected)

    check()


@pytest.mark.parametrize("kind", sorted(CONTAINERS))
def test_every_container_that_is_written_front_to_back_is_read_early(kind: str) -> None:
    """As by cameras that write while they record."""
    data = remuxed(COMMITTED_FILE, *CONTAINERS[kind])
    assert_same(early(cut(data, range(0, len(data), 5_000))), whole(data))


@pytest.mark.parametrize("name", sorted(name for name in BROWSERS if name.endswith("webm")))
def test_a_picture_is_there_before_the_last_byte(name: str) -> None:
    """The first of four seconds is enough for a picture. A fragment of an MP4 arrives as one, with all its pictures."""
    data = BROWSERS[name]
    bytes_ = Arriving()
    bytes_.feed(data[: len(data) // 4])
    frames = early_of(bytes_).frames(max_fps=15)
    assert next(frames).rgb.shape == (240, 320, 3)
    bytes_.feed(data[len(data) // 4 :])
    bytes_.end()
    assert len(list(frames)) > 30


def test_an_index_at_the_end_is_not_waited_for() -> None:
    """A file whose index follows its media has to be whole, which its first boxes say."""
    bytes_ = Arriving()
    bytes_.feed(COMMITTED_FILE[:1000])
    with pytest.raises(CannotReadEarlyError, match="index follows"):
        next(early_of(bytes_).frames(max_fps=15))


def test_a_still_is_read_whole() -> None:
    """So is whatever is not written front to back."""
    bytes_ = arriving([b"\x89PNG\r\n\x1a\n" + bytes(1000)])
    with pytest.raises(CannotReadEarlyError, match="png"):
        next(early_of(bytes_).frames(max_fps=15))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6])
def test_a_sender_that_stops_ends_the_reading(share: float) -> None:
    """Wherever it stops, the reader learns that the rest never comes."""
    data = BROWSERS["chromium_sliced.mp4"]
    bytes_ = Arriving()
    bytes_.feed(data[: int(share * len(data))])
    Thread(target=bytes_.stop).start()
    with pytest.raises(AbandonedError):
        list(early_of(bytes_).frames(max_fps=15))


def test_fragments_that_claim_too_much_are_refused_before_they_are_read() -> None:
    """A box is checked before FFmpeg fills memory by its counts, as those of a whole file are."""
    data = BROWSERS["chromium_sliced.mp4"]
    at = data.index(b"trun") + 8
    claims = data[:at] + struct.pack(">I", 2**31) + data[at + 4 :]
    with pytest.raises(UnjudgeableError, match="fragments of too many samples") as refused:
        list(early_of(arriving(cut(claims, [100, 5_000]))).frames(max_fps=15))
    assert refused.value.reason is Reason.CORRUPT_MEDIA


@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_box_without_a_size_is_left_to_the_reading_of_the_whole(size: int) -> None:
    """Two readers may understand it differently."""
    data = BROWSERS["chromium_sliced.mp4"]
    at = data.index(b"moof") - 4
    broken = data[:at] + struct.pack(">I", size) + data[at + 4 :]
    with pytest.raises(CannotReadEarlyError):
        list(early_of(arriving([broken])).frames(max_fps=15))


def test_pictures_at_other_times_are_not_adopted() -> None:
    """A fragment with all pictures before all sound is read otherwise when it can be rewound: the whole decides."""
    data = remuxed(COMMITTED_FILE, "mp4", {"movflags": "frag_keyframe+empty_moov"})
    bytes_ = arriving([data])
    read = early_of(bytes_)
    assert list(read.frames(max_fps=15))
    with open_recording(data, limits=LIMITS) as recording:
        assert not recording.adopt(read)


def test_missing_pictures_are_not_adopted() -> None:
    """What was read of a part is not what is judged of the whole."""
    data = BROWSERS["chromium_vp8.webm"]
    read = early_of(arriving([data[: len(data) * 2 // 3]]))
    assert list(read.frames(max_fps=15))
    with open_recording(data, limits=LIMITS) as recording:
        assert not recording.adopt(read)


def test_bytes_after_the_end_are_a_mistake() -> None:
    """Who announced the end has no more."""
    bytes_ = arriving([])
    bytes_.whole()
    with pytest.raises(RuntimeError, match="after the end"):
        bytes_.feed(b"more")
