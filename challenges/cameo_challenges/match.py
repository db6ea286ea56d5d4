"""Phrase matching: aligns the expected words with a transcript.

Both sides are first normalised to the canonical tokens of a language: lower-case words, numbers digit by digit ("742", "7-4-2"
and "seven hundred forty two" all become seven, four, two; "double three" is three, three), homophones under one name ("for" is
four, "oh" is zero). Then the two token sequences are aligned in order; a word matches if its phonetic similarity is high enough,
so that "bimblue" matches "bin blue".

Invariants: order matters, a recognised word matches one place at most, and two different digits or words of the lexicon never
match one another, whatever their similarity.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from cameo_challenges.languages import language
from cameo_challenges.model import Say
from cameo_challenges.phonemes import similarity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cameo_challenges.languages import Language
    from cameo_challenges.model import Challenge

NEAR = 0.6
"""Least phonetic similarity at which a recognised word matches an expected one.

It is part of the definition of a match, like the phoneme classes it is measured with: "weight" for "white" has 0.83, "bimblue"
for "bin blue" 0.83."""

_PIECE = re.compile(r"\d+|[^\W\d_]+")


class Heard(Protocol):
    """A recognised word, as a transcript gives it: its text and its times in seconds."""

    @property
    def text(self) -> str:
        """The text as the recogniser wrote it, with punctuation."""

    @property
    def start_s(self) -> float:
        """The start of the word."""

    @property
    def end_s(self) -> float:
        """The end of the word."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One expected word, in its canonical form, and the index of its step."""

    token: str
    step: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The one or two recognised tokens that match an expected one; `similarity` 0..1.

    written: the word of the transcript that holds the (first) token, in lower case without punctuation.
    """

    token: str
    start_s: float
    end_s: float
    similarity: float
    written: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """A recognised token that matches nothing; `written` as in `Answer`, `before` the index of the next expected token."""

    token: str
    written: str
    before: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """Expected tokens, each with its match or `None`, and the recognised tokens that match nothing.

    `extra` is in the order of speaking, and omits hesitations up to one for each expected token. `beside` has them all; one
    before unmatched words precedes the first of them. `of` is the language of both.
    """

    expected: tuple[Expected, ...]
    answers: tuple[Answer | None, ...]
    extra: tuple[str, ...]
    of: Language
    beside: tuple[Beside, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every expected token was matched."""
        return bool(self.answers) and None not in self.answers


def tokens(text: str, of: Language) -> tuple[str, ...]:
    """Return the canonical tokens of a text in a language: lower case, numbers digit by digit, homophones under one name."""
    return tuple(token for _, token in _spell_out(_pieces(text, of), of))


def expected_tokens(challenge: Challenge) -> tuple[Expected, ...]:
    """Return the words of a challenge, token by token, in order."""
    of = language(challenge.language)
    return tuple(
        Expected(token=token, step=index)
        for index, step in enumerate(challenge.steps)
        if isinstance(step, Say)
        for token in tokens(step.text, of)
    )


def align(expected: Sequence[Expected], heard: Iterable[Heard], of: Language, *, near: float = NEAR) -> Alignment:
    """Align recognised words with expected tokens, in order, so that as many as possible are matched.

    An edit distance whose moves are: one for one, two recognised for one expected ("zeb ra"), one recognised for two expected
    ("bimblue"), a deletion of an expected token, an insertion of a recognised one.

    Args:
        expected: result of `expected_tokens`.
        heard: words of a transcript in the order of their times.
        of: the language of both.
        near: least phonetic similarity, 0..1, of a match.
    """
    said = _timed(heard, of)
    moves = _cheapest([want.token for want in expected], [word.token for word in said], of, near)
    answers: list[Answer | None] = [None] * len(expected)
    used: set[int] = set()
    for i, j, wants, words, alike in moves:
        used.update(range(j, j + words))
        start_s, end_s = said[j].start_s, said[j + words - 1].end_s
        for k in range(wants):
            answers[i + k] = Answer(
                token=" ".join(word.token for word in said[j : j + words]),
                start_s=start_s + (end_s - start_s) * k / wants,
                end_s=start_s + (end_s - start_s) * (k + 1) / wants,
                similarity=alike,
                written=said[j].written,
            )
    ends = [(j + words, i + wants) for i, j, wants, words, _ in moves]
    idle = [
        Beside(word.token, word.written, max((i for at, i in ends if at <= j), default=0), word.start_s, word.end_s)
        for j, word in enumerate(said)
        if j not in used
    ]
    fillers = [j for j, word in enumerate(idle) if word.token in of.fillers]
    forgiven = set(fillers[: len(expected)])
    extra = tuple(word.token for j, word in enumerate(idle) if j not in forgiven)
    return Alignment(tuple(expected), tuple(answers), extra, of, tuple(idle))


def in_passing(alignment: Alignment) -> tuple[Beside, ...]:
    """Return the unmatched tokens that do not replace a word of the phrase: other speech, and false starts.

    A digit or a word of the lexicon is a false start where it is between two matched ones and repeats the start of its step, or
    what was said just before it. Other speech in place of unmatched words may be these words, mistranscribed: only a hesitation
    is ignored there.
    """
    runs: dict[int, list[Beside]] = {}
    for word in alignment.beside:
        runs.setdefault(word.before, []).append(word)
    return tuple(word for place, run in runs.items() for word in _in_passing(alignment, place, run))


def _in_passing(alignment: Alignment, place: int, run: list[Beside]) -> list[Beside]:
    if place < len(alignment.answers) and alignment.answers[place] is None:
        return [word for word in run if word.token in alignment.of.fillers]
    known = [word.token for word in run if alignment.of.entry(word.token)]
    begun_again = known and known in _restarts(alignment.expected, place, len(known))
    return [word for word in run if begun_again or not alignment.of.entry(word.token)]


def _restarts(expected: Sequence[Expected], place: int, length: int) -> list[list[str]]:
    """Return the `length` tokens that end before a place, and those at the start of its step."""
    begun = [expected[max(0, place - length) : place]]
    if place < len(expected):
        first = next(index for index, word in enumerate(expected) if word.step == expected[place].step)
        begun.append(expected[first : first + length])
    return [[word.token for word in words] for words in begun]


def _cheapest(wants: Sequence[str], words: Sequence[str], of: Language, near: float) -> list[tuple[int, int, int, int, float]]:
    """Return the matching moves of the cheapest path: (expected index, heard index, expected taken, heard taken, similarity)."""
    rows, columns = len(wants) + 1, len(words) + 1
    # A deletion costs more than any match; an insertion costs little, so that a restart ("seven three, seven three
    # two") matches the later, complete run.
    cost = [[0.0] * columns for _ in range(rows)]
    move: list[list[tuple[int, int, float]]] = [[(0, 0, 0.0)] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            options: list[tuple[float, int, int, float]] = []
            if i:
                options.append((cost[i - 1][j] + 1.0, 1, 0, 0.0))
            if j:
                options.append((cost[i][j - 1] + (0.0 if words[j - 1] in of.fillers else 0.1), 0, 1, 0.0))
            for m, n in ((1, 1), (2, 1), (1, 2)):
                if i >= m and j >= n and (alike := _alike(wants[i - m : i], words[j - n : j], of)) >= near:
                    options.append((cost[i - m][j - n] + 0.5 * (1.0 - alike), m, n, alike))
            if options:
                best = min(options, key=lambda option: option[0])
                cost[i][j], move[i][j] = best[0], best[1:]
    path: list[tuple[int, int, int, int, float]] = []
    i, j = rows - 1, columns - 1
    while i or j:
        m, n, alike = move[i][j]
        i, j = i - m, j - n
        if m and n:
            path.append((i, j, m, n, alike))
    return path[::-1]


def _alike(wants: Sequence[str], words: Sequence[str], of: Language) -> float:
    if tuple(wants) == tuple(words):
        return 1.0
    # A digit or a word of the lexicon, once transcribed as such, is exact: those match only themselves.
    if any(map(of.entry, words)) and any(map(of.entry, wants)):
        return 0.0
    return _similar(_sounds(wants, of), _sounds(words, of))


@lru_cache(4096)
def _similar(wants: tuple[str, ...], words: tuple[str, ...]) -> float:
    """Return the phonetic similarity of two groups; cached, since the same few words recur."""
    return similarity(wants, words)


def _sounds(group: Sequence[str], of: Language) -> tuple[str, ...]:
    return tuple(phoneme for token in group for phoneme in of.phonemes(token))


@dataclass(frozen=True, slots=True)
class _Token:
    token: str
    start_s: float
    end_s: float
    written: str


def _timed(heard: Iterable[Heard], of: Language) -> list[_Token]:
    """Return canonical tokens; those of one written word share its time in equal parts."""
    words = list(heard)
    pieces = [(piece, index) for index, word in enumerate(words) for piece in _pieces(word.text, of)]
    spelled = [(token, pieces[at][1]) for at, token in _spell_out([piece for piece, _ in pieces], of)]
    shares = Counter(index for _, index in spelled)
    place: Counter[int] = Counter()
    said: list[_Token] = []
    for token, index in spelled:
        word = words[index]
        span, nth = (word.end_s - word.start_s) / shares[index], place[index]
        place[index] += 1
        written = " ".join(_PIECE.findall(_plain(word.text)))
        said.append(_Token(token, word.start_s + span * nth, word.start_s + span * (nth + 1), written))
    return said


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower().replace("'", "").replace("’", "")


def _pieces(text: str, of: Language) -> list[str]:
    plain = _plain(text)
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain)
    found = _PIECE.findall(plain.replace(of.numbers.hundred_and, f"{of.numbers.hundred} "))
    return [of.homophones.get(piece, piece) for piece in found]


def _spell_out(pieces: list[str], of: Language) -> Iterator[tuple[int, str]]:
    """Yield each token with the index of its piece, every number digit by digit."""
    for index, (piece, following) in enumerate(pairwise([*pieces, ""])):
        for token in _digits(piece, following, of):
            yield index, token


def _digits(piece: str, following: str, of: Language) -> Sequence[str]:
    """Return the digits of a number word or figure, given the word after it; another word is returned as it is."""
    names, numbers = tuple(of.digits), of.numbers
    if piece.isdecimal() or piece in numbers.teens:
        return [names[int(figure)] for figure in numbers.teens.get(piece, piece)]
    if piece in numbers.times and (repeated := _digits(following, "", of)) and repeated[0] in of.digits:
        return [repeated[0]] * (numbers.times[piece] - 1)
    if piece in numbers.tens:
        tens = names[int(numbers.tens[piece])]
        return [tens] if following in of.digits and following != names[0] else [tens, names[0]]
    if piece == numbers.hundred:
        if following in numbers.tens or following in numbers.teens:
            return []
        return [names[0]] if following in of.digits else [names[0], names[0]]
    return [piece]
