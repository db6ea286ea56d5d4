"""What is kept of a recording: the judged streams, to the byte and to the tick, and nothing else."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from cameo_verifier.media import open_recording
from cameo_verifier.media.remux import judged_only
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, make
from tests.unit.media.test_containers import _RECORDINGS

if TYPE_CHECKING:
    from cameo_verifier.types import F32

_LIMITS = MediaLimits()
_SECRET = b"+52.5200+013.4050/"

_OTHERS = [
    Clip(seconds=2, muxer_options=(("movflags", "frag_keyframe+empty_moov"),)),
    Clip(seconds=2, video_from_s=0.4),
    Clip("mov", "libx264", "pcm_s16le", seconds=2, audio_from_s=0.9),
    Clip("webm", "libvpx", "libopus", seconds=2, muxer_options=(("live", "1"),)),
    Clip("mkv", "libx264", "libopus", seconds=2, video_from_s=50_000, audio_from_s=50_000),
    Clip("mkv", "libx264", None),
    Clip("mp3", None, "libmp3lame"),
]


def _decoded(data: bytes) -> tuple[list[tuple[float, bytes]], F32, float]:
    with open_recording(data, limits=_LIMITS) as recording:
        length_s = recording.info.duration_s
        pictures = [(frame.t_s, frame.rgb.tobytes()) for frame in recording.frames()]
        return pictures, recording.sound(), length_s


@pytest.mark.parametrize("clip", [case[0] for case in _RECORDINGS] + _OTHERS, ids=lambda clip: f"{clip.container}-{clip.video}")
def test_what_is_kept_decodes_to_the_same(clip: Clip) -> None:
    """Every container and codec comes out with the same pictures and samples at the same times, and the same way twice."""
    data = make(clip)
    kept = judged_only(data, sound_track=0, limits=_LIMITS)
    assert kept == judged_only(data, sound_track=0, limits=_LIMITS)
    (pictures, sound, length_s), (same_pictures, same_sound, same_length_s) = _decoded(data), _decoded(kept)
    assert same_pictures == pictures
    assert np.array_equal(same_sound, sound)
    assert same_length_s == length_s


def _with_more(container: str = "mp4") -> bytes:
    """Return a recording with a silent track before its own sound, a place, a device and a name in its metadata."""
    file = io.BytesIO()
    codec = "aac" if container == "mp4" else "libopus"
    with (
        av.open(io.BytesIO(make(Clip("mkv", "libx264", codec, seconds=2, amplitude=0.0)))) as silent,
        av.open(io.BytesIO(make(Clip("mkv", "libx264", codec, seconds=2)))) as whole,
        av.open(
            file, "w", format={"mkv": "matroska"}.get(container, container), options={"movflags": "use_metadata_tags"}
        ) as out,
    ):
        out.metadata["location"] = _SECRET.decode()
        out.metadata["com.apple.quicktime.make"] = "Maker of phones"
        out.metadata["title"] = "Ann at home"
        taken = [whole.streams.video[0], silent.streams.audio[0], whole.streams.audio[0]]
        made = [out.add_stream_from_template(stream) for stream in taken]
        packets = []
        for stream, copy in zip(taken, made, strict=True):
            for packet in stream.container.demux(stream):
                if packet.size:
                    packet.dts = packet.pts if packet.dts is None else packet.dts
                    packets.append((packet.dts * packet.time_base, packet, copy))
            stream.container.seek(0)
        for _, packet, copy in sorted(packets, key=lambda item: item[0]):
            packet.stream = copy
            out.mux(packet)
    return file.getvalue()


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_what_was_not_judged_is_not_kept(container: str) -> None:
    """Of two tracks of sound the judged one is kept, and no place, device or name; the received file has all of them."""
    data = _with_more(container)
    assert _SECRET in data
    kept = judged_only(data, sound_track=1, limits=_LIMITS)
    with av.open(io.BytesIO(kept)) as opened:
        assert [stream.type for stream in opened.streams] == ["video", "audio"]
    for word in (_SECRET, b"Maker of phones", b"Ann at home"):
        assert word in data
        assert word not in kept
    with open_recording(data, limits=_LIMITS) as recording, open_recording(kept, limits=_LIMITS) as copy:
        recording.choose_sound(lambda sound: float(np.abs(sound).sum()))
        assert recording.info.sound_track == 1
        assert np.abs(copy.sound()).max() > 0.4
        assert np.array_equal(recording.sound(), copy.sound())


@pytest.mark.parametrize("clip", [Clip(seconds=2), Clip("mkv", "libx264", "flac", seconds=2), Clip("mpegts", "libx264", "aac")])
def test_bytes_that_nothing_refers_to_are_not_kept(clip: Clip) -> None:
    """What was put behind the recording is left out of what is kept, or nothing is kept."""
    hidden = b"a second recording" * 20_000
    kept = judged_only(make(clip) + hidden, sound_track=0, limits=_LIMITS)
    assert hidden[:36] not in kept
    assert len(kept) < len(hidden)


def test_what_cannot_be_written_again_is_kept_only_where_it_holds_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the copy does not come out the same the file is kept as it is, but not with a place or a further track in it."""
    monkeypatch.setattr("cameo_verifier.media.remux._copied", lambda *_: make(Clip(seconds=1)))
    plain, more = make(Clip(seconds=2)), _with_more()
    assert judged_only(plain, sound_track=0, limits=_LIMITS) == plain
    assert judged_only(more, sound_track=1, limits=_LIMITS) == b""


def test_what_cannot_be_read_is_not_kept() -> None:
    """No recording, nothing to keep."""
    assert judged_only(b"no recording" * 50, sound_track=0, limits=_LIMITS) == b""


def test_times_are_exact_fractions() -> None:
    """Clocks that no millisecond divides come out as they were."""
    data = make(Clip(audio=None, times_s=[float(Fraction(n, 7)) for n in range(14)], seconds=2))
    kept = judged_only(data, sound_track=0, limits=_LIMITS)
    assert [t_s for t_s, _ in _decoded(kept)[0]] == [t_s for t_s, _ in _decoded(data)[0]]
