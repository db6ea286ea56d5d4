"""Language data: the words of challenges in a language, and how speech in it is written, recognised and pronounced.

The files of a language, TOML in the folder of its tag:

- `words.toml`: digits and lexicon, each with its phonemes.
- `numbers.toml`: number words and figures.
- `heard.toml`: fillers, homophones, other names of the digit 0, and alternative pronunciations of words.
- `spelling.toml`: grapheme-to-phoneme rules.
- `prompts.toml`: prompts of steps.
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
"""The language of a challenge without a tag."""
_FILES = ("words", "numbers", "heard", "spelling", "prompts")


class UnknownLanguageError(ValueError):
    """No language has this tag; the message names the available ones."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A word with its phonemes in order: ARPAbet without stress."""

    word: str
    phonemes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Number words beside digits.

    Attributes:
        hundred: the word for 100.
        hundred_and: the same with the conjunction to what follows.
        times: words that repeat the digit that follows, with its count.
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
        token: the name in challenges.
        short: another, written as a figure like the first.
        short_phonemes: its pronunciation.
        other: a third.
        read: transcriptions of the third.
    """

    token: str
    short: str
    short_phonemes: tuple[str, ...]
    other: str
    read: frozenset[str]


@dataclass(frozen=True, slots=True)
class Spelling:
    """Grapheme-to-phoneme rules: `pronounce` applies them to words outside the lexicon.

    Attributes:
        names: phonemes of single letters.
        doubled: letters that are written twice and said once.
        vowels: phonemes of long vowels.
        silent: the final letter that lengthens a vowel.
        not_before: letters that never separate the two.
        rules: phonemes of spellings, longest first; one that starts with ^ or ends with $ applies at the edge of the word only.
    """

    names: Mapping[str, str]
    doubled: str
    vowels: Mapping[str, str]
    silent: str
    not_before: str
    rules: Mapping[str, str]

    def rule(self, word: str, at: int) -> tuple[int, str]:
        """Return the length of the longest spelling that applies at this place, and its phonemes."""
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


@dataclass(frozen=True, slots=True)
class Prompts:
    """Prompts: for words, with their place `{words}`, for each head turn and for each facial gesture, by its name."""

    say: str
    turn: Mapping[str, str]
    gesture: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """One language; there is one instance of each.

    Attributes:
        tag: BCP 47.
        digits: the ten digits in order.
        lexicon: words of challenges beside digits, in alphabetical order.
        least_edits: least phoneme edit distance between a word of the lexicon and any other word or digit.
        numbers: number words and figures.
        homophones: transcribed words, and their canonical names.
        fillers: hesitations, and words without content.
        zero: the names of the digit 0.
        by_phonemes: whether the kit's phoneme recogniser was shown to tell its words apart; without, the speech recogniser does.
        said: alternative pronunciations of words, as phonemes.
        spelling: grapheme-to-phoneme rules.
        prompts: prompts of steps.
    """

    tag: str
    digits: Mapping[str, Entry]
    lexicon: Mapping[str, Entry]
    least_edits: int
    numbers: Numbers
    homophones: Mapping[str, str]
    fillers: frozenset[str]
    zero: Zero
    by_phonemes: bool
    said: Mapping[str, tuple[tuple[str, ...], ...]]
    spelling: Spelling
    prompts: Prompts

    def entry(self, word: str) -> Entry | None:
        """Return the digit or word of the lexicon of that spelling."""
        return self.digits.get(word) or self.lexicon.get(word)

    def phonemes(self, word: str) -> tuple[str, ...]:
        """Return the phonemes of a lower-case word: those of the lexicon, or by its spelling."""
        entry = self.entry(word)
        return entry.phonemes if entry else pronounce(self, word)


@lru_cache(maxsize=4096)
def pronounce(of: Language, word: str) -> tuple[str, ...]:
    """Return the likely phonemes of a lower-case word by its spelling; a single letter is pronounced by its name."""
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
    """Return the tags of all languages."""
    folders = resources.files(__package__).iterdir()
    return tuple(sorted(each.name for each in folders if each.is_dir() and each.joinpath("words.toml").is_file()))


@cache
def language(tag: str) -> Language:
    """Return the language of a tag.

    Raises:
        UnknownLanguageError: no language has that tag; tags are compared exactly.
    """
    if tag not in available():
        raise UnknownLanguageError(f"no language {tag!r}; there is {', '.join(available())}")
    folder = resources.files(__package__).joinpath(tag)
    words, numbers, heard, spelling, prompts = (
        tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8")) for name in _FILES
    )
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
        by_phonemes=heard["by_phonemes"],
        said={word: tuple(tuple(way.split()) for way in ways) for word, ways in heard["said"].items()},
        spelling=_spelling(spelling),
        prompts=Prompts(**prompts),
    )


def digest() -> str:
    """Return the SHA-256 of all languages: of their files and of the reader."""
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
