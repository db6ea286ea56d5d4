from itertools import combinations

import pytest

from challenges.lexicon import CLOSED, DIGITS, MIN_DISTANCE, PUCKERED, VISEMES, WORDS, Viseme
from challenges.match import Expected, align, tokens
from challenges.phonemes import VOWELS, edit_distance
from verifier.types import Word

EVERY = {**DIGITS, **WORDS}


def test_there_are_enough_words() -> None:
    """The lexicon has at least the 64 words the entropy is argued with, and none is a digit."""
    assert len(WORDS) >= 64
    assert not set(WORDS) & set(DIGITS)
    assert list(WORDS) == sorted(WORDS)


def test_zero_is_zero() -> None:
    """The digits are asked for by these ten names, in order."""
    assert tuple(DIGITS) == ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def test_every_phoneme_has_a_viseme() -> None:
    """The table covers the 39 ARPAbet phonemes, and every word is made of those."""
    assert len(VISEMES) == 39
    assert set(VISEMES) >= VOWELS
    assert {phoneme for entry in EVERY.values() for phoneme in entry.phonemes} <= set(VISEMES)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_shows_on_the_lips(word: str) -> None:
    """Each word of the lexicon closes, touches or puckers the lips, and has two vowels or more."""
    entry = WORDS[word]
    assert set(entry.visemes) & (CLOSED | PUCKERED)
    assert sum(phoneme in VOWELS for phoneme in entry.phonemes) >= 2


def test_words_are_far_apart() -> None:
    """No word is closer than the stated number of phoneme edits to another word or to a digit."""
    close = [
        (a, b)
        for a, b in combinations(EVERY, 2)
        if not {a, b} <= set(DIGITS) and edit_distance(EVERY[a].phonemes, EVERY[b].phonemes) < MIN_DISTANCE
    ]
    assert close == []


def test_no_word_answers_another() -> None:
    """No word, rightly written down, answers another one, however alike they sound."""
    heard = {word: [Word(word, 0.0, 1.0, 1.0)] for word in EVERY}
    taken = [(a, b) for a in EVERY for b in EVERY if a != b and align([Expected(a, 0)], heard[b]).complete]
    assert taken == []


@pytest.mark.parametrize("word", EVERY)
def test_every_word_is_one_token(word: str) -> None:
    """No word is changed, split or taken for a homophone when it is normalised."""
    assert tokens(word) == (word,)


def test_visemes_follow_the_phonemes() -> None:
    """The word "mushroom" closes the lips, pushes them forward, rounds and closes them again."""
    assert WORDS["mushroom"].phonemes == ("M", "AH", "SH", "R", "UW", "M")
    assert WORDS["mushroom"].visemes == (
        Viseme.BILABIAL,
        Viseme.OPEN,
        Viseme.PROTRUDED,
        Viseme.ROUNDED,
        Viseme.ROUNDED,
        Viseme.BILABIAL,
    )
