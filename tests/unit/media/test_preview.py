"""Previews: what a browser plays of recordings that it does not."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media import open_recording
from cameo_verifier.media.preview import preview
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, corners, make

if TYPE_CHECKING:
    from cameo_verifier.types import F32

_LIMITS = MediaLimits()
_UPRIGHT = ["red", "green", "white", "blue"]


def shown(webm: bytes) -> tuple[list[float], np.ndarray, F32]:
    """Return the times and the first picture of a preview, and its sound at 48 kHz."""
    with av.open(io.BytesIO(webm)) as opened:
        assert opened.format.name == "matroska,webm"
        assert opened.duration is not None, "without a length nobody can move through it"
        assert {stream.codec_context.name for stream in opened.streams} <= {"vp8", "opus", "libopus"}
        pictures = [frame for packet in opened.demux(video=0) for frame in packet.decode()] if opened.streams.video else []
    with av.open(io.BytesIO(webm)) as opened:
        sounds = [frame.to_ndarray()[0] for frame in opened.decode(audio=0)] if opened.streams.audio else []
    first = pictures[0].to_ndarray(format="rgb24") if pictures else np.zeros((0, 0, 3), np.uint8)
    return [float(each.time) for each in pictures], first, np.concatenate(sounds) if sounds else np.zeros(0, np.float32)


@pytest.mark.parametrize(
    ("container", "video", "audio"),
    [
        ("mp4", "libx265", "aac"),
        ("mov", "libx265", "aac"),
        ("mp4", "mpeg4", "aac"),
        ("mpg", "mpeg1video", "mp2"),
        ("mpg", "mpeg2video", "mp2"),
        ("mpegts", "mpeg2video", "mp2"),
        ("mov", "mjpeg", "pcm_s16le"),
        ("mkv", "libx264", "aac"),
        ("mp4", "libx265", None),
    ],
)
def test_what_no_browser_plays_comes_out_as_vp8_and_opus(container: str, video: str, audio: str | None) -> None:
    """Every picture at its time, upright and as large as it was, and the sound beside it."""
    clip = make(Clip(container=container, video=video, audio=audio, fps=25, size=(96, 64)))
    with open_recording(clip, limits=_LIMITS) as recording:
        expected = [frame.t_s for frame in recording.frames()]
    times, first, sound = shown(preview(clip, limits=_LIMITS))
    assert np.allclose(times, expected, atol=0.001)
    assert (first.shape, corners(first)) == ((64, 96, 3), _UPRIGHT)
    assert bool(sound.size) == (audio is not None)


def test_a_recording_held_sideways_stands_upright() -> None:
    """Its pictures are turned, so that no browser need know how."""
    data = bytearray(make(Clip(video="libx265", size=(96, 64))))
    at = data.find(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    _, first, _ = shown(preview(bytes(data), limits=_LIMITS))
    assert (first.shape, corners(first)) == ((96, 64, 3), ["blue", "red", "green", "white"])


def test_pictures_and_sound_stay_where_they_were() -> None:
    """Uneven times are kept, and a tone begins when it began, to a fiftieth of a second."""
    uneven = (0.0, 0.1, 0.5, 0.54, 1.3, 1.9)
    clip = make(Clip(video="libx265", seconds=2.0, times_s=uneven, tone_from_s=1.0))
    times, _, sound = shown(preview(clip, limits=_LIMITS))
    assert np.allclose(times, uneven, atol=0.001)
    assert abs(np.flatnonzero(np.abs(sound) > 0.1)[0] / 48_000 - 1.0) < 0.02


def test_fast_recordings_are_thinned_and_large_ones_shrunk() -> None:
    """30 pictures a second of 1,280 px are enough to look at."""
    times, first, _ = shown(preview(make(Clip(video="libx265", fps=60, size=(1600, 900), seconds=0.5)), limits=_LIMITS))
    assert first.shape == (720, 1280, 3)
    assert len(times) == 15


def test_a_preview_is_bounded_in_length_and_size() -> None:
    """What is longer than recordings may be is left out, and so is what would make it too large."""
    clip = make(Clip(video="libx265", seconds=4.0, size=(320, 240)))
    times, _, _ = shown(preview(clip, limits=_LIMITS.model_copy(update={"max_s": 2.0})))
    assert times[-1] == pytest.approx(2.0, abs=0.11)
    assert len(shown(preview(clip, limits=_LIMITS, max_bytes=5_000))[0]) < len(shown(preview(clip, limits=_LIMITS))[0])


def test_what_can_be_read_of_a_damaged_recording_is_shown() -> None:
    """Pictures that follow one another to where nothing decodes any more."""
    whole = make(Clip(container="mpegts", video="mpeg2video", audio=None, seconds=4.0, size=(320, 240)))
    times, _, _ = shown(preview(whole[: len(whole) // 2] + bytes(len(whole) // 2), limits=_LIMITS))
    assert times
    assert 1.0 < times[-1] < 3.0


def test_sound_alone_and_a_photograph_can_be_looked_at() -> None:
    """One without pictures is heard, and a single picture is seen."""
    times, _, sound = shown(preview(make(Clip(video=None)), limits=_LIMITS))
    assert times == []
    assert sound.size
    still = make(Clip(video="mpeg4", audio=None, times_s=(0.0,)))
    assert shown(preview(still, limits=_LIMITS))[0] == [0.0]


def test_what_is_no_recording_has_no_preview() -> None:
    """The message says so."""
    with pytest.raises(UnjudgeableError, match="no recording"):
        preview(b"not a recording at all" * 50, limits=_LIMITS)
