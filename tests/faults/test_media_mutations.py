from __future__ import annotations

import time
from functools import cache

import cv2
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cameo_credential.errors import CameoError
from cameo_verifier.media import open_recording
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, make, picture

_LIMITS = MediaLimits()
_BOUND_S = 60.0
"""A mutated recording of a third of a second takes some 20 ms; this is generous to a busy machine and still far from endless."""

_SOURCES = (
    Clip("mp4", "libx264", "aac", seconds=0.3),
    Clip("mov", "mpeg4", "pcm_s16le", seconds=0.3),
    Clip("mp4", "libx265", "aac", seconds=0.3, muxer_options=(("movflags", "frag_keyframe+empty_moov"),)),
    Clip("webm", "libvpx-vp9", "libopus", seconds=0.3),
    Clip("webm", "libvpx", "vorbis", seconds=0.3),
    Clip("mkv", "libsvtav1", "flac", seconds=0.3),
    Clip("3gp", "h263", "libopencore_amrnb", seconds=0.3, size=(176, 144), rate_hz=8_000, layout="mono"),
    Clip("mpg", "mpeg1video", "mp2", seconds=0.3, fps=25),
    Clip("mpegts", "mpeg2video", "mp2", seconds=0.3, fps=25),
    Clip("mp3", None, "libmp3lame", seconds=0.3),
    Clip("wav", None, "pcm_s16le", seconds=0.3),
)


@cache
def _whole(index: int) -> bytes:
    if index < len(_SOURCES):
        return make(_SOURCES[index])
    extension = (".jpg", ".png", ".webp")[index - len(_SOURCES)]
    return cv2.imencode(extension, picture((64, 48)))[1].tobytes()


_edit = st.tuples(
    st.sampled_from(["flip", "set", "word", "delete", "repeat"]),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 255),
)


def _apply(data: bytes, edits: list[tuple[str, float, int]], *, heads_only: bool) -> bytes:
    changed = bytearray(data)
    for kind, where, value in edits:
        at = int(where * min(len(changed), 1_500 if heads_only else len(changed)))
        if kind == "flip":
            changed[at : at + 1] = bytes(byte ^ (1 << value % 8) for byte in changed[at : at + 1])
        elif kind == "set":
            changed[at : at + 1] = bytes([value])
        elif kind == "word":
            changed[at : at + 4] = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\1")[value % 4]
        elif kind == "delete":
            del changed[at : at + value]
        else:
            changed[at:at] = changed[at : at + value]
    return bytes(changed)


def _read(data: bytes) -> None:
    started = time.monotonic()
    try:
        with open_recording(data, limits=_LIMITS) as recording:
            previous_s = 0.0
            for frame in recording.frames(max_fps=15):
                assert previous_s <= frame.t_s <= _LIMITS.max_s
                assert frame.rgb.dtype == np.uint8
                assert frame.rgb.ndim == 3
                previous_s = frame.t_s
            sound = recording.sound()
            assert len(sound) <= (_LIMITS.max_s + 1) * 16_000
            assert np.isfinite(sound).all()
            assert np.abs(sound).max(initial=0) <= 1
            recording.finished_info()
    except CameoError:
        pass
    assert time.monotonic() - started < _BOUND_S


@settings(max_examples=1_000)
@given(
    index=st.integers(0, len(_SOURCES) + 2),
    edits=st.lists(_edit, min_size=1, max_size=24),
    heads_only=st.booleans(),
    keep=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_any_mutation_is_read_or_refused(
    index: int,
    edits: list[tuple[str, float, int]],
    heads_only: bool,  # noqa: FBT001 - drawn by hypothesis
    keep: float,
) -> None:
    """Whatever is done to the bytes of a recording, it yields pictures and sound in range or our refusal, in bounded time."""
    data = _whole(index)
    _read(_apply(data[: int(keep * len(data))], edits, heads_only=heads_only))


@settings(max_examples=200)
@given(data=st.binary(max_size=512), head=st.sampled_from(range(len(_SOURCES) + 3)), length=st.integers(0, 64))
@example(data=b"", head=0, length=8)
def test_random_bytes_are_read_or_refused(data: bytes, head: int, length: int) -> None:
    """Random bytes, alone or after the first bytes of a real recording, are refused or read like any other."""
    _read(_whole(head)[:length] + data)
