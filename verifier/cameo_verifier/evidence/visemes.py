"""Visemes: maps recognised phonemes to the mouth shapes they require.

1. The phoneme recogniser gives each 20 ms the probability of each phoneme. It is overconfident in one or two rows a phoneme; a
   temperature spreads the probability over neighbouring rows and the second guess.
2. Each phoneme has a target of the lips, its viseme, and a dominance, how strongly it enforces it: the closure of an M never
   gives way, a vowel does. The shapes are those of phonetics (closed, tucked under the teeth, rounded, spread, open), no more of
   them than it names; their amounts are fitted, to the nearest twentieth, to ten talkers and five generated heads
   (docs/calibration-log.md judges each of them by what the others alone give).
3. The lips of a moment are the mean of all targets around it, weighted by probability, dominance and nearness in time, after
   Cohen and Massaro, Modeling Coarticulation in Synthetic Visual Speech (1993); without a phoneme near they rest.
4. Four features that can be measured on a face follow from the six of the target by the sign and rough size of their geometry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.models.phonemes import RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.types import F32, F64

_TEMPERATURE = 1.5
_BEFORE_S, _AFTER_S, _REACH_S = 0.04, 0.06, 0.2
"""Lips take less long to form a shape than to leave it."""
_REST = 0.05
"""Dominance of lips at rest."""

# Each viseme: jaw, parted, closed, tucked, rounded, spread, 0..1; its dominance; its phonemes in IPA.
_VISEMES: tuple[tuple[tuple[float, ...], float, str], ...] = (
    ((0.0, 0.0, 1.0, 0.0, 0.0, 0.0), 6.0, "m b p pʰ p͈ ɓ ɱ"),
    ((0.0, 0.0, 0.0, 1.0, 0.0, 0.0), 4.0, "f v ʋ"),
    ((0.1, 0.0, 0.0, 0.0, 1.0, 0.0), 2.2, "w u ʊ wa we wi wʌ ʷ ʉ ɥ y ju"),
    ((0.25, 0.0, 0.0, 0.0, 0.35, 0.0), 1.4, "ʃ ʒ t͡ʃ d͡ʒ ɹ r ɝ ɚ ɜ ɻ ʂ ʐ t͡ɕ t͡ɕʰ t͡ɕ͈ ɕ ʑ"),
    ((0.1, 0.1, 0.0, 0.0, 0.0, 0.0), 1.4, "s z θ ð s͈"),
    ((0.2, 0.05, 0.0, 0.0, 0.0, 0.0), 1.4, "t d n l ɫ ɾ j tʰ t͈ ɟ ʝ ɲ ʎ ç c"),
    ((0.25, 0.0, 0.0, 0.0, 0.0, 0.0), 1.4, "k g ɡ h ŋ ʔ x kʰ k͈ ɣ ħ ɦ χ ʁ"),
    ((0.9, 0.2, 0.0, 0.0, 0.0, 0.0), 1.4, "a aɪ aʊ æ ɑ ɐ ja ä"),
    ((0.5, 0.0, 0.0, 0.0, 0.0, 0.0), 1.4, "ə ʌ ɛ e eə jʌ je ɘ ɤ"),
    ((0.7, 0.3, 0.0, 0.0, 0.0, 0.9), 1.4, "eɪ"),
    ((0.3, 0.1, 0.0, 0.0, 0.0, 0.6), 1.4, "i ɪ ɨ ɪə ɯ"),
    ((0.65, 0.0, 0.0, 0.0, 0.35, 0.0), 1.4, "o oʊ ɔ ɒ ɔɪ jo œ ø ɵ"),
)

# Maps a target to measured features, one row for each of `cameo_verifier.evidence.lips.FEATURES`.
_GEOMETRY = np.array(
    [
        [1.0, 0.5, -0.35, -0.1, -0.5, 0.0],
        [1.0, 0.3, -0.2, 0.0, -0.1, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, -0.2],
        [1.0, 0.5, -0.3, -0.1, -0.6, 0.0],
    ]
)


def lips_said(log_probs: F32, tokens: Sequence[str]) -> F32:
    """Return the predicted lip features (rows, 4) float32 at 50 Hz, in the order of `lips.FEATURES`.

    Args:
        log_probs: (rows, tokens) natural-log probabilities of phonemes.
        tokens: the token of each column; those without a viseme do not constrain the lips.
    """
    if not len(log_probs):
        return np.zeros((0, len(_GEOMETRY)), np.float32)
    shapes, dominance = _columns(tokens)
    nats = log_probs.astype(np.float64)
    odds = np.exp((nats - nats.max(axis=1, keepdims=True)) / _TEMPERATURE)
    weights = odds / odds.sum(axis=1, keepdims=True) * dominance
    steps = np.arange(-round(_REACH_S * RATE_HZ), round(_REACH_S * RATE_HZ) + 1) / RATE_HZ
    nearness = np.exp(-np.abs(steps) / np.where(steps > 0, _AFTER_S, _BEFORE_S))
    insisted = _convolved(weights.sum(axis=1, keepdims=True), nearness)
    shape = _convolved(weights @ shapes, nearness) / (insisted + _REST)
    return np.asarray(shape @ _GEOMETRY.T, np.float32)


def _columns(tokens: Sequence[str]) -> tuple[F64, F64]:
    """Return each token's target (tokens, 6) and dominance (tokens,), 0 without a viseme."""
    by_phoneme = {phoneme: (shape, dominance) for shape, dominance, names in _VISEMES for phoneme in names.split()}
    none = ((0.0,) * _GEOMETRY.shape[1], 0.0)
    found = [by_phoneme.get(token, none) for token in tokens]
    return np.array([shape for shape, _ in found]), np.array([strength for _, strength in found])


def _convolved(columns: F64, kernel: F64) -> F64:
    """Return (rows, k) columns convolved with an odd kernel, as long as they were."""
    half = len(kernel) // 2
    return np.stack([np.convolve(column, kernel)[half : half + len(column)] for column in columns.T], axis=1)
