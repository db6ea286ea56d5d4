"""The voice clip: whole words of the clearest run of speech, at its level, with its transcript and times."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.evidence.voice_clip import LEVEL_DBFS, PREPROCESSING, RATE_HZ, voice_clip
from cameo_verifier.types import SoundTrack, Word

if TYPE_CHECKING:
    from cameo_verifier.types import F32

BLOCK_S = 0.03
PROFILE = profiles.load()


@dataclass(frozen=True)
class Info:
    """What is read of a recording's header."""

    sample_rate_hz: int = 48_000


@dataclass(frozen=True)
class Source:
    """A recording that is there as samples."""

    samples: F32
    info: Info = Info()

    def sound_at(self, rate_hz: int) -> F32:
        """Return the samples."""
        assert rate_hz == RATE_HZ
        return self.samples


def said(
    words: list[tuple[str, float, float]], duration_s: float, *, noisy: tuple[float, float] = (0.0, 0.0)
) -> tuple[Source, SoundTrack]:
    """Return a recording in which each word is a tone of its own, over a faint hiss, louder for a while."""
    rng = np.random.default_rng(1)
    at_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    sound = 1e-3 * rng.standard_normal(len(at_s))
    sound[(at_s >= noisy[0]) & (at_s < noisy[1])] *= 30.0
    for number, (_, start, end) in enumerate(words):
        within = (at_s >= start) & (at_s < end)
        sound[within] += 0.05 * np.sin(2 * np.pi * (200 + 50 * number) * at_s[within])
    block = round(BLOCK_S * RATE_HZ)
    power = np.mean(sound[: len(sound) // block * block].reshape(-1, block) ** 2, axis=1)
    track = SoundTrack(
        duration_s=duration_s,
        level_dbfs=-29.0,
        noise_dbfs=-60.0,
        peak_dbfs=-20.0,
        speech=np.array([(start, end) for _, start, end in words]),
        text="",
        words=tuple(Word(text, start, end, 1.0) for text, start, end in words),
        forced=(),
        window_s=np.zeros((0, 2)),
        window_embeddings=np.zeros((0, 512), np.float32),
        embedding=np.zeros(512, np.float32),
        levels_dbfs=(10 * np.log10(power)).astype(np.float32),
    )
    return Source(sound.astype(np.float32)), track


def decoded(flac: bytes) -> F32:
    """Return the samples of a file."""
    with av.open(io.BytesIO(flac)) as opened:
        stream = opened.streams.audio[0]
        assert (stream.codec_context.sample_rate, stream.codec_context.layout.nb_channels) == (RATE_HZ, 1)
        pieces = [frame.to_ndarray() for frame in opened.decode(stream)]
    return np.concatenate(pieces, axis=1)[0].astype(np.float32) / 32768.0


def counted(number: int, *, every_s: float = 0.5, at_s: float = 0.2) -> list[tuple[str, float, float]]:
    """Words of 0.4 s."""
    return [(f"w{i}", at_s + i * every_s, at_s + i * every_s + 0.4) for i in range(number)]


def pitch_hz(sound: F32) -> float:
    """Return the strongest frequency."""
    return float(np.argmax(np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 15))) * RATE_HZ / (1 << 15))


def test_its_words_are_where_it_says() -> None:
    """Each is a tone that is heard between its times; the transcript has all of them, and pauses are short."""
    words = [*counted(8), *counted(8, at_s=9.0)]
    source, track = said(words, 14.0)
    clip = voice_clip(source, track, PROFILE, language="en-GB")  # type: ignore[arg-type] # what it takes of a recording is here
    assert clip is not None
    facts, sound = clip.facts, decoded(clip.data)
    assert 6.0 <= facts["duration_s"] <= 15.0
    assert len(facts["words"]) == len(words)
    assert len(sound) / RATE_HZ == pytest.approx(facts["duration_s"], abs=1e-3)
    assert not facts["shorter"]
    assert facts["transcript"] == " ".join(text for text, _, _ in facts["words"])
    names = [text for text, _, _ in words]
    first = next(i for i in range(len(names)) if names[i : i + len(facts["words"])] == [text for text, _, _ in facts["words"]])
    for number, (_, start, end) in enumerate(facts["words"], start=first):
        heard = sound[round(start * RATE_HZ) : round(end * RATE_HZ)]
        assert pitch_hz(heard) == pytest.approx(200 + 50 * number, abs=5)
    gaps = [later[1] - earlier[2] for earlier, later in zip(facts["words"], facts["words"][1:], strict=False)]
    assert max(gaps) <= 0.6 + BLOCK_S


def test_it_is_at_its_level() -> None:
    """The RMS within the words is what the preprocessing says, and the gain is told."""
    source, track = said(counted(18), 9.5)
    clip = voice_clip(source, track, PROFILE, language="en")  # type: ignore[arg-type] # the same
    assert clip is not None
    sound = decoded(clip.data)
    heard = np.concatenate([sound[round(start * RATE_HZ) : round(end * RATE_HZ)] for _, start, end in clip.facts["words"]])
    assert 20 * np.log10(np.sqrt(np.mean(heard.astype(np.float64) ** 2))) == pytest.approx(LEVEL_DBFS, abs=0.1)
    assert clip.facts["gain_db"] == pytest.approx(LEVEL_DBFS - 20 * np.log10(0.05 / np.sqrt(2)), abs=0.2)


def test_the_clearest_part_is_taken() -> None:
    """Where it hisses for a while, the clip is from the rest."""
    source, track = said(counted(36), 19.0, noisy=(0.0, 9.0))
    clip = voice_clip(source, track, PROFILE, language="en")  # type: ignore[arg-type] # the same
    assert clip is not None
    assert all(int(text[1:]) >= 17 for text, _, _ in clip.facts["words"])


def test_it_says_what_it_was_chosen_by() -> None:
    """The preprocessing has the pause of the built-in profiles."""
    for name in profiles.built_in():
        assert f"pauses above {profiles.load(name)['clip_pause_max'].value} s" in PREPROCESSING


def test_no_more_is_taken_than_the_profile_says() -> None:
    """Of half a minute of clean speech."""
    source, track = said(counted(60), 31.0)
    clip = voice_clip(source, track, PROFILE, language="en")  # type: ignore[arg-type] # the same
    assert clip is not None
    assert 14.0 <= clip.facts["duration_s"] <= PROFILE["clip_speech_max"].value


def test_words_of_others_are_left_out() -> None:
    """A word outside of the person's speech is neither in the transcript nor heard."""
    words = counted(16)
    source, track = said(words, 8.5)
    track.speech[5] = (0.0, 0.0)
    clip = voice_clip(source, track, PROFILE, language="en")  # type: ignore[arg-type] # the same
    assert clip is not None
    assert "w5" not in clip.facts["transcript"].split()
    sound = decoded(clip.data)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    level = {number: spectrum[round((200 + 50 * number) * len(sound) / RATE_HZ)] for number in (4, 5, 6)}
    assert level[5] < level[4] / 20


def test_less_speech_gives_a_shorter_clip_that_says_so() -> None:
    """All of it; and none where no word was understood."""
    source, track = said(counted(4), 3.0)
    clip = voice_clip(source, track, PROFILE, language="en")  # type: ignore[arg-type] # the same
    assert clip is not None
    assert clip.facts["shorter"]
    assert len(clip.facts["words"]) == 4
    nothing = said([], 3.0)
    assert voice_clip(*nothing, PROFILE, language="en") is None  # type: ignore[arg-type] # the same
