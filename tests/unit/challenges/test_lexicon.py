from itertools import combinations

import pytest

from cameo_challenges.match import Expected, align, tokens
from cameo_challenges.phonemes import PHONEMES, VOWELS
from cameo_verifier.types import Word
from tests.english import DIGITS, ENGLISH, WORDS

EVERY = {**DIGITS, **WORDS}
SHOWN = {*["P", "B", "M"], *["F", "V"], *["W", "R", "UW", "UH", "OW", "OY", "AO", "ER", "AW"], *["SH", "ZH", "CH", "JH"]}
"""Phonemes that press the lips together, touch the teeth, round the lips or push them forward (Jeffers and Barley, Speechreading,
1971)."""


def edits(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Return how many phonemes must be changed, added or left out to turn one word into the other."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
    return row[-1]


def test_there_are_enough_words() -> None:
    """The lexicon has at least the 64 words the entropy is argued with, and none is a digit."""
    assert len(WORDS) >= 64
    assert not set(WORDS) & set(DIGITS)
    assert list(WORDS) == sorted(WORDS)


def test_zero_is_zero() -> None:
    """The digits are asked for by these ten names, in order."""
    assert tuple(DIGITS) == ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def test_every_word_is_made_of_phonemes() -> None:
    """There are the 39 of ARPAbet, each once, and no word has another."""
    assert len(set(PHONEMES)) == len(PHONEMES) == 39
    assert set(PHONEMES) >= VOWELS
    assert {phoneme for entry in EVERY.values() for phoneme in entry.phonemes} <= set(PHONEMES)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_shows_on_the_lips(word: str) -> None:
    """Each word of the lexicon closes, touches or puckers the lips, and has two vowels or more."""
    entry = WORDS[word]
    assert set(entry.phonemes) & SHOWN
    assert sum(phoneme in VOWELS for phoneme in entry.phonemes) >= 2


def test_words_are_far_apart() -> None:
    """No word is closer than the stated number of phoneme edits to another word or to a digit."""
    close = [
        (a, b)
        for a, b in combinations(EVERY, 2)
        if not {a, b} <= set(DIGITS) and edits(EVERY[a].phonemes, EVERY[b].phonemes) < ENGLISH.least_edits
    ]
    assert close == []


def test_no_word_answers_another() -> None:
    """No word, rightly written down, answers another one, however alike they sound."""
    heard = {word: [Word(word, 0.0, 1.0, 1.0)] for word in EVERY}
    taken = [(a, b) for a in EVERY for b in EVERY if a != b and align([Expected(a, 0)], heard[b], ENGLISH).complete]
    assert taken == []


@pytest.mark.parametrize("word", EVERY)
def test_every_word_is_one_token(word: str) -> None:
    """No word is changed, split or taken for a homophone when it is normalised."""
    assert tokens(word, ENGLISH) == (word,)
