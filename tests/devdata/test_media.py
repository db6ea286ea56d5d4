from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_verifier.media import open_recording
from cameo_verifier.settings import MediaLimits

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.devdata

_LIMITS = MediaLimits()

_RECORDINGS = {
    # container, codecs, shape of an upright picture, frames a second, seconds
    "bonafide/swiz3n.mpg": ("mpeg", "mpeg1video", "mp2", (288, 360), 25.0, 3.0),
    "bonafide/numbers_phone_a.mov": ("mp4", "h264", "aac", (1280, 720), 30.0, 5.8),
    "bonafide/numbers_webcam_b.mp4": ("mp4", "h264", "aac", (360, 640), 31.2, 5.5),
    "bonafide/numbers_webcam_c_5fps.mp4": ("mp4", "h264", "aac", (480, 640), 5.0, 9.8),
    "bonafide/speech_hevc_portrait.mp4": ("mp4", "hevc", "aac", (1280, 720), 25.0, 10.0),
    "bonafide/speech_katiehill.mp4": ("mp4", "mpeg4", "aac", (512, 512), 25.0, 8.0),
    "headturn/p1_live_video.mov": ("mov", "h264", "aac", (480, 360), 25.0, 11.7),
    "replay/phone_replay_b.mp4": ("mp4", "h264", "aac", (720, 480), 29.6, 6.8),
    "deepfake/vasa1_5.mp4": ("mp4", "h264", "aac", (512, 512), 25.0, 15.0),
}


@pytest.mark.parametrize("name", _RECORDINGS)
def test_a_known_recording_measures_as_it_should(devdata: Path, name: str) -> None:
    """Container, codecs, upright size, rate and length of recordings others made come out as their players show them."""
    container, video, audio, shape, fps, length_s = _RECORDINGS[name]
    with open_recording(devdata / name, limits=_LIMITS) as recording:
        frames = [(frame.t_s, frame.rgb.shape) for frame in recording.frames(max_fps=15)]
        sound = recording.sound()
        info = recording.finished_info()
    assert (info.container, info.video_codec, info.audio_codec) == (container, video, audio)
    assert {frame[1] for frame in frames} == {(*shape, 3)}
    assert info.fps == pytest.approx(fps, rel=0.01)
    assert info.duration_s == pytest.approx(length_s, abs=0.06)
    assert len(frames) == pytest.approx(min(15.0, fps) * length_s, rel=0.08)
    assert len(sound) / 16_000 == pytest.approx(length_s, abs=0.4)
    assert np.abs(sound).max() > 0.0


TOO_LONG = "anitalker_aiface1.mp4"
"""31.5 s: read up to the longest recording allowed, and said to be longer."""


@pytest.mark.parametrize("folder", ["bonafide", "headturn", "replay", "deepfake"])
def test_everything_decodes(devdata: Path, folder: str) -> None:
    """Every recording and photo of each kind opens, decodes to its end and keeps within the limits."""
    files = sorted(path for path in (devdata / folder).iterdir() if path.is_file())
    assert len(files) >= 5
    for path in files:
        with open_recording(path, limits=_LIMITS) as recording:
            frames = sum(1 for _ in recording.frames(max_fps=2, max_side_px=320))
            recording.sound()
            info = recording.finished_info()
        assert frames > 0 or path.suffix == ".wav", path.name
        assert info.duration_s <= _LIMITS.max_s or path.name == TOO_LONG, path.name
        assert (info.frames == 1) == (path.suffix == ".jpg"), path.name
