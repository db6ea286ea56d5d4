"""A language: the words that challenges are made of, and how what is said in it is written, heard and pronounced.

The files of a language, TOML in the folder of its tag:

- `words.toml`: digits and lexicon, each with its phonemes.
- `numbers.toml`: how numbers are written and said.
- `heard.toml`: fillers, homophones, other names of the digit 0, and words that are said otherwise than the lexicon has it.
- `spelling.toml`: letters to sounds.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = "en"
"""The language of a challenge that names none."""
_FILES = ("words", "numbers", "heard", "spelling")


class UnknownLanguageError(ValueError):
    """There is no such language here; the message names those there are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A word with its phonemes in order: ARPAbet without stress."""

    word: str
    phonemes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """How numbers are written and said, beside digits.

    Attributes:
        hundred: the word for 100.
        hundred_and: what joins it to what follows, with it.
        times: words that repeat the digit that follows, and how often.
        teens: words of two digits.
        tens: words of a first digit.
    """

    hundred: str
    hundred_and: str
    times: Mapping[str, int]
    teens: Mapping[str, str]
    tens: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Zero:
    """The names of the digit 0.

    Attributes:
        token: the one that is asked for.
        short: another, written as a figure like the first; short_phonemes: how it is said.
        other: a third.
        read: what is written for the third.
    """

    token: str
    short: str
    short_phonemes: tuple[str, ...]
    other: str
    read: frozenset[str]


@dataclass(frozen=True, slots=True)
class Spelling:
    """Letters to sounds: `pronounce` is for words that stand in no lexicon.

    Attributes:
        names: of single letters, as phonemes.
        doubled: letters that are written twice and said once.
        vowels: phonemes of long ones; silent: the letter at the end that makes them so; not_before: what never stands between.
        rules: phonemes of spellings, longest first; one that starts with ^ or ends with $ holds at the edge of the word only.
    """

    names: Mapping[str, str]
    doubled: str
    vowels: Mapping[str, str]
    silent: str
    not_before: str
    rules: Mapping[str, str]

    def rule(self, word: str, at: int) -> tuple[int, str]:
        """Return the length of the longest spelling that holds at this place, and its phonemes."""
        if word[at] in self.vowels and len(word) == at + 3 and word[-1] == self.silent and word[at + 1] not in self.not_before:
            return 1, self.vowels[word[at]]
        longest = max(len(spelling.strip("^$")) for spelling in self.rules)
        for length in range(min(longest, len(word) - at), 0, -1):
            piece = word[at : at + length]
            keys = [piece]
            if at == 0:
                keys.insert(0, f"^{piece}")
            if at + length == len(word):
                keys.insert(0, f"{piece}$")
            for key in keys:
                if key in self.rules:
                    return length, self.rules[key]
        return 1, ""


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """One language; there is one value of each.

    Attributes:
        tag: BCP 47.
        digits: the ten digits in order.
        lexicon: words of challenges beside digits, in alphabetical order.
        least_edits: least number of phoneme edits between a word of the lexicon and any other word or digit.
        numbers: how numbers are written and said.
        homophones: what is heard, and the name it goes by.
        fillers: hesitations, and words that stand for nothing.
        zero: the names of the digit 0.
        said: other ways to say a word, as phonemes.
        spelling: letters to sounds.
    """

    tag: str
    digits: Mapping[str, Entry]
    lexicon: Mapping[str, Entry]
    least_edits: int
    numbers: Numbers
    homophones: Mapping[str, str]
    fillers: frozenset[str]
    zero: Zero
    said: Mapping[str, tuple[tuple[str, ...], ...]]
    spelling: Spelling

    def entry(self, word: str) -> Entry | None:
        """Return the digit or word of the lexicon of that spelling."""
        return self.digits.get(word) or self.lexicon.get(word)

    def phonemes(self, word: str) -> tuple[str, ...]:
        """Return the phonemes of a lower-case word: of the lexicon, or those its spelling makes likely."""
        entry = self.entry(word)
        return entry.phonemes if entry else pronounce(self, word)


@lru_cache(maxsize=4096)
def pronounce(of: Language, word: str) -> tuple[str, ...]:
    """Return the phonemes a lower-case word is likely to have by its spelling; a single letter is said by its name."""
    spelling = of.spelling
    if len(word) == 1:
        return tuple(spelling.names.get(word, "").split())
    sounds: list[str] = []
    at = 0
    while at < len(word):
        length, said = spelling.rule(word, at)
        if length == 1 and at and word[at] == word[at - 1] and word[at] in spelling.doubled:
            said = ""
        sounds.extend(said.split())
        at += length
    return tuple(sounds)


@cache
def available() -> tuple[str, ...]:
    """Return the tags of the languages there are."""
    folders = resources.files(__package__).iterdir()
    return tuple(sorted(each.name for each in folders if each.is_dir() and each.joinpath("words.toml").is_file()))


@cache
def language(tag: str) -> Language:
    """Return the language of a tag.

    Raises:
        UnknownLanguageError: there is none of that tag; tags are compared as they are written.
    """
    if tag not in available():
        raise UnknownLanguageError(f"no language {tag!r}; there is {', '.join(available())}")
    folder = resources.files(__package__).joinpath(tag)
    words, numbers, heard, spelling = (tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8")) for name in _FILES)
    homophones = [(name, those.split()) for table in heard["homophones"].values() for name, those in table.items()]
    return Language(
        tag=tag,
        digits=_entries(words["digits"]),
        lexicon=_entries(words["lexicon"]),
        least_edits=words["least_edits"],
        numbers=_numbers(numbers),
        homophones={each: name for name, those in homophones for each in those},
        fillers=frozenset(heard["fillers"]),
        zero=_zero(heard["digit_zero"]),
        said={word: tuple(tuple(way.split()) for way in ways) for word, ways in heard["said"].items()},
        spelling=_spelling(spelling),
    )


def digest() -> str:
    """Return the SHA-256 of all languages: of their files and of what reads them."""
    package = resources.files(__package__)
    files = [each for tag in available() for each in sorted(package.joinpath(tag).iterdir(), key=lambda file: file.name)]
    whole = hashlib.sha256(package.joinpath("language.py").read_bytes())
    for file in files:
        whole.update(file.name.encode() + file.read_bytes())
    return whole.hexdigest()


def _entries(table: Mapping[str, str]) -> dict[str, Entry]:
    return {word: Entry(word, tuple(phonemes.split())) for word, phonemes in table.items()}


def _numbers(table: Mapping[str, Any]) -> Numbers:
    return Numbers(table["hundred"], f"{table['hundred']} {table['and']} ", table["times"], table["teens"], table["tens"])


def _zero(table: Mapping[str, str]) -> Zero:
    return Zero(
        token=table["token"],
        short=table["short"],
        short_phonemes=tuple(table["short_phonemes"].split()),
        other=table["other"],
        read=frozenset(table["read"].split()),
    )


def _spelling(table: Mapping[str, Any]) -> Spelling:
    long = table["long"]
    return Spelling(table["names"], table["doubled"], long["vowels"], long["silent"], long["not_before"], table["spellings"])
