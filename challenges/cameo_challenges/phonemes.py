"""Phonemes of speech and their acoustic similarity: ARPAbet without stress marks, as in the CMU Pronouncing Dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

VOWELS = frozenset({"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"})
PHONEMES = (
    "P", "B", "M", "F", "V", "W", "R", "UW", "UH", "OW", "OY", "AO", "ER", "SH", "ZH", "CH", "JH", "TH", "DH", "S", "Z", "T", "D",
    "N", "L", "Y", "K", "G", "NG", "HH", "IY", "IH", "EY", "EH", "AE", "AA", "AH", "AY", "AW",
)  # fmt: skip
"""The 39 phonemes of General American, in the order in which recognised ones are counted."""

# Consonants that a narrow-band line or a foreign accent confuses: voicing pairs, nasals, sibilants, dental and labial
# fricatives, liquids and glides (after Miller and Nicely 1955, perceptual confusions among English consonants).
_CLASSES = ("P B", "T D", "K G", "F V TH DH", "S Z SH ZH CH JH", "M N NG", "L R W", "Y IY")
_ALIKE = tuple(frozenset(group.split()) for group in _CLASSES)


def similarity(a: Sequence[str], b: Sequence[str]) -> float:
    """Return the acoustic similarity of two sequences of phonemes, from 0 (nothing in common) to 1 (equal).

    One minus the weighted edit distance over the longer length; two vowels, or two consonants of one class, differ by half.
    """
    longest = max(len(a), len(b))
    return 1.0 - _distance(a, b) / longest if longest else 0.0


def _difference(a: str, b: str) -> float:
    if a == b:
        return 0.0
    if a in VOWELS and b in VOWELS:
        return 0.5
    return 0.5 if any(a in group and b in group for group in _ALIKE) else 1.0


def _distance(a: Sequence[str], b: Sequence[str]) -> float:
    row = [float(j) for j in range(len(b) + 1)]
    for i, x in enumerate(a, 1):
        above, row = row, [float(i)]
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1.0, row[j - 1] + 1.0, above[j - 1] + _difference(x, y)))
    return row[-1]
