"""Recordings of a few kilobytes that need minutes of work: the cost is bounded before and during decoding."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import av
import pytest

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media import open_recording, require_supported
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, make

if TYPE_CHECKING:
    from collections.abc import Callable

_LIMITS = MediaLimits()
_FRAGMENTS = (("movflags", "frag_keyframe+empty_moov+default_base_moof"),)
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}


def _one_jpeg(side: int) -> bytes:
    """Return a MOV that holds one JPEG."""
    file = io.BytesIO()
    with av.open(file, "w", format="mov") as out:
        stream = out.add_stream("mjpeg", rate=240)
        stream.width = stream.height = side
        stream.pix_fmt = "yuvj420p"
        picture = av.VideoFrame(side, side, "yuvj420p")
        for plane in picture.planes:
            plane.update(b"\x80" * plane.buffer_size)
        picture.pts = 0
        for packet in stream.encode(picture) + stream.encode(None):
            out.mux(packet)
    return file.getvalue()


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def _shown_again(movie: bytes, times: int) -> bytes:
    """Return the MOV with an index of that many samples, each of which is its only picture."""
    start = movie.find(b"moov") - 4
    at = movie.find(b"stsz")
    (size,) = struct.unpack_from(">I", movie, at + 8)
    (place,) = struct.unpack_from(">I", movie, movie.find(b"stco") + 12)
    tables = {
        b"stts": struct.pack(">IIII", 0, 1, times, 64),
        b"stsz": struct.pack(">III", 0, size, times),
        b"stco": struct.pack(">II", 0, times) + struct.pack(">I", place) * times,
    }

    def rebuilt(body: bytes) -> bytes:
        out, here = b"", 0
        while here + 8 <= len(body):
            length, name = struct.unpack_from(">I4s", body, here)
            inner = body[here + 8 : here + length]
            if name == b"mdhd":
                inner = inner[:16] + struct.pack(">I", 64 * times) + inner[20:]
            if name != b"edts":
                out += _box(name, rebuilt(inner) if name in _CONTAINERS else tables.get(name, inner))
            here += length
        return out

    return movie[:start] + rebuilt(movie[start:])


def _fragment_of_the_same_bytes() -> bytes:
    """Return an MP4 in fragments, of which a later one names the bytes of an earlier one."""
    data = bytearray(make(Clip(seconds=2, fps=10, audio=None, gop=10, muxer_options=_FRAGMENTS)))
    runs = [at for at in range(len(data)) if data[at : at + 4] == b"trun"]
    fragments = [at for at in range(len(data)) if data[at : at + 4] == b"moof"]
    assert len(runs) == 2
    (offset,) = struct.unpack_from(">i", data, runs[1] + 12)
    struct.pack_into(">i", data, runs[1] + 12, offset - (fragments[1] - fragments[0]))
    return bytes(data)


@pytest.mark.parametrize("refuse", [require_supported, open_recording])
@pytest.mark.parametrize(
    "recording", [lambda: _shown_again(_one_jpeg(256), 7_200), _fragment_of_the_same_bytes], ids=["index", "fragments"]
)
def test_samples_that_share_their_bytes_are_refused(recording: Callable[[], bytes], refuse: Callable[..., object]) -> None:
    """An index that names one picture thousands of times costs nothing to send and minutes to read; no camera writes one."""
    with pytest.raises(UnjudgeableError, match="names the same bytes more than once") as refusal:
        refuse(recording(), limits=_LIMITS)
    assert refusal.value.reason is Reason.CORRUPT_MEDIA


@pytest.mark.parametrize("refuse", [require_supported, open_recording])
@pytest.mark.parametrize("clip", [Clip(seconds=2), Clip("webm", "libvpx", "libopus", seconds=2), Clip("mpegts", seconds=2)])
def test_more_pixels_than_may_be_decoded_are_refused_by_the_headers(clip: Clip, refuse: Callable[..., object]) -> None:
    """Twenty pictures of 64x48 are 61,440 pixels: one less is too few, and that many are enough."""
    data, pixels = make(clip), 20 * 64 * 48
    refuse(data, limits=_LIMITS.model_copy(update={"max_pixels": pixels}))
    with pytest.raises(UnjudgeableError, match="20 pictures of 64x48 are over the limit of 61439 pixels") as refusal:
        refuse(data, limits=_LIMITS.model_copy(update={"max_pixels": pixels - 1}))
    assert refusal.value.reason is Reason.RECORDING_TOO_COSTLY
    assert refusal.value.reason.hint.startswith("Record with your camera's usual settings")


def test_what_is_past_the_longest_length_costs_nothing() -> None:
    """Only what is decoded counts: of 4 s where 2 s are read at most, half."""
    limits = _LIMITS.model_copy(update={"max_s": 2.0, "max_pixels": 22 * 64 * 48})
    with open_recording(make(Clip(seconds=4)), limits=limits) as recording:
        list(recording.frames())
        assert recording.finished_info().duration_s == pytest.approx(4.0, abs=0.2)


def test_pictures_that_stand_for_themselves_are_all_decoded() -> None:
    """Of 50 a second in JPEG all are looked at where 15 are analysed: a picture that stands still must not hide between them."""
    data = make(Clip("mkv", "mjpeg", seconds=2, fps=50))
    every = _LIMITS.model_copy(update={"max_pixels": 100 * 64 * 48})
    glances: list[float] = []
    with open_recording(data, limits=every) as recording:
        chosen = list(recording.frames(max_fps=15, glance=lambda t_s, _: glances.append(t_s)))
    assert (len(chosen), len(glances)) == (30, 100)
    fewer = _LIMITS.model_copy(update={"max_pixels": 99 * 64 * 48})
    with open_recording(data, limits=fewer) as recording, pytest.raises(UnjudgeableError) as refusal:
        list(recording.frames(max_fps=15))
    assert refusal.value.reason is Reason.RECORDING_TOO_COSTLY


@pytest.mark.parametrize(
    "read", [lambda recording: list(recording.frames()), lambda recording: recording.sound()], ids=["picture", "sound"]
)
def test_more_processor_time_than_may_be_spent_is_refused(read: Callable[..., object]) -> None:
    """However few its pixels: what takes longer than the site allows is given up while it is decoded."""
    with (
        open_recording(make(Clip(seconds=1)), limits=_LIMITS.model_copy(update={"max_cpu_s": 1e-9})) as recording,
        pytest.raises(UnjudgeableError, match="s of a processor: record at a lower resolution") as refusal,
    ):
        read(recording)
    assert refusal.value.reason is Reason.RECORDING_TOO_COSTLY
