"""The voice clip: a person's clean speech, with transcript and word times, that a likeness holds.

1. The words are those of the free transcription whose middle lies in the person's own speech, not in that of others.
2. Of a pause above `clip_pause_max` half of that is kept beside either word; a cut lies in the quietest 30 ms there, and never in
   another word.
3. Of all runs of consecutive words that keep at most `clip_speech_max`, the longest clean one is taken: each of its words is at
   least `clip_clean_min` above the quietest tenth of the second and a half around it. Where none of `clip_speech_min` is clean,
   the one with the highest ratio of the mean power within its words to that between them; where there is less speech, all of it.
4. It is resampled, faded at the cuts and brought to a level as `PREPROCESSING` says.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np

from cameo_credential.item_kind import ItemKind
from cameo_credential.media_items import MediaItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.media.recording import Recording
    from cameo_verifier.profile import Profile, Threshold
    from cameo_verifier.types import F32, F64, SoundTrack, Word

RATE_HZ = 24_000
LEVEL_DBFS, PEAK_DBFS = -20.0, -1.0
PREPROCESSING = (
    "24000 Hz mono, the mean of the channels (or the one with the voice); pauses above 0.6 s shortened at their quietest 30 ms, "
    "10 ms linear fades at each cut; one gain that brings the RMS within the words to -20 dBFS, or the peak to -1 dBFS if that "
    "is less; no denoising; FLAC, 16 bits"
)
_BLOCK_S = 0.03
_FADE_S = 0.01
_NEAR_S = 0.75


@dataclass(frozen=True, slots=True)
class _Piece:
    """Consecutive words without a cut between them, and the span that is kept of the recording."""

    start_s: float
    end_s: float
    words: tuple[Word, ...]


def voice_clip(source: Recording, track: SoundTrack, profile: Profile, *, language: str) -> MediaItem | None:
    """Return the clip of a recording; None where no word of the person was understood.

    Args:
        source: the open recording that `track` was extracted from.
        track: its sound.
        profile: has the thresholds by which it is chosen.
        language: of the transcript (BCP 47).

    Raises:
        UnjudgeableError: the recording cannot be read.
    """
    pieces = _pieces(track, profile["clip_pause_max"].value / 2.0)
    run = best_run(pieces, track, profile)
    if not run:
        return None
    sound, words, cuts = source.sound_at(RATE_HZ), [], []
    at_s = 0.0
    for piece in run:
        first, last = (round(edge * RATE_HZ) for edge in (piece.start_s, piece.end_s))
        cut = _faded(sound[first:last])
        cuts.append(cut)
        moved = at_s - first / RATE_HZ
        words += [(word.text.strip(), round(word.start_s + moved, 3), round(word.end_s + moved, 3)) for word in piece.words]
        at_s += len(cut) / RATE_HZ
    made, gain_db = _levelled(np.concatenate(cuts), words)
    speech_db, noise_db = _levels(run, track)
    facts = {
        "sample_rate_hz": RATE_HZ,
        "channels": 1,
        "duration_s": round(at_s, 3),
        "shorter": not profile["clip_speech_min"].holds(at_s),
        "language": language,
        "transcript": " ".join(text for text, _, _ in words),
        "words": tuple(words),
        "speech_to_noise_db": round(speech_db - noise_db, 1),
        "gain_db": round(gain_db, 2),
        "recorded_rate_hz": source.info.sample_rate_hz,
    }
    return MediaItem(ItemKind.VOICE_CLIP, "audio/flac", PREPROCESSING, facts, _flac(made))


def best_run(pieces: Sequence[_Piece], track: SoundTrack, profile: Profile) -> tuple[_Piece, ...]:
    """Return the pieces of the clip, as the module's third step says."""
    least, most, clean = (profile[name] for name in ("clip_speech_min", "clip_speech_max", "clip_clean_min"))
    by_word = [_Piece(*_part(piece, number), (word,)) for piece in pieces for number, word in enumerate(piece.words)]
    clear = [_stands_out(each.words[0], track, clean) for each in by_word]
    best: tuple[bool, float, float, tuple[_Piece, ...]] = (False, -np.inf, -np.inf, ())
    for first in range(len(by_word)):
        length_s = 0.0
        for last in range(first, len(by_word)):
            length_s += by_word[last].end_s - by_word[last].start_s
            if not most.holds(length_s):
                break
            run = tuple(by_word[first : last + 1])
            speech_db, noise_db = _levels(run, track)
            clear_db, long = speech_db - noise_db, least.holds(length_s)
            if long and all(clear[first : last + 1]):
                rank = (True, length_s, clear_db)
            else:
                # Shorter ones are ranked by their length alone.
                rank = (False, min(length_s, least.value), clear_db if long else 0.0)
            if rank > best[:3]:
                best = (*rank, run)
    return _joined(best[3])


def _stands_out(word: Word, track: SoundTrack, clean: Threshold) -> bool:
    """Whether a word is clean."""
    power = 10.0 ** (track.levels_dbfs.astype(np.float64) / 10.0)
    middle_s = np.asarray((np.arange(len(power)) + 0.5) * _BLOCK_S, np.float64)
    at_s = (word.start_s + word.end_s) / 2.0
    said, near = _within(middle_s, [(word.start_s, word.end_s)]), np.abs(middle_s - at_s) <= _NEAR_S
    if not said.any():
        return False
    quiet = max(float(np.quantile(power[near], 0.1)), 1e-12)
    return clean.holds(10.0 * float(np.log10(power[said].mean() / quiet)))


def _part(piece: _Piece, number: int) -> tuple[float, float]:
    """Return the share of a word in its piece: up to the middle of the gaps to its neighbours."""
    word = piece.words[number]
    start = piece.start_s if number == 0 else (piece.words[number - 1].end_s + word.start_s) / 2.0
    end = piece.end_s if number + 1 == len(piece.words) else (word.end_s + piece.words[number + 1].start_s) / 2.0
    return start, end


def _joined(run: Sequence[_Piece]) -> tuple[_Piece, ...]:
    made: list[_Piece] = []
    for each in run:
        if made and each.start_s == made[-1].end_s:
            made[-1] = _Piece(made[-1].start_s, each.end_s, made[-1].words + each.words)
        else:
            made.append(each)
    return tuple(made)


def _pieces(track: SoundTrack, pad_s: float) -> list[_Piece]:
    spans = track.speech
    own = [bool(np.any((spans[:, 0] <= at) & (at <= spans[:, 1]))) for at in ((w.start_s + w.end_s) / 2.0 for w in track.words)]
    # Where a word may be cut off on either side: half of the way to the next one, the person's or not.
    ends = [0.0, *((one.end_s + other.start_s) / 2.0 for one, other in pairwise(track.words)), track.duration_s]
    made: list[_Piece] = []
    joined = False
    for number, word in enumerate(track.words):
        if not own[number]:
            joined = False
            continue
        start = _quietest(track, max(ends[number], word.start_s - pad_s), word.start_s)
        end = _quietest(track, word.end_s, min(ends[number + 1], word.end_s + pad_s))
        if joined and word.start_s - made[-1].words[-1].end_s <= 2 * pad_s:
            made[-1] = _Piece(made[-1].start_s, end, (*made[-1].words, word))
        else:
            made.append(_Piece(start, end, (word,)))
        joined = True
    return made


def _quietest(track: SoundTrack, from_s: float, to_s: float) -> float:
    """Return the middle of the quietest block between two times; the first one's where they hold none."""
    first, last = int(np.ceil(from_s / _BLOCK_S)), min(int(to_s / _BLOCK_S), len(track.levels_dbfs))
    if last <= first:
        return max(0.0, min(from_s, to_s) if last < first else from_s)
    return (first + int(np.argmin(track.levels_dbfs[first:last])) + 0.5) * _BLOCK_S


def _levels(run: Sequence[_Piece], track: SoundTrack) -> tuple[float, float]:
    """Return the mean level within the words and that between them, in dB; without a pause, of the quietest tenth."""
    power = 10.0 ** (track.levels_dbfs.astype(np.float64) / 10.0)
    middle_s = np.asarray((np.arange(len(power)) + 0.5) * _BLOCK_S, np.float64)
    kept = _within(middle_s, [(piece.start_s, piece.end_s) for piece in run])
    said = _within(middle_s, [(word.start_s, word.end_s) for piece in run for word in piece.words]) & kept
    if not said.any():
        return 0.0, 0.0
    between = power[kept & ~said]
    noise = between.mean() if len(between) else np.quantile(power[said], 0.1)
    return 10.0 * float(np.log10(power[said].mean())), 10.0 * float(np.log10(noise))


def _within(at_s: F64, spans: Sequence[tuple[float, float]]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    inside = np.zeros(len(at_s), bool)
    for start, end in spans:
        inside |= (at_s >= start) & (at_s <= end)
    return inside


def _faded(cut: F32) -> F32:
    made, size = cut.copy(), min(round(_FADE_S * RATE_HZ), len(cut) // 2)
    ramp = np.linspace(0.0, 1.0, size, dtype=np.float32)
    made[:size] *= ramp
    made[len(made) - size :] *= ramp[::-1]
    return made


def _levelled(sound: F32, words: Sequence[tuple[str, float, float]]) -> tuple[F32, float]:
    """Return the sound at its level, and the gain in dB."""
    said = [sound[max(0, round(start * RATE_HZ)) : round(end * RATE_HZ)] for _, start, end in words]
    loud = np.concatenate([each for each in said if len(each)] or [sound]).astype(np.float64)
    rms, peak = float(np.sqrt(np.mean(loud**2))), float(np.abs(sound).max(initial=0.0))
    if min(rms, peak) <= 0.0:
        return sound, 0.0
    gain = min(10.0 ** (LEVEL_DBFS / 20.0) / rms, 10.0 ** (PEAK_DBFS / 20.0) / peak)
    return (sound * np.float32(gain)).astype(np.float32), 20.0 * float(np.log10(gain))


def _flac(sound: F32) -> bytes:
    made = io.BytesIO()
    with av.open(made, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono")
        stream.codec_context.format = "s16"
        samples = np.round(np.clip(sound, -1.0, 1.0) * 32767.0).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return made.getvalue()
