"""Lip-audio agreement: correlates measured lip motion with the motion predicted from the sound.

1. Measured: four features of each frame from landmarks and blendshapes (`FEATURES`), lengths in widths of the eyes, which neither
   the size of the face nor, much, its rotation changes. Slow changes (a smile, a turn) are removed by a high-pass; each has unit
   deviation.
2. Predicted: the same four for the phonemes that are recognised, by `cameo_verifier.evidence.visemes`.
3. Agreement: the mean over the four of the correlation of measured and predicted, weighted by `WEIGHTS`, at the offset where it
   is highest. Devices record picture and sound up to `OFFSET_S` apart, so offsets up to that are free; a match only beyond it
   means shifted sound. Only moments near speech count, with the head near frontal.
4. Lead: sound of other lips correlates about as well at other offsets. A match at this offset alone is stronger evidence: the
   agreement's lead over the best of the other offsets is added.
5. Parts: the same at that offset for every two seconds of what was compared. A second voice off camera correlates with nothing
   while it is heard, however well the rest agrees; the 20th percentile of the parts shows it, and one bad moment does not.

The agreement is independent of how much a person moves the mouth: people who mumble agree as those who shout. A mouth at rest
during speech, or one that moves by itself, correlates with nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cameo_verifier.models.phonemes import RATE_HZ

if TYPE_CHECKING:
    from cameo_verifier.types import F64, FaceTrack, SoundTrack

FEATURES = ("gap between the lips", "height with the lips", "mouthPucker", "mouthLowerDown")
WEIGHTS = (3.0, 1.0, 1.0, 1.0)
"""Weight of each feature. The gap carries closures and openings, and alone separates a talker's own sound from others' about
as well as all four; the rest adds rounding, and lowers the variance. Width, chin, jaw and funnel were tried, and add more
noise than signal."""
OFFSET_S = 0.2
"""Largest offset of picture and sound in ordinary devices, either way."""
SHIFT_S = 1.0
"""Delay that a wireless headset or a slow recorder adds to the sound."""
FARTHEST_S = 3.0
"""Largest offset that is searched."""

_EYES = (33, 263)
_GAPS = ((13, 14), (82, 87), (312, 317))
_HEIGHT = (0, 17)
_PUCKER, _LOWER_DOWN = 38, (34, 35)
_SMOOTH_S, _SLOW_S = 0.03, 0.8
_UNSEEN_S = 0.15
"""Moments farther than this from a frame with a face count as unmeasured."""
_NEAR_SPEECH_S = 0.4
_FRONTAL_DEG = 30.0
"""Beyond this the landmark model extrapolates the far half of the mouth."""
_LEAST_S, _LEAST_ELSEWHERE_S = 1.0, 3.0
_APART_S = 0.15
"""Offsets nearer to the best one belong to the same peak."""
_PART_S, _PART_HOP_S, _PART_PERCENTILE = 2.0, 0.2, 20
_UNTRIED = -1.0
_PART_ROWS = (-3, 0, 3)
"""Offsets, in rows, that a part may have from the whole: phonemes are recognised up to 60 ms early or late."""

_SHARES = np.array(WEIGHTS) / sum(WEIGHTS)
_STEADY = 1e-9
"""A smaller spread is rounding: the feature did not change."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The correlation of lips and sound.

    score: weighted mean correlation, -1..1, at the best offset within `OFFSET_S` (`clearest` searches farther); offset_s: that
    offset, above 0 where the sound is late; elsewhere: the highest score at offsets beyond `OFFSET_S` and off the same peak that
    leave 3 s and half of the material, and elsewhere_s its offset (-1 without any); part: the 20th percentile of the agreement of
    parts of 2 s, `score` where there are not two of them; seconds: how much was compared.
    """

    score: float
    offset_s: float
    elsewhere: float
    elsewhere_s: float
    part: float
    seconds: float

    @property
    def tried_elsewhere(self) -> bool:
        """Whether there was enough material to compare at other offsets."""
        return self.elsewhere != _UNTRIED

    @property
    def distinct(self) -> float:
        """The agreement plus its lead over other offsets; the lead is 0 where no other could be tried."""
        return 2 * self.score - self.elsewhere if self.tried_elsewhere else self.score


def measured(face: FaceTrack, rows: int) -> tuple[F64, Mask]:
    """Return lip features (rows, 4) float64 at 50 Hz from 0 s, and (rows,) where they were measured near-frontally.

    Slow changes are removed; each feature has unit deviation, or is 0 throughout where it never changed.
    """
    seen = np.isfinite(face.landmarks[:, 0, 0])
    moments = np.arange(rows) / RATE_HZ
    if seen.sum() < 2 or rows == 0:
        return np.zeros((rows, len(FEATURES))), np.zeros(rows, bool)
    times_s = face.t_s[seen]
    raw = _features(face.landmarks[seen].astype(np.float64), face.blendshapes[seen].astype(np.float64))
    lips = np.stack([np.interp(moments, times_s, column) for column in raw.T], axis=1)
    nearest_s = np.abs(moments[:, None] - times_s[None, :]).min(axis=1)
    turned_deg = np.interp(moments, times_s, np.abs(face.pose_deg[seen, :2]).max(axis=1))
    lips = _high_pass(lips)
    deviation = lips.std(axis=0)
    return np.where(deviation > 1e-6, lips / np.maximum(deviation, 1e-6), 0.0), (nearest_s <= _UNSEEN_S) & (
        turned_deg <= _FRONTAL_DEG
    )


def near_speech(speech: F64, rows: int) -> Mask:
    """Return (rows,) which moments, at 50 Hz, lie within 0.4 s of speech."""
    moments = np.arange(rows) / RATE_HZ
    near = np.zeros(rows, bool)
    for start, end in speech:
        near |= (moments >= start - _NEAR_SPEECH_S) & (moments <= end + _NEAR_SPEECH_S)
    return near


def said(sound: SoundTrack) -> F64:
    """Return the predicted lip features (rows, 4) float64, without slow changes, at 50 Hz from 0 s."""
    return _high_pass(sound.lips.astype(np.float64))


def agreement(face: FaceTrack, sound: SoundTrack) -> Agreement:
    """Return the agreement of the lips of a recording with its sound."""
    rows = len(sound.lips)
    lips, seen = measured(face, rows)
    return agree(said(sound), near_speech(sound.speech, rows), lips, seen)


def parts(face: FaceTrack, sound: SoundTrack) -> list[tuple[float, float]]:
    """Return start in seconds and agreement of each part of 2 s, at the best offset for all."""
    rows = len(sound.lips)
    (lips, seen), predicted, spoken = measured(face, rows), said(sound), near_speech(sound.speech, rows)
    offset = round(agree(predicted, spoken, lips, seen).offset_s * RATE_HZ)
    return [(row / RATE_HZ, score) for row, score in _parts(predicted, spoken, lips, seen, offset)]


def clearest(face: FaceTrack, sound: SoundTrack) -> Agreement:
    """Return the agreement at the best offset within `SHIFT_S` + `OFFSET_S`; its lead is that over all others."""
    rows = len(sound.lips)
    lips, seen = measured(face, rows)
    return agree(said(sound), near_speech(sound.speech, rows), lips, seen, reach_s=SHIFT_S + OFFSET_S)


def agree(predicted: F64, spoken: Mask, lips: F64, seen: Mask, *, reach_s: float = OFFSET_S) -> Agreement:
    """Return the agreement of measured with predicted lip features.

    Args:
        predicted: (L, 4) predicted from the sound, slow changes removed.
        spoken: (L,) near speech.
        lips: (L, 4) measured.
        seen: (L,) where they could be measured.
        reach_s: largest best offset, either way.
    """
    reach, farthest = round(reach_s * RATE_HZ), round(FARTHEST_S * RATE_HZ)
    device = round(OFFSET_S * RATE_HZ) if reach_s <= OFFSET_S else 0
    rows = int((spoken & seen).sum())
    counts, correlations = _at_every_offset(predicted, spoken, lips, seen, farthest)

    def at(k: int, least: float) -> float:
        return float(correlations[farthest + k]) if counts[farthest + k] >= least else _UNTRIED

    least = max(_LEAST_S * RATE_HZ, 0.0 if device else rows / 2)
    near = {k: at(k, least) for k in range(-reach, reach + 1)}
    best = max(near, key=lambda k: near[k])
    apart = round(_APART_S * RATE_HZ)
    steps = [k for k in range(-farthest, farthest + 1, 2) if abs(k) > device and abs(k - best) >= apart]
    least = max(_LEAST_ELSEWHERE_S * RATE_HZ, rows / 2)
    far = {k: at(k, least) for k in steps}
    other = max(far, key=lambda k: far[k])
    return Agreement(
        score=near[best],
        offset_s=best / RATE_HZ,
        elsewhere=far[other],
        elsewhere_s=other / RATE_HZ,
        part=_worst_part(predicted, spoken, lips, seen, best) if rows >= 2 * _PART_S * RATE_HZ else near[best],
        seconds=rows / RATE_HZ,
    )


def _worst_part(predicted: F64, spoken: Mask, lips: F64, seen: Mask, offset: int) -> float:
    """Return the 20th percentile of the agreement of parts of 2 s, with the sound about `offset` rows late."""
    return float(np.percentile([score for _, score in _parts(predicted, spoken, lips, seen, offset)], _PART_PERCENTILE))


def _parts(predicted: F64, spoken: Mask, lips: F64, seen: Mask, offset: int) -> list[tuple[int, float]]:
    """Return the first row and the agreement of each part."""
    compared = np.flatnonzero(spoken & seen)
    size, hop = round(_PART_S * RATE_HZ), round(_PART_HOP_S * RATE_HZ)
    found = []
    for start in range(0, len(compared) - size + 1, hop):
        part = np.zeros(len(spoken), bool)
        part[compared[start : start + size]] = True
        best = max(_correlation(predicted, part, lips, seen, offset + k, size / 2) for k in _PART_ROWS)
        found.append((int(compared[start]), best))
    return found


def _correlation(predicted: F64, spoken: Mask, lips: F64, seen: Mask, offset: int, least: float) -> float:
    """Return the mean correlation with the sound shifted by `offset` rows, `_UNTRIED` with less than `least` common rows."""
    rows = len(lips)
    if abs(offset) >= rows:
        return _UNTRIED
    sound, picture = slice(max(0, offset), rows + min(0, offset)), slice(max(0, -offset), rows - max(0, offset))
    both = (spoken[sound] & seen[picture]).astype(np.float64)
    count = float(both.sum())
    if count < least:
        return _UNTRIED
    a, b = predicted[sound], lips[picture]
    weighted_a, weighted_b = a * both[:, None], b * both[:, None]
    return float(
        _mean_correlation(
            count,
            weighted_a.sum(axis=0),
            weighted_b.sum(axis=0),
            np.einsum("rf,rf->f", weighted_a, a),
            np.einsum("rf,rf->f", weighted_b, b),
            np.einsum("rf,rf->f", weighted_a, b),
        )
    )


def _at_every_offset(predicted: F64, spoken: Mask, lips: F64, seen: Mask, farthest: int) -> tuple[F64, F64]:
    """Return the number of common rows and the mean correlation for each offset from -farthest to farthest.

    All sums of products at all offsets come from one Fourier transform each, which is much quicker than one offset after another.
    """
    size = 1 << int(np.ceil(np.log2(len(lips) + farthest + 1)))

    def spectrum(columns: F64) -> npt.NDArray[np.complex128]:
        return np.asarray(np.fft.rfft(columns, size, axis=0))

    def lagged(sound: npt.NDArray[np.complex128], picture: npt.NDArray[np.complex128]) -> F64:
        sums = np.fft.irfft(sound * picture.conj(), size, axis=0)
        return np.concatenate([sums[-farthest:], sums[: farthest + 1]])

    heard, looked = spoken.astype(np.float64)[:, None], seen.astype(np.float64)[:, None]
    said_now, seen_now, told, shown = spectrum(heard), spectrum(looked), spectrum(predicted * heard), spectrum(lips * looked)
    counts = np.rint(lagged(said_now, seen_now))
    correlations = _mean_correlation(
        np.maximum(counts, 1.0),
        lagged(told, seen_now),
        lagged(said_now, shown),
        lagged(spectrum(predicted**2 * heard), seen_now),
        lagged(said_now, spectrum(lips**2 * looked)),
        lagged(told, shown),
    )
    return counts[:, 0], correlations


def _mean_correlation(count: F64 | float, sum_a: F64, sum_b: F64, sum_aa: F64, sum_bb: F64, sum_ab: F64) -> F64:
    """Return the weighted mean over the last axis of the correlations computed from sums of values and products."""
    together = sum_ab - sum_a * sum_b / count
    spread = np.maximum(sum_aa - sum_a**2 / count, 0.0) * np.maximum(sum_bb - sum_b**2 / count, 0.0)
    norm = np.sqrt(spread)
    return np.asarray(np.where(norm > _STEADY, together / np.maximum(norm, _STEADY), 0.0) @ _SHARES)


def _features(landmarks: F64, blendshapes: F64) -> F64:
    def apart(pair: tuple[int, int]) -> F64:
        return np.asarray(np.linalg.norm(landmarks[:, pair[0]] - landmarks[:, pair[1]], axis=1))

    eyes = np.maximum(apart(_EYES), 1e-6)
    gap = np.mean([apart(pair) for pair in _GAPS], axis=0)
    lower_down = blendshapes[:, list(_LOWER_DOWN)].mean(axis=1)
    return np.stack([gap / eyes, apart(_HEIGHT) / eyes, blendshapes[:, _PUCKER], lower_down], axis=1)


def _high_pass(signal: F64) -> F64:
    """Return a (rows, k) signal high-pass filtered to the rate of speech."""
    return _smoothed(signal, _SMOOTH_S) - _smoothed(signal, _SLOW_S)


def _smoothed(signal: F64, deviation_s: float) -> F64:
    """Return the columns of a (rows, k) signal convolved with a Gaussian, with edge padding."""
    half = int(4 * deviation_s * RATE_HZ)
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / (deviation_s * RATE_HZ)) ** 2)
    padded = np.pad(signal, ((half, half), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel / kernel.sum(), mode="valid") for column in padded.T], axis=1)
