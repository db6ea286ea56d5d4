from __future__ import annotations

import io
import struct
import zlib

import av
import numpy as np
import pytest

from cameo_verifier.media import open_recording
from cameo_verifier.media.orientation import Orientation, from_rotation
from cameo_verifier.media.recording import looked_at
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, corners, make

_LIMITS = MediaLimits()
_ONE = 0x10000

# The corners of the stored picture are red, green, white, blue, clockwise from the top left.
_MATRICES = [
    ("upright", (1, 0, 0, 1), ["red", "green", "white", "blue"], 0),
    ("a quarter turn clockwise", (0, 1, -1, 0), ["blue", "red", "green", "white"], 90),
    ("upside down", (-1, 0, 0, -1), ["white", "blue", "red", "green"], 180),
    ("a quarter turn counter-clockwise", (0, -1, 1, 0), ["green", "white", "blue", "red"], 270),
    ("mirrored left to right", (-1, 0, 0, 1), ["green", "red", "blue", "white"], 0),
    ("mirrored top to bottom", (1, 0, 0, -1), ["blue", "white", "green", "red"], 180),
    ("mirrored along the main diagonal", (0, 1, 1, 0), ["red", "blue", "white", "green"], 90),
    ("mirrored along the other diagonal", (0, -1, -1, 0), ["white", "green", "red", "blue"], 270),
]


@pytest.fixture(scope="module")
def second() -> bytes:
    """One second at 30 pictures a second."""
    return make(Clip(audio=None, fps=30))


@pytest.mark.parametrize(("matrix", "expected", "rotation_deg"), [m[1:] for m in _MATRICES], ids=[m[0] for m in _MATRICES])
def test_the_display_matrix_is_honoured(second: bytes, matrix: tuple[int, ...], expected: list[str], rotation_deg: int) -> None:
    """Whatever way the camera was held, and mirrored or not, the picture comes out as a player shows it."""
    data = bytearray(second)
    at = data.find(b"tkhd") + 44
    a, b, c, d = (value * _ONE for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    with open_recording(bytes(data), limits=_LIMITS) as recording:
        frames = list(recording.frames())
        info = recording.finished_info()
    assert corners(frames[0].rgb) == expected
    assert frames[0].rgb.shape == ((64, 48, 3) if matrix[0] == 0 else (48, 64, 3))
    assert frames[0].rgb.flags.c_contiguous
    assert info.rotation_deg == rotation_deg
    assert looked_at(info) == frames[0].rgb.shape[1::-1]


def test_a_picture_that_is_shrunk_is_counted_as_it_is_looked_at() -> None:
    """Landmarks of a picture larger than the models see are counted in the smaller one."""
    with open_recording(make(Clip(audio=None, size=(1600, 900), seconds=0.2)), limits=_LIMITS) as recording:
        frames = list(recording.frames())
        assert looked_at(recording.finished_info()) == frames[0].rgb.shape[1::-1] == (1280, 720)


def test_a_rotation_without_matrix_turns_to_the_nearest_right_angle() -> None:
    """Where only an angle is known, it is read counter-clockwise and rounded to a quarter turn."""
    assert from_rotation(-88) == Orientation(swap=True, flip_x=True)
    assert from_rotation(90) == Orientation(swap=True, flip_y=True)
    assert from_rotation(180) == from_rotation(-180) == Orientation(flip_x=True, flip_y=True)
    assert from_rotation(0) == Orientation()


@pytest.mark.parametrize(("max_fps", "kept"), [(None, 30), (30.0, 30), (15.0, 15), (12.0, 12), (8.0, 8), (1.0, 1)])
def test_thinning_keeps_the_first_picture_of_each_slot(second: bytes, max_fps: float | None, kept: int) -> None:
    """Thinned pictures are a subset of all, one for each slot of time, and every picture is still measured."""
    with open_recording(second, limits=_LIMITS) as recording:
        every = [frame.t_s for frame in recording.frames()]
        thinned = [frame.t_s for frame in recording.frames(max_fps=max_fps)]
        info = recording.finished_info()
    assert len(thinned) == kept
    assert thinned[0] == 0.0
    assert set(thinned) <= set(every)
    if max_fps:
        slots = [int(t_s * max_fps + 1e-6) for t_s in thinned]
        assert slots == sorted(set(slots))
    assert info.frames == 30
    assert info.fps == pytest.approx(30.0, rel=0.01)


def test_the_longer_side_shrinks_to_what_was_asked() -> None:
    """A picture larger than asked is scaled as a whole, one that is not stays as it is, and the stored size is reported."""
    data = make(Clip(audio=None, size=(200, 100), seconds=0.3))
    with open_recording(data, limits=_LIMITS) as recording:
        assert {frame.rgb.shape for frame in recording.frames(max_side_px=50)} == {(25, 50, 3)}
        frames = list(recording.frames(max_side_px=200))
        info = recording.finished_info()
    assert {frame.rgb.shape for frame in frames} == {(100, 200, 3)}
    assert (info.width, info.height) == (200, 100)


def test_odd_sizes_decode() -> None:
    """A picture of odd width and height keeps both."""
    with open_recording(make(Clip("webm", "libvpx-vp9", None, size=(63, 47))), limits=_LIMITS) as recording:
        frames = list(recording.frames())
    assert {frame.rgb.shape for frame in frames} == {(47, 63, 3)}
    assert corners(frames[0].rgb) == ["red", "green", "white", "blue"]


def test_full_and_limited_range_come_out_alike() -> None:
    """White is white whether the codec keeps 16-235 or 0-255."""
    whites = []
    for codec in ("libx264", "mjpeg"):
        with open_recording(make(Clip("mkv", codec, None, seconds=0.2)), limits=_LIMITS) as recording:
            whites.append(next(iter(recording.frames())).rgb[-8, -8].astype(int))
    assert whites[0] == pytest.approx([235, 235, 235], abs=4)
    assert whites[1] == pytest.approx([235, 235, 235], abs=4)


def test_uneven_times_are_kept() -> None:
    """A variable frame rate keeps the time of each picture, and the rate is that of the median step."""
    times_s = [0.0, 0.1, 0.15, 0.5, 0.55, 0.9, 1.5, 1.6]
    with open_recording(make(Clip(audio=None, times_s=times_s)), limits=_LIMITS) as recording:
        assert [frame.t_s for frame in recording.frames()] == pytest.approx(times_s, abs=1e-3)
        info = recording.finished_info()
    assert info.fps == pytest.approx(10.0, rel=0.01)
    assert info.video_s == pytest.approx(1.7, abs=0.01)


def test_an_edit_list_cuts_the_start() -> None:
    """What an edit list leaves out is not shown, and time starts where it starts."""
    data = bytearray(make(Clip(audio=None, seconds=3.0)))
    at = data.find(b"elst")
    (ticks,) = struct.unpack(">I", data[(clock := data.find(b"mdhd") + 16) : clock + 4])
    data[at + 12 : at + 20] = struct.pack(">Ii", 2_000, ticks)
    with open_recording(bytes(data), limits=_LIMITS) as recording:
        times = [frame.t_s for frame in recording.frames()]
        info = recording.finished_info()
    assert times == pytest.approx(np.arange(20) / 10, abs=1e-3)
    assert info.duration_s == pytest.approx(2.0, abs=0.01)


def _joined(first: Clip, second: Clip) -> bytes:
    """Two clips in one stream of pictures, each of which stands alone."""
    file = _file(b"")
    with av.open(file, "w", format="matroska") as out:
        stream = None
        for offset, clip in ((0, first), (500, second)):
            with av.open(_file(make(clip))) as source:
                stream = stream or out.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(source.streams.video[0]):
                    if packet.size:
                        packet.stream, packet.pts, packet.dts = stream, packet.pts + offset, packet.dts + offset
                        out.mux(packet)
    return file.getvalue()


def test_a_lower_resolution_does_not_change_the_output() -> None:
    """A sender that lowers its resolution on the way still gives pictures of one size, and is not called turned."""
    large, small = (Clip("mkv", "mjpeg", None, size=size, seconds=0.5) for size in ((128, 96), (64, 48)))
    with open_recording(_joined(large, small), limits=_LIMITS) as recording:
        frames = list(recording.frames())
        info = recording.finished_info()
    assert len(frames) == 10
    assert {frame.rgb.shape for frame in frames} == {(96, 128, 3)}
    assert corners(frames[-1].rgb) == ["red", "green", "white", "blue"]
    assert info.resized_s == ()


@pytest.mark.parametrize(("first", "second"), [((48, 64), (64, 48)), ((64, 48), (48, 64))], ids=["to wide", "to high"])
def test_a_turned_phone_is_fitted_and_not_squeezed(first: tuple[int, int], second: tuple[int, int]) -> None:
    """Pictures of another shape keep their proportions between black bars, thumbnails too, and it is told when they begin."""
    glances: list[np.ndarray] = []
    data = _joined(*(Clip("mkv", "mjpeg", None, size=size, seconds=0.5) for size in (first, second)))
    with open_recording(data, limits=_LIMITS) as recording:
        frames = list(recording.frames(glance=lambda _, thumbnail: glances.append(thumbnail)))
        info = recording.finished_info()
    assert {frame.rgb.shape for frame in frames} == {(first[1], first[0], 3)}
    assert info.resized_s == pytest.approx((0.5,), abs=0.01)
    scale = min(first[0] / second[0], first[1] / second[1])
    width, height = round(second[0] * scale), round(second[1] * scale)
    lit = frames[-1].rgb.max(axis=2) > 20
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    assert (np.ptp(columns) + 1, np.ptp(rows) + 1) == (pytest.approx(width, abs=2), pytest.approx(height, abs=2))
    assert corners(frames[-1].rgb[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]) == ["red", "green", "white", "blue"]
    lit_glance = glances[-1] > 20
    assert lit_glance.any(axis=0).sum() / 32 == pytest.approx(width / first[0], abs=0.07)
    assert lit_glance.any(axis=1).sum() / 32 == pytest.approx(height / first[1], abs=0.07)
    assert (glances[0] > 20).mean() > 0.99


@pytest.mark.parametrize("codec", ["libx264", "libvpx-vp9"])
def test_threads_do_not_change_a_pixel(codec: str) -> None:
    """The same recording gives the same times and pixels whatever the number of decoding threads, and on every reading."""
    data = make(Clip("mkv", codec, None, size=(320, 240), fps=25))
    readings = []
    for threads in (1, 2, 1):
        with open_recording(data, limits=_LIMITS) as recording:
            readings.append([(frame.t_s, zlib.crc32(frame.rgb)) for frame in recording.frames(threads=threads)])
    assert readings[0] == readings[1] == readings[2]
    assert len(readings[0]) == 25


def _file(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)
