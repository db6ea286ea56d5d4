"""How long a recording is and when it starts, whatever its container declares."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from cameo_verifier.media import open_recording
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, make

_LIMITS = MediaLimits()
_SLICES = (("live", "1"),)
"""What a browser's MediaRecorder writes slice by slice: no length, no index, nothing that needs a look back."""
_DURATION = b"\x44\x89\x88"
"""Matroska's Duration, a float of 8 bytes."""


def _declaring(data: bytes, length_ms: float) -> bytes:
    at = data.index(_DURATION) + len(_DURATION)
    return data[:at] + struct.pack(">d", length_ms) + data[at + 8 :]


@pytest.mark.parametrize("container", ["webm", "mkv"])
def test_a_recording_without_a_length_is_no_pile_of_stills(container: str) -> None:
    """A recording whose container declares no length has that of its packets, before anything is decoded, and is no still."""
    whole = make(Clip(container, "libvpx", "libopus", seconds=3))
    sliced = make(Clip(container, "libvpx", "libopus", seconds=3, muxer_options=_SLICES))
    assert _DURATION in whole
    assert _DURATION not in sliced
    with open_recording(whole, limits=_LIMITS) as declared, open_recording(sliced, limits=_LIMITS) as recording:
        assert not recording.still
        assert recording.info.duration_s == pytest.approx(3.0, abs=0.03)
        assert recording.info.duration_s == pytest.approx(declared.info.duration_s, abs=0.002)
        same = [frame.t_s for frame in declared.frames()] == [frame.t_s for frame in recording.frames()]
    assert same


@pytest.mark.parametrize("declared_s", [0.001, 0.5, 29.0, 86_400.0, float("nan"), float("inf"), -5.0])
def test_a_declared_length_is_not_believed(declared_s: float) -> None:
    """Whatever length is declared, that of the packets is told, and what is decoded is the same."""
    data = make(Clip("mkv", "libx264", "libopus", seconds=3))
    with (
        open_recording(data, limits=_LIMITS) as honest,
        open_recording(_declaring(data, 1e3 * declared_s), limits=_LIMITS) as lied,
    ):
        assert lied.info.duration_s == honest.info.duration_s
        assert [frame.t_s for frame in lied.frames()] == [frame.t_s for frame in honest.frames()]
        assert np.array_equal(lied.sound(), honest.sound())
        assert lied.finished_info().duration_s == honest.finished_info().duration_s


@pytest.mark.parametrize("box", [b"mvhd", b"mdhd", b"tkhd"])
def test_an_mp4_that_declares_ten_times_its_length_is_not_cut_short(box: bytes) -> None:
    """A length in the headers of an MP4 that its samples do not reach is a claim, not a loss."""
    data = bytearray(make(Clip(seconds=3)))
    at = data.index(box) + (24 if box == b"tkhd" else 20)
    (ticks,) = struct.unpack_from(">I", data, at)
    struct.pack_into(">I", data, at, 10 * ticks)
    with open_recording(bytes(data), limits=_LIMITS) as recording:
        assert recording.info.duration_s == pytest.approx(3.0, abs=0.05)
        assert len(list(recording.frames())) == 30
        assert recording.finished_info().duration_s == pytest.approx(3.0, abs=0.05)


def test_a_clock_that_starts_late_does_not_make_a_recording_long() -> None:
    """A recording cut out of a running stream, whose times begin at 50,000 s, is as long as it is."""
    data = make(Clip("mkv", "libx264", "libopus", seconds=3, video_from_s=50_000, audio_from_s=50_000))
    with open_recording(data, limits=_LIMITS) as recording:
        assert recording.info.duration_s == pytest.approx(3.0, abs=0.03)
        assert next(iter(recording.frames())).t_s == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize(("video_from_s", "audio_from_s"), [(0.0, 0.9), (1.0, 0.0)])
def test_when_each_medium_starts_is_told(video_from_s: float, audio_from_s: float) -> None:
    """A late camera or microphone leaves both lengths as they are and is told by its start."""
    data = make(Clip(seconds=3, video_from_s=video_from_s, audio_from_s=audio_from_s))
    with open_recording(data, limits=_LIMITS) as recording:
        list(recording.frames())
        recording.sound()
        info = recording.finished_info()
    assert (info.video_from_s, info.audio_from_s) == (
        pytest.approx(video_from_s, abs=0.03),
        pytest.approx(audio_from_s, abs=0.03),
    )
    assert (info.video_s, info.audio_s) == (pytest.approx(3.0, abs=0.05), pytest.approx(3.0, abs=0.05))
