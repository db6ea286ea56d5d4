"""Are the asked words understood of whoever says them, and no others?

1. Digit strings of accented speakers by age group and gender, and zip codes over the telephone: the right digits, one of them
   changed, two of them changed.
2. Words as long as those of the lexicon (four phonemes and two syllables at least, by their spelling), each asked of the sentence
   it stands in, the rest of which is talk beside it: whether the word counts as said, as it would in a challenge, and whether a
   word of the lexicon in its place does. Few words of the lexicon are among them; those are counted by themselves.
3. What a challenge asks for, eight words: two digit strings of one child, a second apart.

Each recording is encoded and read once, and judged against every phrase. Print the table with
`python -m tests.real.words --devdata FOLDER`.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cameo_challenges.languages.language import pronounce
from cameo_challenges.match import tokens
from cameo_challenges.model import Challenge, Say
from cameo_challenges.phonemes import VOWELS
from cameo_verifier.evidence.sound import RATE_HZ
from cameo_verifier.evidence.spoken import witnesses, words_said
from tests.bench.phrase import Ear, changed, sound_of, zip_code
from tests.english import DIGITS, ENGLISH, WORDS
from tests.real.finding import Item, finding
from tests.real.table import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.real.finding import Finding, Real

_DIGITS = "Are digits understood, and no others?"
_WORDS = "Are words as long as those of the lexicon understood, and no others?"
_RIGHT, _ONE, _TWO = "right accepted", "one digit wrong accepted", "two digits wrong accepted"
_SAID, _REPLACED = "said, counts as said", "another word counts as said"
_CALLERS = "telephone callers"
_ONES, _TWOS = 4, 8
"""Draws for each recording."""
_PAIRS = 2
"""Of strings, for each speaker."""


class Clip(NamedTuple):
    """A recording of `accented/`: its file, its speaker and group, and what was said."""

    path: Path
    speaker: str
    group: str
    text: str

    @property
    def digits(self) -> str:
        """The digits, of a clip with nothing else; empty of others. One child says "seek" for six."""
        words = ["six" if word == "seek" else word for word in self.text.split()]
        return " ".join(words) if all(word in DIGITS for word in words) else ""

    @property
    def long_words(self) -> list[str]:
        """The words that are as long as those of the lexicon, each once."""
        return [word for word in dict.fromkeys(self.text.split()) if is_long(word)]


def is_long(word: str) -> bool:
    """Whether a word is as long as those of the lexicon."""
    syllables = sum(sound in VOWELS for sound in pronounce(ENGLISH, word))
    other = tokens(word, ENGLISH) == (word,) and word not in DIGITS
    return word in WORDS or (other and syllables >= 2 and len(pronounce(ENGLISH, word)) >= 4)


def clips(folder: Path) -> list[Clip]:
    """Return the clips of `accented/`, by group: under 13, 13 to 17, 18 and over, by gender."""
    found = []
    with (folder / "speech/accented/index.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            age = int(row["age"])
            ages = "under 13" if age < 13 else "13-17" if age < 18 else "18+"
            group = f"{ages}, {'female' if row['gender'] == 'f' else 'male'}"
            found.append(Clip(folder / "speech/accented" / row["file"], row["speaker"], group, row["text"]))
    order = [f"{ages}, {gender}" for ages in ("under 13", "13-17", "18+") for gender in ("female", "male")]
    return sorted(found, key=lambda clip: (order.index(clip.group), clip.path.name))


def _tries(ear: Ear, name: str, texts: Sequence[str], rng: Random) -> Iterator[tuple[str, Item]]:
    """Yield what is counted, and the trial, of a recording of digits; the same wrong digits are judged once."""
    asked = " | ".join(texts)
    yield _RIGHT, Item(f"{name}: {asked}", ear.accepts(texts))
    for what, count, draws in ((_ONE, 1, _ONES), (_TWO, 2, _TWOS)):
        known: dict[tuple[str, ...], bool] = {}
        for _ in range(draws):
            wrong = changed(texts, count, rng)
            if wrong not in known:
                known[wrong] = ear.accepts(wrong)
            yield what, Item(f"{name}: {asked}, asked {' | '.join(wrong)}", known[wrong])


def _strings(real: Real, found: Sequence[Clip]) -> Iterator[tuple[str, str, Item]]:
    """Yield group, what is counted and the trial, of all digit strings."""
    rng = Random(15)  # noqa: S311 - a measurement repeats itself
    said: dict[str, list[Clip]] = defaultdict(list)
    for clip in found:
        if clip.digits:
            said[clip.speaker].append(clip)
            ear = Ear(sound_of(clip.path), real.kit, real.profile)
            yield from ((clip.group, *tried) for tried in _tries(ear, clip.path.stem, [clip.digits], rng))
    with (real.folder / "speech/digits/transcripts.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            ear = Ear(sound_of(real.folder / "speech/digits" / row["file"]), real.kit, real.profile)
            yield from ((_CALLERS, *tried) for tried in _tries(ear, row["file"], [zip_code(row["transcript"])], rng))
    pause = np.zeros(RATE_HZ, np.float32)
    for strings in said.values():
        pairs = list(permutations(strings, 2))
        for first, second in rng.sample(pairs, min(_PAIRS, len(pairs))):
            ear = Ear(np.concatenate([sound_of(first.path), pause, sound_of(second.path)]), real.kit, real.profile)
            name, texts = f"{first.path.stem}, {second.path.stem}", [first.digits, second.digits]
            group = f"{first.group}, two strings"
            yield from ((group, *tried) for tried in _tries(ear, name, texts, rng))


def _counts(real: Real, ear: Ear, word: str) -> bool:
    """Whether a word counts as said."""
    read, unread = (real.profile[f"phrase_{name}_word_gain_min"].value for name in ("read", "unread"))
    heard = witnesses(Challenge((Say(word),)), ear.listened([word]))
    return all(words_said(heard, read_gain=read, unread_gain=unread))


def _words(real: Real, found: Sequence[Clip]) -> Iterator[tuple[str, str, Item]]:
    """Yield group, what is counted and the trial, of all words that are long enough."""
    rng = Random(16)  # noqa: S311 - a measurement repeats itself
    for clip in found:
        if clip.digits or not clip.long_words:
            continue
        ear = Ear(sound_of(clip.path), real.kit, real.profile)
        for word in clip.long_words:
            other = rng.choice([other for other in WORDS if other not in clip.text.split()])
            right, wrong = _counts(real, ear, word), _counts(real, ear, other)
            groups = (clip.group, "all, words of the lexicon") if word in WORDS else (clip.group,)
            for group in groups:
                yield group, _SAID, Item(f"{clip.path.stem}: {word}", right)
                yield group, _REPLACED, Item(f"{clip.path.stem}: {word}, asked {other}", wrong)


def _finding(question: str, group: str, what: str, items: Sequence[Item]) -> Finding:
    if what not in {_RIGHT, _SAID}:
        return finding(question, group, what, items, goal="<= 1 %" if what == _TWO else "")
    goal = ">= 90 %" if group.startswith("under 13") else ">= 95 %"
    refused = next((item.name for item in items if not item.counts), "")
    return replace(finding(question, group, what, items, goal=goal), worst=refused)


def measure(real: Real) -> list[Finding]:
    """Return what share of the right words was accepted, and of wrong ones, by group; of right ones the worst was refused."""
    found = clips(real.folder)
    lines: list[Finding] = []
    for question, trials in ((_DIGITS, _strings(real, found)), (_WORDS, _words(real, found))):
        items: dict[tuple[str, str], list[Item]] = defaultdict(list)
        for group, what, item in trials:
            items[group, what].append(item)
        lines += [_finding(question, *key, tried) for key, tried in items.items()]
    return lines


if __name__ == "__main__":
    run(measure, __doc__)
