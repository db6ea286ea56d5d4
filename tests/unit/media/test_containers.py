from __future__ import annotations

import numpy as np
import pytest

from cameo_verifier.media import open_recording
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, corners, make

_SLOW_VOICE = {"rate_hz": 8_000, "layout": "mono"}

_RECORDINGS = [
    (Clip("mp4", "libx264", "aac"), "mp4", "h264", "aac"),
    (Clip("mp4", "libx265", "aac"), "mp4", "hevc", "aac"),
    (Clip("mp4", "libsvtav1", "libopus"), "mp4", "av1", "opus"),
    (Clip("mp4", "mpeg4", "libmp3lame"), "mp4", "mpeg4", "mp3"),
    (Clip("mov", "libx264", "pcm_s16le"), "mov", "h264", "pcm_s16le"),
    (Clip("webm", "libvpx", "libopus"), "webm", "vp8", "opus"),
    (Clip("webm", "libvpx-vp9", "vorbis"), "webm", "vp9", "vorbis"),
    (Clip("mkv", "libsvtav1", "libopus"), "mkv", "av1", "opus"),
    (Clip("mkv", "libx264", "flac"), "mkv", "h264", "flac"),
    (Clip("3gp", "h263", "libopencore_amrnb", size=(176, 144), **_SLOW_VOICE), "3gp", "h263", "amr_nb"),
    (Clip("3gp", "mpeg4", "aac"), "3gp", "mpeg4", "aac"),
    (Clip("mpg", "mpeg1video", "mp2", fps=25), "mpeg", "mpeg1video", "mp2"),
    (Clip("mpg", "mpeg2video", "libmp3lame", fps=25), "mpeg", "mpeg2video", "mp3"),
    (Clip("mpegts", "libx264", "aac"), "mpegts", "h264", "aac"),
]

_SOUNDS = [
    (Clip("wav", None, "pcm_s16le"), "wav", "pcm_s16le"),
    (Clip("mp3", None, "libmp3lame"), "mp3", "mp3"),
    (Clip("ogg", None, "libopus"), "ogg", "opus"),
    (Clip("flac", None, "flac"), "flac", "flac"),
    (Clip("adts", None, "aac"), "aac", "aac"),
    (Clip("ipod", None, "aac"), "m4a", "aac"),
    (Clip("amr", None, "libopencore_amrnb", **_SLOW_VOICE), "amr", "amr_nb"),
]


@pytest.mark.parametrize(("clip", "container", "video", "audio"), _RECORDINGS, ids=lambda x: getattr(x, "container", x))
def test_every_container_and_codec_decodes(clip: Clip, container: str, video: str, audio: str) -> None:
    """Each container and codec we promise yields every picture, upright and in order, and the sound, and is named as it is."""
    with open_recording(make(clip), limits=MediaLimits()) as recording:
        frames = list(recording.frames())
        sound = recording.sound()
        info = recording.finished_info()

    assert (info.container, info.video_codec, info.audio_codec) == (container, video, audio)
    assert (info.width, info.height) == clip.size
    assert (info.frames, len(frames)) == (clip.fps, clip.fps)
    assert info.fps == pytest.approx(clip.fps, rel=0.02)
    assert info.video_s == pytest.approx(1.0, abs=0.05)
    assert info.audio_s == pytest.approx(1.0, abs=0.06)
    assert info.duration_s == pytest.approx(1.0, abs=0.08)
    for frame in frames:
        assert frame.rgb.shape == (clip.size[1], clip.size[0], 3)
        assert frame.rgb.dtype == np.uint8
        assert frame.rgb.flags.c_contiguous
        assert corners(frame.rgb) == ["red", "green", "white", "blue"]
    steps = np.diff([frame.t_s for frame in frames])
    assert steps == pytest.approx(np.full(len(steps), 1 / clip.fps), abs=0.005)
    assert sound.dtype == np.float32
    assert np.abs(sound[4_000:12_000]).max() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize(("clip", "container", "codec"), _SOUNDS, ids=lambda x: getattr(x, "container", x))
def test_sound_alone_opens(clip: Clip, container: str, codec: str) -> None:
    """A sound file yields its sound, no pictures, and zeros where the measures of pictures would stand."""
    with open_recording(make(clip), limits=MediaLimits()) as recording:
        assert list(recording.frames()) == []
        sound = recording.sound()
        info = recording.finished_info()

    assert (info.container, info.audio_codec, info.video_codec) == (container, codec, "")
    assert (info.frames, info.fps, info.video_s, info.width) == (0, 0.0, 0.0, 0)
    assert info.sample_rate_hz == clip.rate_hz
    assert len(sound) / 16_000 == pytest.approx(1.0, abs=0.06)
    assert info.duration_s == pytest.approx(len(sound) / 16_000)


def test_cover_art_is_no_picture() -> None:
    """The picture on the cover of a sound file is not taken for a recording of a person."""
    data = make(Clip("mp3", "mjpeg", "libmp3lame", times_s=[0.0]))
    with open_recording(data, limits=MediaLimits()) as recording:
        assert list(recording.frames()) == []
        assert recording.finished_info().video_codec == ""
        assert len(recording.sound()) > 15_000


def test_headers_are_told_before_anything_is_decoded() -> None:
    """The container, codecs, size, digest and declared length are known as soon as a recording is open."""
    data = make(Clip(seconds=1.0))
    with open_recording(data, limits=MediaLimits()) as recording:
        info = recording.info
    assert (info.container, info.video_codec, info.audio_codec) == ("mp4", "h264", "aac")
    assert (info.width, info.height, info.size_bytes) == (64, 48, len(data))
    assert info.duration_s == pytest.approx(1.0, abs=0.03)
    assert len(info.sha256) == 64


def test_a_path_reads_as_its_bytes_do(tmp_path: object) -> None:
    """A recording named by its path gives the same headers as the bytes in it."""
    data = make(Clip(seconds=0.3))
    path = tmp_path / "clip.bin"  # type: ignore[operator]
    path.write_bytes(data)
    with open_recording(path, limits=MediaLimits()) as by_path, open_recording(data, limits=MediaLimits()) as by_bytes:
        assert by_path.info == by_bytes.info


def test_measures_need_the_pictures_read_to_their_end() -> None:
    """Asking for measures of pictures that were not all read is a mistake of ours, and says so."""
    with open_recording(make(Clip(audio=None)), limits=MediaLimits()) as recording:
        next(iter(recording.frames()))
        with pytest.raises(RuntimeError, match="to their end"):
            recording.finished_info()
