from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media import open_recording
from cameo_verifier.reasons import Kind, Reason
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, make

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import F32, Frame, MediaInfo

_LIMITS = MediaLimits()
_FAST_START = (("movflags", "faststart"),)
_FRAGMENTS = (("movflags", "frag_keyframe+empty_moov"),)
_LIVE = (("live", "1"),)


def _read(data: bytes, limits: MediaLimits = _LIMITS) -> tuple[list[Frame], F32, MediaInfo]:
    with open_recording(data, limits=limits) as recording:
        frames = list(recording.frames(max_fps=15))
        return frames, recording.sound(), recording.finished_info()


def _refusal(data: bytes) -> UnjudgeableError:
    with pytest.raises(UnjudgeableError) as refusal:
        _read(data)
    assert refusal.value.reason is Reason.CORRUPT_MEDIA or refusal.value.reason.kind is Kind.UNREADABLE
    return refusal.value


@pytest.fixture(scope="module")
def clip() -> bytes:
    """Three seconds of MP4 with its index at the end."""
    return make(Clip(seconds=3, fps=25))


def test_an_empty_file() -> None:
    """No bytes at all are a recording that got lost, and the person is asked for another."""
    error = _refusal(b"")
    assert error.reason is Reason.CORRUPT_MEDIA
    assert "empty (0 bytes): record and send it again" in str(error)


@pytest.mark.parametrize(
    "data", [b"this is a text, renamed\n" * 50, b"\x00", bytes(4_096), b"PK\x03\x04" + bytes(99), b"%PDF-1.7\n" + bytes(99)]
)
def test_what_is_no_recording(data: bytes) -> None:
    """Text, zeros, an archive or a document under the name of a recording is told by its bytes, with what to send instead."""
    error = _refusal(data)
    assert error.reason is Reason.UNSUPPORTED_MEDIA
    assert "send an MP4, MOV, WebM, MKV, 3GP or MPEG recording" in str(error)


def test_a_missing_file(tmp_path: Path) -> None:
    """A path that leads nowhere is the caller's mistake, not a bad recording."""
    with pytest.raises(InvalidRequestError, match="give the path of a recording"):
        open_recording(tmp_path / "none.mp4", limits=_LIMITS)


def test_17_mib(tmp_path: Path) -> None:
    """A file over the limit is refused by its size, unread, whether it comes as bytes or as a path."""
    path = tmp_path / "large.mp4"
    path.write_bytes(bytes(17 * 2**20))
    for data in (path, path.read_bytes()):
        with pytest.raises(UnjudgeableError, match=r"17\.0 MiB, over the limit of 16 MiB: record at a lower") as refusal:
            open_recording(data, limits=_LIMITS)
        assert refusal.value.reason is Reason.RECORDING_TOO_LARGE


def test_an_mp4_cut_in_half_before_its_index(clip: bytes) -> None:
    """Half an MP4 whose index was to come last cannot be read at all."""
    error = _refusal(clip[: len(clip) // 2])
    assert error.reason is Reason.CORRUPT_MEDIA
    assert "its headers cannot be read" in str(error)


@pytest.mark.parametrize("cut", [0.5, 0.9, -1])
def test_an_mp4_cut_after_its_index(cut: float) -> None:
    """An MP4 whose index lists more than the file holds is refused before decoding, even if only the last byte is missing."""
    whole = make(Clip(seconds=3, fps=25, muxer_options=_FAST_START))
    assert len(_read(whole)[0]) == 45
    with pytest.raises(UnjudgeableError, match="its index lists samples beyond its end") as refusal:
        open_recording(whole[: int(cut * len(whole)) if cut > 0 else -1], limits=_LIMITS)
    assert refusal.value.reason is Reason.CORRUPT_MEDIA


@pytest.mark.parametrize(
    ("shape", "video", "audio", "options"),
    [("webm", "libvpx", "libopus", _LIVE), ("mkv", "libx264", "aac", _LIVE), ("mpegts", "libx264", "aac", {})],
)
def test_a_stream_cut_in_half_is_judged_as_far_as_it_goes(shape: str, video: str, audio: str, options: dict[str, str]) -> None:
    """What is streamed while it is recorded does not know its length, so half of it is a shorter recording, measured as such."""
    whole = make(Clip(shape, video, audio, seconds=3, fps=25, muxer_options=options))
    frames, sound, info = _read(whole[: len(whole) // 2])
    assert 1.0 < info.duration_s < 2.5
    assert info.frames == pytest.approx(25 * info.video_s, abs=2)
    assert frames[-1].t_s < info.duration_s
    assert len(sound) / 16_000 == pytest.approx(info.video_s, abs=0.3)


@pytest.mark.parametrize("cut", [0.5, 0.9, -1])
@pytest.mark.parametrize(("shape", "video", "audio"), [("webm", "libvpx", "libopus"), ("mkv", "libx264", "aac")])
def test_a_file_that_says_how_long_it_is_cannot_be_cut(shape: str, video: str, audio: str, cut: float) -> None:
    """Matroska and WebM files that were closed know their length: one that arrives in part is refused before decoding."""
    whole = make(Clip(shape, video, audio, seconds=3, fps=25))
    assert _read(whole)[0]
    with pytest.raises(UnjudgeableError, match=r"incomplete \(\d+ of \d+ bytes\)") as refusal:
        open_recording(whole[: int(cut * len(whole)) if cut > 0 else -1], limits=_LIMITS)
    assert refusal.value.reason is Reason.CORRUPT_MEDIA


def test_pictures_that_do_not_decode(clip: bytes) -> None:
    """An intact index over overwritten media data is found out while decoding."""
    at = clip.find(b"mdat") + 8
    noise = np.random.default_rng(0).integers(0, 256, len(clip), np.uint8).tobytes()
    error = _refusal(clip[: at + 2_000] + noise[: len(clip) // 2] + clip[at + 2_000 + len(clip) // 2 :])
    assert error.reason is Reason.CORRUPT_MEDIA
    assert "record and send it again" in str(error)


def test_sound_only() -> None:
    """An MP4 without picture is no error here: it has no frames, and its sound can still be judged."""
    frames, sound, info = _read(make(Clip(video=None)))
    assert (frames, info.frames, info.video_codec) == ([], 0, "")
    assert len(sound) == pytest.approx(16_000, abs=400)


def test_picture_only() -> None:
    """An MP4 without sound is no error here either."""
    frames, sound, info = _read(make(Clip(audio=None)))
    assert len(frames) == 10
    assert (len(sound), info.audio_codec, info.audio_s) == (0, "", 0.0)


def test_a_track_without_samples() -> None:
    """A track that was declared and never filled counts as absent."""
    frames, sound, info = _read(make(Clip(times_s=[])))
    assert (frames, info.frames) == ([], 0)
    assert len(sound) > 15_000


@pytest.mark.parametrize(
    "clip",
    [
        Clip(seconds=40, fps=10),
        Clip("webm", "libvpx", "libopus", seconds=40, fps=10),
        Clip("webm", "libvpx", "libopus", seconds=40, fps=10, muxer_options=_LIVE),
        Clip(seconds=40, fps=10, muxer_options=_FRAGMENTS),
    ],
    ids=["mp4", "webm", "webm without a length", "fragments"],
)
def test_40_s_costs_no_more_than_the_limit(clip: Clip) -> None:
    """Decoding stops at the limit, and the length told is the declared one, or where none is declared one over the limit."""
    frames, sound, info = _read(make(clip))
    assert len(frames) <= 301
    assert info.frames <= 302
    assert len(sound) <= 30.6 * 16_000
    assert info.duration_s > 30.0
    if not clip.muxer_options:
        assert info.duration_s == pytest.approx(40.0, abs=0.1)


def test_40_s_of_sound() -> None:
    """A sound file over the limit is read to just past the limit and tells its whole length."""
    _, sound, info = _read(make(Clip("wav", None, "pcm_s16le", seconds=40, rate_hz=8_000, layout="mono")))
    assert 30.0 < len(sound) / 16_000 <= 30.6
    assert info.duration_s == pytest.approx(40.0, abs=0.1)


def test_2_fps() -> None:
    """A slide show decodes; its rate is measured for a check to judge."""
    frames, _, info = _read(make(Clip(seconds=6, fps=2)))
    assert len(frames) == 12
    assert info.fps == pytest.approx(2.0)


@pytest.mark.parametrize("times_s", [[0.0], []])
def test_hardly_any_pictures(times_s: list[float]) -> None:
    """One picture has no rate and no pictures no length; neither is divided by."""
    _, _, info = _read(make(Clip("mkv", times_s=times_s)))
    assert (info.frames, info.fps, info.video_s) == (len(times_s), 0.0, 0.0)


def _flat(codec: str, pix_fmt: str, size: tuple[int, int], container: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=10, options={"preset": "ultrafast"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        frame = av.VideoFrame(*size, pix_fmt)
        for plane in frame.planes:
            plane.update(b"\x80" * plane.buffer_size)
        frame.pts = 0
        for packet in stream.encode(frame) + stream.encode(None):
            out.mux(packet)
    return file.getvalue()


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "container"),
    [("libx264", "yuv420p", "mp4"), ("mjpeg", "yuvj420p", "matroska"), ("mpeg4", "yuv420p", "mp4")],
)
def test_a_bomb_of_8192_by_8192(codec: str, pix_fmt: str, container: str) -> None:
    """A small file of enormous pictures is refused from its headers, before one of them takes up 200 MB."""
    side = 8_191 if codec == "mpeg4" else 8_192
    data = _flat(codec, pix_fmt, (side, side), container)
    with pytest.raises(UnjudgeableError, match=f"{side}x{side} are over the limit of 4096 px.*lower resolution") as refusal:
        open_recording(data, limits=_LIMITS)
    assert refusal.value.reason is Reason.PICTURE_TOO_LARGE


def test_a_wide_picture_of_allowed_area_is_refused() -> None:
    """The limit is on each side, not on the area."""
    data = _flat("libx264", "yuv420p", (8_192, 64), "mp4")
    with pytest.raises(UnjudgeableError, match="8192x64") as refusal:
        open_recording(data, limits=_LIMITS)
    assert refusal.value.reason is Reason.PICTURE_TOO_LARGE


@pytest.mark.parametrize("first_honest", [0, 1])
def test_a_bomb_behind_modest_headers(first_honest: int) -> None:
    """Pictures that turn out enormous while decoding, at once or later, are never allocated."""
    data = bytearray(make(Clip("webm", "libvpx", None, gop=3)))
    at, keyframes = -1, 0
    while (at := data.find(b"\x9d\x01\x2a", at + 1)) >= 0:  # the start code of a VP8 key frame, then width and height
        if keyframes >= first_honest:
            data[at + 3 : at + 7] = struct.pack("<HH", 8_192, 8_192)
        keyframes += 1
    assert keyframes > 2
    error = _refusal(bytes(data))
    assert error.reason in {Reason.CORRUPT_MEDIA, Reason.PICTURE_TOO_LARGE}


def test_tables_that_claim_more_than_the_file_holds(clip: bytes) -> None:
    """Sample tables of a few bytes that claim 50 million samples are refused before FFmpeg makes an index of 3.6 GB of them."""
    data = bytearray(clip)
    at = data.find(b"stsz")
    data[at + 8 : at + 16] = struct.pack(">II", 1, 50_000_000)
    error = _refusal(bytes(data))
    assert error.reason is Reason.CORRUPT_MEDIA
    assert "an index of too many samples" in str(error)


def test_fragments_that_claim_more_than_the_file_holds() -> None:
    """The same in the table of a movie fragment, which lists samples of a default size without spending a byte on each."""
    data = bytearray(make(Clip(seconds=1, fps=25, muxer_options=_FRAGMENTS)))
    at = data.find(b"trun")
    data[at + 4 : at + 12] = struct.pack(">II", 1, 10_000_000)
    error = _refusal(bytes(data))
    assert "fragments of too many samples" in str(error)


def test_an_endless_edit_list(clip: bytes) -> None:
    """An edit list that repeats the recording a thousand times is refused."""
    data = bytearray(clip)
    at = data.find(b"elst")
    data[at + 8 : at + 12] = struct.pack(">I", 1_000)
    assert "too many edits" in str(_refusal(bytes(data)))


def test_a_codec_that_is_not_read() -> None:
    """A recording in a codec outside the list is named with the codecs to use instead."""
    error = _refusal(make(Clip("mkv", "ffv1", None, seconds=0.2)))
    assert error.reason is Reason.UNSUPPORTED_MEDIA
    assert "ffv1, which is not read: record with H.264 and AAC" in str(error)


def test_nothing_is_written_to_stderr(clip: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """FFmpeg does not complain past us about the files it is given."""
    for data in (clip[: len(clip) // 2], clip[:-1], clip[:3_000] + bytes(3_000) + clip[6_000:]):
        try:
            _read(data)
        except UnjudgeableError:
            continue
    assert capfd.readouterr() == ("", "")
