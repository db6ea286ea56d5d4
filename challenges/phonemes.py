"""English phonemes, their acoustic similarity, and letter-to-sound rules for words outside the lexicon.

Phonemes are ARPAbet without stress marks, as in the CMU Pronouncing Dictionary. `pronounce` knows spelling rules only: it is
meant for comparing what a recogniser wrote with what was asked, where "bimblue" should come out close to "bin blue", and is no
dictionary.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

VOWELS = frozenset({"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"})
PHONEMES = (
    "P", "B", "M", "F", "V", "W", "R", "UW", "UH", "OW", "OY", "AO", "ER", "SH", "ZH", "CH", "JH", "TH", "DH", "S", "Z", "T", "D",
    "N", "L", "Y", "K", "G", "NG", "HH", "IY", "IH", "EY", "EH", "AE", "AA", "AH", "AY", "AW",
)  # fmt: skip
"""The 39 phonemes of General American, in the order in which recognised ones are counted."""

# Consonants a narrow-band line or a foreign accent turns into one another: voicing pairs, nasals, sibilants, dental and labial
# fricatives, liquids and glides (after Miller and Nicely 1955, perceptual confusions among English consonants).
_CLASSES = ("P B", "T D", "K G", "F V TH DH", "S Z SH ZH CH JH", "M N NG", "L R W", "Y IY")
_ALIKE = tuple(frozenset(group.split()) for group in _CLASSES)

# Longest spelling first; a spelling that starts with ^ or ends with $ holds at the edge of the word only.
_SPELLINGS = {
    "tion": "SH AH N",
    "eigh": "EY",
    "ough": "AO",
    "augh": "AO",
    "igh": "AY",
    "tch": "CH",
    "dge": "JH",
    "ies$": "IY Z",
    "ould": "UH D",
    "^wh": "W",
    "^kn": "N",
    "^wr": "R",
    "ph": "F",
    "ch": "CH",
    "sh": "SH",
    "th": "TH",
    "ck": "K",
    "qu": "K W",
    "ng$": "NG",
    "nk": "NG K",
    "ce": "S",
    "ci": "S IH",
    "cy": "S IY",
    "gh": "",
    "ee": "IY",
    "ea": "IY",
    "ei": "EY",
    "ie": "IY",
    "oo": "UW",
    "ou": "AW",
    "ow": "OW",
    "oi": "OY",
    "oy": "OY",
    "oa": "OW",
    "ai": "EY",
    "ay": "EY",
    "au": "AO",
    "aw": "AO",
    "ew": "UW",
    "ue": "UW",
    "ey$": "IY",
    "le$": "AH L",
    "re$": "ER",
    "ar": "AA R",
    "er": "ER",
    "ir": "ER",
    "ur": "ER",
    "or": "AO R",
    "all": "AO L",
    "^y": "Y",
    "y$": "IY",
    "o$": "OW",
    "a$": "AH",
    "es$": "Z",
    "e$": "",
    "a": "AE",
    "b": "B",
    "c": "K",
    "d": "D",
    "e": "EH",
    "f": "F",
    "g": "G",
    "h": "HH",
    "i": "IH",
    "j": "JH",
    "k": "K",
    "l": "L",
    "m": "M",
    "n": "N",
    "o": "AA",
    "p": "P",
    "q": "K",
    "r": "R",
    "s": "S",
    "t": "T",
    "u": "AH",
    "v": "V",
    "w": "W",
    "x": "K S",
    "y": "IH",
    "z": "Z",
}
_LETTERS = {
    letter: tuple(sounds.split())
    for letter, sounds in {
        "a": "EY",
        "b": "B IY",
        "c": "S IY",
        "d": "D IY",
        "e": "IY",
        "f": "EH F",
        "g": "JH IY",
        "h": "EY CH",
        "i": "AY",
        "j": "JH EY",
        "k": "K EY",
        "l": "EH L",
        "m": "EH M",
        "n": "EH N",
        "o": "OW",
        "p": "P IY",
        "q": "K Y UW",
        "r": "AA R",
        "s": "EH S",
        "t": "T IY",
        "u": "Y UW",
        "v": "V IY",
        "w": "D AH B AH L Y UW",
        "x": "EH K S",
        "y": "W AY",
        "z": "Z IY",
    }.items()
}
_LONG = {"a": "EY", "e": "IY", "i": "AY", "o": "OW", "u": "UW"}
_LONGEST = max(len(spelling.strip("^$")) for spelling in _SPELLINGS)


@lru_cache(maxsize=4096)
def pronounce(word: str) -> tuple[str, ...]:
    """Return the phonemes a lower-case word is likely to have; a single letter is said by its name."""
    if len(word) == 1:
        return _LETTERS.get(word, ())
    sounds: list[str] = []
    at = 0
    while at < len(word):
        length, said = _rule(word, at)
        if length == 1 and at and word[at] == word[at - 1] and word[at] in "bcdfgklmnprstz":
            said = ""
        sounds.extend(said.split())
        at += length
    return tuple(sounds)


def similarity(a: Sequence[str], b: Sequence[str]) -> float:
    """Return how alike two sequences of phonemes sound, from 0 (nothing in common) to 1 (the same).

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


def _rule(word: str, at: int) -> tuple[int, str]:
    """Return the length of the longest spelling that holds at this place, and its sounds."""
    if word[at] in _LONG and len(word) == at + 3 and word[-1] == "e" and word[at + 1] not in "aeiouwy":
        return 1, _LONG[word[at]]
    for length in range(min(_LONGEST, len(word) - at), 0, -1):
        piece = word[at : at + length]
        keys = [piece]
        if at == 0:
            keys.insert(0, f"^{piece}")
        if at + length == len(word):
            keys.insert(0, f"{piece}$")
        for key in keys:
            if key in _SPELLINGS:
                return length, _SPELLINGS[key]
    return 1, ""
