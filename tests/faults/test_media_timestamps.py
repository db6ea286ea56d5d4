from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av
import pytest

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media import open_recording
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, make

if TYPE_CHECKING:
    from collections.abc import Callable

_LIMITS = MediaLimits()


def _retimed(change: Callable[[int], int], container: str = "matroska", codec: str = "mjpeg") -> bytes:
    """A second of ten pictures whose times, in ms, were changed on the way. Each picture stands alone, so any order decodes."""
    file = io.BytesIO()
    with av.open(io.BytesIO(make(Clip("mkv", codec, None)))) as whole, av.open(file, "w", format=container) as out:
        stream = out.add_stream_from_template(whole.streams.video[0])
        for number, packet in enumerate(p for p in whole.demux() if p.size):
            packet.stream = stream
            packet.dts, packet.pts = number, change(packet.pts) + 1_000
            out.mux(packet)
    return file.getvalue()


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_a_leap_forward_ends_the_recording(container: str) -> None:
    """A picture an hour ahead makes the recording an hour long: too long, and nothing past it is decoded."""
    data = make(Clip(container, audio=None, times_s=[0, 0.1, 0.2, 0.3, 5_000, 5_000.1]))
    with open_recording(data, limits=_LIMITS) as recording:
        assert [frame.t_s for frame in recording.frames()] == pytest.approx([0, 0.1, 0.2, 0.3], abs=1e-3)
        assert recording.finished_info().duration_s > 4_999


def test_sound_that_starts_an_hour_late_is_not_padded_for_an_hour() -> None:
    """Silence is only put before sound as far as the limit goes."""
    data = make(Clip("mkv", audio_from_s=3_600))
    with open_recording(data, limits=_LIMITS) as recording:
        list(recording.frames())
        assert len(recording.sound()) <= 30.6 * 16_000


def test_late_and_negative_starts_begin_at_zero() -> None:
    """Wherever a container's clock starts, the first picture is at the start of the recording."""
    for start_s in (-0.5, 100.0, 90_000.0):
        with open_recording(make(Clip("mkv", audio=None, video_from_s=start_s)), limits=_LIMITS) as recording:
            times = [frame.t_s for frame in recording.frames()]
            assert times == pytest.approx([n / 10 for n in range(10)], abs=2e-3)
            assert recording.finished_info().duration_s == pytest.approx(1.0, abs=0.01)


def test_one_picture_out_of_order_is_left_out() -> None:
    """A single picture whose time runs backwards is dropped, so that times only ever rise."""
    with open_recording(_retimed(lambda pts: 150 if pts == 500 else pts), limits=_LIMITS) as recording:
        times = [frame.t_s for frame in recording.frames()]
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9], abs=1e-3)


def test_times_that_run_backwards_throughout_are_damage() -> None:
    """A recording played from its end is refused."""
    with (
        open_recording(_retimed(lambda pts: 900 - pts), limits=_LIMITS) as recording,
        pytest.raises(UnjudgeableError, match="9 of 10 pictures did not decode or run backwards") as refusal,
    ):
        list(recording.frames())
    assert refusal.value.reason is Reason.CORRUPT_MEDIA


def test_pictures_of_one_time_are_all_kept() -> None:
    """Pictures that share a time are kept as they are; thinning takes the first of them."""
    data = _retimed(lambda pts: pts // 200 * 200)
    with open_recording(data, limits=_LIMITS) as recording:
        assert [frame.t_s for frame in recording.frames()] == pytest.approx([0, 0, 0.2, 0.2, 0.4, 0.4, 0.6, 0.6, 0.8, 0.8])
        assert [frame.t_s for frame in recording.frames(max_fps=100)] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
        info = recording.finished_info()
    assert (info.frames, info.fps) == (10, pytest.approx(5.0))


def test_a_million_pictures_of_one_time_are_refused() -> None:
    """More pictures than any camera takes in the longest recording are not all decoded."""
    limits = MediaLimits(max_s=0.02)
    with (
        open_recording(_retimed(lambda _: 0), limits=limits) as recording,
        pytest.raises(UnjudgeableError, match="more than 240 pictures a second"),
    ):
        list(recording.frames())
