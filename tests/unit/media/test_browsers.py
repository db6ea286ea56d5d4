"""What the recorders of real browsers write, with and without slices."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import fixtures.browsers
from cameo_verifier.media import open_recording
from cameo_verifier.media.remux import judged_only
from cameo_verifier.settings import MediaLimits

_LIMITS = MediaLimits()
_FOLDER = Path(fixtures.browsers.__file__).parent
_RECORDINGS = tomllib.loads((_FOLDER / "manifest.toml").read_text("utf-8"))["recording"]


@pytest.mark.parametrize("entry", _RECORDINGS, ids=lambda entry: entry["file"])
def test_what_a_browser_records_is_a_whole_recording_of_its_length(entry: dict[str, Any]) -> None:
    """Declared or not, the length is that of the pictures and the sound; it is no still, and nothing in it is damaged."""
    data = (_FOLDER / entry["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    with open_recording(data, limits=_LIMITS) as recording:
        assert not recording.still
        told_s = recording.info.duration_s
        frames = list(recording.frames(max_fps=15))
        recording.sound()
        info = recording.finished_info()
    assert told_s == pytest.approx(4.0, abs=0.3)
    assert info.duration_s == pytest.approx(told_s, abs=0.1)
    assert {frame.rgb.shape for frame in frames} == {(240, 320, 3)}
    assert len(frames) > 45
    assert abs(info.video_from_s - info.audio_from_s) < 0.5
    assert (info.damaged_s, info.lost_s, info.resized_s) == ((), 0.0, ())
    assert info.broken <= 2


def test_some_declare_no_length() -> None:
    """Among the files are some of each browser whose container declares no length, which is what they are here for."""
    undeclared = set()
    for entry in _RECORDINGS:
        with av.open(str(_FOLDER / entry["file"])) as opened:
            undeclared |= {entry["browser"].split()[0]} if opened.duration is None else set()
    assert undeclared == {"Chromium", "Mozilla"}


@pytest.mark.parametrize("entry", _RECORDINGS, ids=lambda entry: entry["file"])
def test_what_is_kept_of_it_decodes_to_the_same(entry: dict[str, Any]) -> None:
    """The evidence that is kept of a browser's recording gives the same pictures and samples at the same times."""
    data = (_FOLDER / entry["file"]).read_bytes()
    kept = judged_only(data, sound_track=0, limits=_LIMITS)
    with open_recording(data, limits=_LIMITS) as received, open_recording(kept, limits=_LIMITS) as copy:
        assert copy.info.duration_s == received.info.duration_s
        for one, other in zip(received.frames(), copy.frames(), strict=True):
            assert one.t_s == other.t_s
            assert np.array_equal(one.rgb, other.rgb)
        assert np.array_equal(received.sound(), copy.sound())
