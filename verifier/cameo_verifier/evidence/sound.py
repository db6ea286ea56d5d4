"""Sound analysis: extracts speech, words, levels and speaker embeddings, of the person alone.

Background speech is excluded first (`cameo_verifier.evidence.background`); its segments are kept.

Speaker embeddings are computed over the speech alone, with the silences cut out, in windows of `WINDOW_S` every `HOP_S`, and once
over all of it; and over the groups of a challenge's words.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.languages import DEFAULT, language
from cameo_verifier.evidence.background import apart
from cameo_verifier.evidence.picture import Stopwatch
from cameo_verifier.evidence.pronounced import weighed
from cameo_verifier.evidence.sound_cuts import stops
from cameo_verifier.evidence.speech_enhancement import enhanced
from cameo_verifier.evidence.spoken import contrasted, false_starts_s, force_align
from cameo_verifier.evidence.visemes import lips_said
from cameo_verifier.evidence.voices import word_groups
from cameo_verifier.types import F32, F64, SoundTrack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.models.kit import ModelKit

RATE_HZ = 16_000
WINDOW_S = 1.0
HOP_S = 0.25
BLOCK_S = 0.03
"""The usual block of level meters for speech."""
_BLOCK = round(BLOCK_S * RATE_HZ)
_SILENCE_DBFS = -120.0


def listen(
    sound: F32, kit: ModelKit, *, spoken: Sequence[str] = (), tag: str = DEFAULT, timings_ms: Stopwatch | None = None
) -> SoundTrack:
    """Run the sound models over a recording's sound.

    Args:
        sound: (N,) float32 mono at 16 kHz, -1..1, from the recording's start.
        kit: where the models come from.
        spoken: the texts a challenge asks for; they are force-aligned to the sound as `forced`.
        tag: their language (BCP 47).
        timings_ms: milliseconds by model are added here.
    """
    watch, of = Stopwatch() if timings_ms is None else timings_ms, language(tag)
    mark = perf_counter()
    power = _power(sound)
    speech, others = apart(kit.voice_activity.segments(sound), power, _BLOCK / RATE_HZ)
    mark = watch.add("voice_activity", mark)
    voiced = len(speech) > 0
    recogniser = kit.recogniser(tag)
    heard = recogniser.encode(sound, speech=speech) if voiced else None
    text, words = recogniser.transcribe(heard) if heard else ("", ())
    mark = watch.add("transcription", mark)
    forced = force_align(recogniser, heard, spoken, words, of) if heard else ()
    if heard and not of.by_phonemes:
        forced = contrasted(recogniser, heard, spoken, words, forced, of)
    mark = watch.add("forced_alignment", mark)
    log_probs = kit.phonemes.log_probs(enhanced(sound)) if voiced else np.zeros((0, len(kit.phonemes.tokens)), np.float32)
    lips = lips_said(log_probs, kit.phonemes.tokens) if voiced else np.zeros((0, 0), np.float32)
    if of.by_phonemes:
        forced = weighed(forced, log_probs, kit.phonemes.tokens, of, false_starts=false_starts_s(spoken, words, of))
    mark = watch.add("phonemes", mark)
    uttered, times_s = _concatenate(sound, speech)
    starts = _window_starts(len(uttered))
    size = int(WINDOW_S * RATE_HZ)
    embeddings = [kit.speaker.embed(uttered[start : start + size]) for start in starts]
    whole = kit.speaker.embed(uttered) if len(starts) > 1 else (embeddings[0] if embeddings else np.zeros(0, np.float32))
    mark = watch.add("speaker", mark)
    group_s = word_groups(spoken, forced, of)
    cuts = [sound[int(start * RATE_HZ) : int(end * RATE_HZ)] for start, end in group_s]
    groups = [kit.speaker.embed(cut) for cut in cuts]
    mark = watch.add("second_voice", mark)
    synthetic = kit.synthetic_voice.scores(uttered) if kit.synthetic_voice and voiced else np.zeros(0, np.float32)
    mark = watch.add("synthetic_voice", mark)
    audio_mark = kit.audio_mark.score(uttered)
    watch.add("audio_mark", mark)
    level, noise = _levels(power, speech)
    return SoundTrack(
        duration_s=len(sound) / RATE_HZ,
        level_dbfs=level,
        noise_dbfs=noise,
        peak_dbfs=_dbfs(float(np.abs(sound).max(initial=0.0))),
        speech=speech,
        text=text,
        words=words,
        forced=forced,
        window_s=np.array([(times_s[start], times_s[min(start + size, len(uttered)) - 1]) for start in starts]).reshape(-1, 2),
        window_embeddings=np.stack(embeddings) if embeddings else np.zeros((0, 0), np.float32),
        embedding=whole,
        group_s=group_s,
        group_embeddings=np.stack(groups) if groups else np.zeros((0, 0), np.float32),
        synthetic=synthetic,
        lips=lips,
        levels_dbfs=np.array([_dbfs(float(np.sqrt(block))) for block in power], np.float32),
        stops_s=stops(sound),
        others=others,
        mark=audio_mark,
    )


def _concatenate(sound: F32, speech: F64) -> tuple[F32, F64]:
    """Return the speech without the silences between, and each sample's time in the recording."""
    spans = [(int(start * RATE_HZ), min(int(end * RATE_HZ), len(sound))) for start, end in speech]
    if not spans:
        return np.zeros(0, np.float32), np.zeros(0)
    index = np.concatenate([np.arange(start, end) for start, end in spans])
    return sound[index], index / RATE_HZ


def _window_starts(samples: int) -> list[int]:
    """Return the start samples of the windows: the last one ends with the speech; speech shorter than a window is one window."""
    size, hop = int(WINDOW_S * RATE_HZ), int(HOP_S * RATE_HZ)
    if samples == 0:
        return []
    if samples <= size:
        return [0]
    starts = list(range(0, samples - size + 1, hop))
    if starts[-1] + size < samples:
        starts.append(samples - size)
    return starts


def _power(sound: F32) -> F64:
    """Return the mean square of each whole block."""
    blocks = sound[: len(sound) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    return np.asarray(np.mean(blocks.astype(np.float64) ** 2, axis=1))


def _levels(power: F64, speech: F64) -> tuple[float, float]:
    """Return the RMS level of the speech and of the quietest tenth of the rest, in dBFS.

    The quietest tenth, since breath, clicks and a voice activity detector's late edges lie in the rest too. Without any rest the
    quietest tenth of everything is used.
    """
    if len(power) == 0:
        return _SILENCE_DBFS, _SILENCE_DBFS
    middle_s = (np.arange(len(power)) + 0.5) * _BLOCK / RATE_HZ
    voiced = np.zeros(len(power), bool)
    for start, end in speech:
        voiced |= (middle_s >= start) & (middle_s <= end)
    rest = power[~voiced] if (~voiced).sum() >= 10 else power
    level = float(np.sqrt(power[voiced].mean())) if voiced.any() else 0.0
    return _dbfs(level), _dbfs(float(np.sqrt(np.quantile(rest, 0.1))))


def _dbfs(amplitude: float) -> float:
    return max(_SILENCE_DBFS, 20.0 * float(np.log10(max(amplitude, 1e-12))))
