"""Repeated sound: finds segments that recur sample by sample.

Nobody says a word twice with the same waveform: the phase of the voice drifts within tens of milliseconds. A copied segment
correlates with itself at one delay; a steady tone correlates with itself at every period, and does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.types import SoundRepeat

if TYPE_CHECKING:
    from cameo_verifier.types import F32

PIECE_S = 0.4
"""Length of a segment: longer than any phoneme, shorter than most words."""
_HOP_S = 0.1
_RATE_HZ = 16_000
_THIN = 4
"""Decimation to 4 kHz: most of a voice's energy lies below 2 kHz, and a codec preserves it best there."""
_LOUD_DB = 20.0
"""Segments this far below the loudest are hum and rest."""
_TONE_S = (0.005, 0.05)
"""Range, around the best delay, of the delay of a tone's next period that correlates."""
_TONE = 0.95


def repeated(sound: F32) -> SoundRepeat:
    """Return the segment that recurs most exactly, with its normalised correlation with the later one, 0..1.

    Args:
        sound: (N,) float32 mono at 16 kHz.
    """
    rate = _RATE_HZ // _THIN
    thinned = sound[: len(sound) // _THIN * _THIN].reshape(-1, _THIN).mean(axis=1, dtype=np.float64)
    # Differencing whitens the spectrum of a voice, so that its lowest tone alone does not decide.
    wave = np.diff(thinned, prepend=0.0)
    size, hop = int(PIECE_S * rate), int(_HOP_S * rate)
    if len(wave) < 3 * size:
        return SoundRepeat()
    energy = np.maximum(np.convolve(wave**2, np.ones(size), "valid"), 1e-9)
    loud = float(energy.max()) * 10 ** (-_LOUD_DB / 10)
    per_root = np.where(energy >= loud, 1.0 / np.sqrt(energy), 0.0)
    # A segment that lies inside the sound never wraps around in the circular correlation.
    from scipy.fft import next_fast_len  # noqa: PLC0415 - it loads more than all of this package, which every process waits for

    length = next_fast_len(len(wave), real=True)
    # Arrays are reused: allocating ones of this size costs more than the work done in them.
    spectrum, part = np.fft.rfft(wave, length), np.empty(length // 2 + 1, np.complex128)
    product = np.empty(length)
    best = SoundRepeat()
    for start in range(0, len(wave) - 2 * size, hop):
        if energy[start] < max(loud, 1e-6):
            continue
        np.fft.rfft(wave[start : start + size], length, out=part)
        np.multiply(spectrum, np.conj(part, out=part), out=part)
        np.fft.irfft(part, length, out=product)
        score = product[start + size : len(wave) - size + 1]
        score *= per_root[start + size :] * per_root[start]
        k = int(score.argmax())
        if score[k] > best.correlation and not _tone(score, k, rate):
            best = SoundRepeat(min(1.0, float(score[k])), start / rate, (start + size + k) / rate)
    return best


def _tone(score: np.ndarray[tuple[int], np.dtype[np.float64]], at: int, rate: int) -> bool:
    near, far = (int(delay * rate) for delay in _TONE_S)
    around = np.concatenate([score[max(0, at - far) : max(0, at - near)], score[at + near : at + far]])
    return bool(around.max(initial=0.0) > _TONE * score[at])
