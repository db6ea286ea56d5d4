from __future__ import annotations

import io
import struct
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

from cameo_verifier.media import Recording, open_recording
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, make

_LIMITS = MediaLimits()


def _onset_s(sound: np.ndarray) -> float:
    return float(np.argmax(np.abs(sound) > 0.2)) / 16_000


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_any_rate_and_layout_becomes_16_khz_mono(rate_hz: int, layout: str) -> None:
    """A 440 Hz tone at half scale in every channel comes out as that: not louder, not faster."""
    clip = Clip("wav", None, "pcm_s16le", rate_hz=rate_hz, layout=layout)
    with open_recording(make(clip), limits=_LIMITS) as recording:
        sound = recording.sound()
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx(16_000, abs=20)
    assert np.abs(sound[1_000:-1_000]).max() == pytest.approx(0.5, abs=0.01)
    spectrum = np.abs(np.fft.rfft(sound[:16_000] * np.hanning(len(sound[:16_000]))))
    assert np.argmax(spectrum) * 16_000 / len(sound[:16_000]) == pytest.approx(440, abs=2)


def _channels(*channels: np.ndarray) -> bytes:
    """Return a WAV of the channels at 16 kHz."""
    file = io.BytesIO()
    layout = {1: "mono", 2: "stereo"}[len(channels)]
    with av.open(file, "w", format="wav") as out:
        stream = out.add_stream("pcm_s16le", rate=16_000, layout=layout)
        samples = np.round(np.stack(channels, axis=1) * 32_767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate, frame.pts = 16_000, 0
        for packet in stream.encode(frame) + stream.encode(None):
            out.mux(packet)
    return file.getvalue()


def _voice() -> np.ndarray:
    """Return two seconds of syllables: bursts of noise of a low voice, four a second."""
    at_s = np.arange(32_000) / 16_000
    buzz = np.sign(np.sin(2 * np.pi * 120 * at_s)) + 0.3 * np.random.default_rng(1).standard_normal(32_000)
    return 0.15 * buzz * (np.sin(2 * np.pi * 4 * at_s) > 0)


@pytest.mark.parametrize(
    ("other", "channel"),
    [
        (lambda voice: voice, 0),
        (lambda voice: -voice, 1),
        (lambda voice: -0.7 * voice, 1),
        (lambda voice: 0 * voice, 1),
        (lambda voice: 0 * voice + 0.4, 1),
        (lambda voice: 0.5 * np.sin(2 * np.pi * 50 * np.arange(len(voice)) / 16_000), 1),
        (lambda voice: 0.02 * np.random.default_rng(2).standard_normal(len(voice)), 1),
        (lambda voice: np.roll(voice, 8), 0),
    ],
    ids=["the same", "opposite", "opposite and weaker", "silent", "a direct current", "hum", "hiss", "half a millisecond later"],
)
@pytest.mark.parametrize("turned", [False, True], ids=["first", "second"])
def test_a_voice_that_the_mix_loses_is_taken_from_its_channel(other: object, channel: int, turned: bool) -> None:  # noqa: FBT001 - drawn
    """Channels that agree are mixed; where they cancel, or one hears no voice, the one that does is heard alone."""
    voice = _voice()
    both = [voice, other(voice)]  # type: ignore[operator]
    with open_recording(_channels(*(both[::-1] if turned else both)), limits=_LIMITS) as recording:
        sound = recording.sound()
        taken = recording.finished_info().sound_channel
    if channel:
        # Of two that are equally lively, the first.
        assert taken == (2 if turned and not np.array_equal(both[0], -both[1]) else 1)
        assert abs(np.corrcoef(sound, voice)[0, 1]) > 0.99
        assert np.sqrt(np.mean(sound**2)) == pytest.approx(np.sqrt(np.mean(voice**2)), rel=0.02)
    else:
        assert taken == 0
        assert sound == pytest.approx(np.mean(both, axis=0), abs=2e-4)


def test_full_scale_on_both_channels_does_not_clip() -> None:
    """Mixing two loud channels down stays within -1 to 1 without flattening the peaks."""
    with open_recording(make(Clip("wav", None, "pcm_s16le", amplitude=0.98)), limits=_LIMITS) as recording:
        sound = recording.sound()
    assert 0.96 < np.abs(sound).max() <= 1.0
    assert np.mean(np.abs(sound) > 0.97) < 0.10


@pytest.mark.parametrize("container", ["mp4", "mkv", "webm"])
@pytest.mark.parametrize(("video_from_s", "audio_from_s"), [(0.0, 0.0), (0.0, 0.4), (0.4, 0.0), (1.0, 1.4)])
def test_sound_and_picture_share_one_clock(container: str, video_from_s: float, audio_from_s: float) -> None:
    """Whichever starts late, time zero is the start of the earlier one and the other keeps its distance."""
    video, audio = ("libvpx", "libopus") if container == "webm" else ("libx264", "aac")
    clip = Clip(container, video, audio, video_from_s=video_from_s, audio_from_s=audio_from_s, tone_from_s=0.3)
    # An MP4 says where its movie starts, so both may be late; elsewhere the first of them is the start.
    start_s = min(video_from_s, audio_from_s)
    with open_recording(make(clip), limits=_LIMITS) as recording:
        first = next(iter(frames := list(recording.frames())))
        sound = recording.sound()
        info = recording.finished_info()
    assert len(frames) == 10
    assert first.t_s == pytest.approx(video_from_s - start_s, abs=0.03)
    assert _onset_s(sound) == pytest.approx(audio_from_s - start_s + 0.3, abs=0.03)
    assert np.abs(sound[: int(16_000 * (audio_from_s - start_s + 0.2))]).max(initial=0.0) < 0.01
    assert info.audio_s == pytest.approx(1.0, abs=0.06)
    assert info.duration_s == pytest.approx(max(video_from_s, audio_from_s) - start_s + 1.0, abs=0.06)


def test_a_gap_in_the_sound_is_silence() -> None:
    """Packets lost on the way leave silence of their length, and what follows stays in its place."""
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(make(Clip("mkv", "libx264", "flac", seconds=2.0)))) as whole,
        av.open(file, "w", format="matroska") as out,
    ):
        streams = {stream.index: out.add_stream_from_template(stream) for stream in whole.streams}
        for packet in whole.demux():
            if packet.size == 0 or (packet.stream.type == "audio" and 0.5 <= packet.pts * packet.time_base < 1.0):
                continue
            packet.stream = streams[packet.stream.index]
            out.mux(packet)
    with open_recording(file.getvalue(), limits=_LIMITS) as recording:
        sound = recording.sound()
    assert len(sound) / 16_000 == pytest.approx(2.0, abs=0.02)
    assert np.abs(sound[10_000:15_000]).max() == 0.0
    assert np.abs(sound[2_000:7_000]).max() == pytest.approx(0.5, abs=0.02)
    assert np.abs(sound[18_000:30_000]).max() == pytest.approx(0.5, abs=0.02)


def test_samples_that_are_no_numbers_become_silence() -> None:
    """Floating-point PCM of NaN and infinity comes out as numbers from -1 to 1."""
    samples = np.full(16_000, np.nan, "<f4")
    samples[::100] = np.inf
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 64_036, b"WAVE", b"fmt ", 16, 3, 1, 16_000, 64_000, 4, 32, b"data", 64_000
    )
    with open_recording(header + samples.tobytes(), limits=_LIMITS) as recording:
        sound = recording.sound()
        assert recording.info.audio_codec == "pcm_f32le"
    assert len(sound) == 16_000
    assert np.abs(sound).max() <= 1.0


def test_digital_silence_is_sound_all_the_same() -> None:
    """A silent track has its full length and nothing but zeros: silence is judged elsewhere."""
    with open_recording(make(Clip("mov", "libx264", "pcm_s16le", amplitude=0.0)), limits=_LIMITS) as recording:
        sound = recording.sound()
    assert len(sound) == pytest.approx(16_000, abs=20)
    assert not sound.any()


def test_no_sound_is_an_empty_array() -> None:
    """A recording without sound gives no samples and no codec name."""
    with open_recording(make(Clip(audio=None)), limits=_LIMITS) as recording:
        assert recording.sound().shape == (0,)
        assert recording.info.audio_codec == ""


def test_picture_and_sound_may_be_read_at_once() -> None:
    """Two threads, one for the picture and one for the sound, get what one thread gets after the other."""
    data = make(Clip(seconds=2.0, fps=25, size=(320, 240)))

    def pictures(recording: Recording) -> list[tuple[float, int]]:
        return [(frame.t_s, int(frame.rgb.sum())) for frame in recording.frames()]

    with open_recording(data, limits=_LIMITS) as recording:
        expected = pictures(recording), recording.sound()
    with open_recording(data, limits=_LIMITS) as recording, ThreadPoolExecutor(2) as pool:
        seen, heard = pool.submit(pictures, recording), pool.submit(recording.sound)
        assert seen.result() == expected[0]
        assert np.array_equal(heard.result(), expected[1])
        assert recording.finished_info().frames == 50
