from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from cameo_verifier.models.voice_activity import VoiceActivity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cameo_verifier.types import F32


@pytest.fixture(scope="module")
def activity() -> Iterator[VoiceActivity]:
    """The real network."""
    with VoiceActivity(threads=1) as opened:
        yield opened


def _sound(path: Path) -> F32:
    resampler = av.AudioResampler("fltp", "mono", 16_000)
    with av.open(str(path)) as container:
        decoded = [*container.decode(audio=0), None]
        parts = [part.to_ndarray()[0] for frame in decoded for part in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.float32)


@pytest.mark.parametrize("samples", [0, 1, 511, 16_000])
def test_silence_has_no_speech(activity: VoiceActivity, samples: int) -> None:
    """Digital silence of any length, none included, has no segment of speech."""
    segments = activity.segments(np.zeros(samples, np.float32))

    assert segments.shape == (0, 2)
    assert segments.dtype == np.float64


def test_noise_has_no_speech(activity: VoiceActivity) -> None:
    """Loud noise is not taken for speech."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=48_000).astype(np.float32)

    assert activity.segments(noise).shape == (0, 2)


def test_sound_is_left_alone(activity: VoiceActivity) -> None:
    """The samples handed in are not written to."""
    sound = np.random.default_rng(1).normal(scale=0.1, size=2000).astype(np.float32)
    before = sound.copy()
    activity.segments(sound)

    np.testing.assert_array_equal(sound, before)


@pytest.mark.devdata
def test_a_sentence_is_one_segment(activity: VoiceActivity, devdata: Path) -> None:
    """A spoken sentence with half a second of silence around it is one segment inside the clip."""
    sound = _sound(devdata / "bonafide" / "lrwp9a.mpg")
    [[start_s, end_s]] = activity.segments(sound)

    assert 0.3 < start_s < 0.7
    assert 2.1 < end_s < 2.6
    assert len(activity.probabilities(sound)) == -(-len(sound) // 512)


@pytest.mark.devdata
def test_pauses_split_speech(activity: VoiceActivity, devdata: Path) -> None:
    """Two sentences with a second of silence between are two segments, disjoint and in order, and it moves with the sound."""
    sentence = _sound(devdata / "bonafide" / "sbwe5n.mpg")
    pause = np.zeros(16_000, np.float32)
    segments = activity.segments(np.concatenate([sentence, pause, sentence]))
    whole = activity.segments(np.concatenate([sentence, pause, sentence]), min_silence_s=5.0)

    assert len(segments) == 2
    assert segments[0, 1] < segments[1, 0]
    np.testing.assert_allclose(segments[1] - segments[0], len(sentence) / 16_000 + 1, atol=0.1)
    assert len(whole) == 1


@pytest.mark.devdata
def test_every_option_changes_the_segments(activity: VoiceActivity, devdata: Path) -> None:
    """Threshold, shortest speech, shortest silence and margin each have an effect of their own."""
    sound = _sound(devdata / "bonafide" / "numbers_webcam_b.mp4")
    usual = activity.segments(sound)
    bare = activity.segments(sound, margin_s=0.0)

    assert (bare[:, 1] - bare[:, 0]).sum() < (usual[:, 1] - usual[:, 0]).sum()
    assert len(activity.segments(sound, min_silence_s=1.0)) < len(usual)
    assert len(activity.segments(sound, min_speech_s=0.5)) < len(usual)
    assert len(activity.segments(sound, threshold=0.999)) < len(usual)
