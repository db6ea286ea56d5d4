"""Challenge generation: draws each challenge with equal probability.

All challenges that a recipe can issue are numbered, and one number is drawn: the entropy is the logarithm of their number, by
construction. There is a recipe for each path, of at least the entropy of the first (`FLOOR_BITS`):

- Speech and turns: two turns of the head between three groups of words to say; the eight words are six digits and two of the
  lexicon, mixed. So speech and movement bind one another: neither can be recorded without knowing the other.
- Speech and light: the eight words in three groups, one digit fewer and one word of the lexicon more, which is worth more than
  the turns.
- Turns and gestures: see `wordless`.

A language without a lexicon asks for digits alone, the fewest that reach `FLOOR_BITS`.

A live session's challenge can have colours besides, for its display to show. One of a path other than the first always has them,
of at least `light_bits`, which bind its steps to one capture.

The caller's random source is the only one. Pass `random.SystemRandom`; a seeded one makes predictable challenges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import combinations, permutations, product
from typing import TYPE_CHECKING

from cameo_challenges import colours
from cameo_challenges.languages import DEFAULT, language
from cameo_challenges.model import AnswerPath, Challenge, Say, Step, Turn, TurnHead
from cameo_challenges.wordless import WordlessRecipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from random import Random

_ID_BITS = 128
LIGHT_BITS = 21.0
"""Entropy in bits that the colours of the screen have at least."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The composition of spoken challenges: groups of words, with head turns between them or without.

    Attributes:
        digits: number of digits.
        words: number of words of the lexicon.
        groups: number of groups of words.
        turns: number of head turns: one between every two groups, or none.
        shortest: least number of words in a group.
        longest: largest number of words in a group.
        alphabet: the digits to draw from.
        lexicon: the words to draw from.
        language: BCP 47 tag of both.
        light_bits: entropy in bits of the colours that its challenges are issued with at least.
    """

    digits: int = 6
    words: int = 2
    groups: int = 3
    turns: int = 2
    shortest: int = 2
    longest: int = 4
    alphabet: Sequence[str] = field(default_factory=lambda: tuple(language(DEFAULT).digits))
    lexicon: Sequence[str] = field(default_factory=lambda: tuple(language(DEFAULT).lexicon))
    language: str = DEFAULT
    light_bits: float = 0.0

    def __post_init__(self) -> None:
        """Refuse turns that are not between groups."""
        if self.turns not in (0, self.groups - 1):
            raise ValueError(f"{self.groups} groups of words have {self.groups - 1} turns between them, or none")

    @property
    def places(self) -> tuple[tuple[int, ...], ...]:
        """Every way to place the lexicon words among the digits, by their indices."""
        return tuple(combinations(range(self.digits + self.words), self.words))

    @property
    def groupings(self) -> tuple[tuple[int, ...], ...]:
        """Every way to divide the words into groups, by group sizes."""
        sizes = range(self.shortest, self.longest + 1)
        total = self.digits + self.words
        return tuple(cut for cut in product(sizes, repeat=self.groups) if sum(cut) == total)

    @property
    def movements(self) -> tuple[tuple[Turn, ...], ...]:
        """Every sequence of different turns."""
        return tuple(permutations(Turn, self.turns))

    @property
    def count(self) -> int:
        """The number of challenges."""
        figures: int = len(self.alphabet) ** self.digits
        return figures * math.perm(len(self.lexicon), self.words) * len(self.places) * len(self.groupings) * len(self.movements)

    def steps(self, number: int) -> tuple[Step, ...]:
        """Return the steps of the challenge of that number, `0 <= number < count`; different numbers differ in their steps."""
        if not 0 <= number < self.count:
            raise ValueError(f"challenge number {number} is not in 0..{self.count - 1}")
        number, movement = divmod(number, len(self.movements))
        number, grouping = divmod(number, len(self.groupings))
        number, place = divmod(number, len(self.places))
        remaining = list(self.lexicon)
        chosen: list[str] = []
        for _ in range(self.words):
            number, index = divmod(number, len(remaining))
            chosen.append(remaining.pop(index))
        figures: list[str] = []
        for _ in range(self.digits):
            number, index = divmod(number, len(self.alphabet))
            figures.append(self.alphabet[index])
        spoken = list(figures)
        for index, word in zip(self.places[place], chosen, strict=True):
            spoken.insert(index, word)
        return _interleave(spoken, self.groupings[grouping], self.movements[movement])


RECIPE = Recipe()
"""The recipe of the default language and path."""


def recipe_in(tag: str, path: AnswerPath = AnswerPath.SPEECH_AND_TURNS) -> Recipe | WordlessRecipe:
    """Return the recipe of a language and a path.

    Raises:
        UnknownLanguageError: no language has that tag.
    """
    found = language(tag)
    spoken = Recipe(alphabet=tuple(found.digits), lexicon=tuple(found.lexicon), language=tag)
    if not found.lexicon:
        spoken = replace(spoken, digits=11, words=0, longest=6)
    match path:
        case AnswerPath.SPEECH_AND_TURNS:
            return spoken
        case AnswerPath.SPEECH_AND_LIGHT if not found.lexicon:
            return replace(spoken, digits=12, turns=0, light_bits=LIGHT_BITS)
        case AnswerPath.SPEECH_AND_LIGHT:
            return replace(spoken, digits=5, words=3, turns=0, light_bits=LIGHT_BITS)
        case AnswerPath.TURNS_AND_GESTURES:
            return WordlessRecipe(language=tag, light_bits=LIGHT_BITS)


def entropy_bits(recipe: Recipe | WordlessRecipe = RECIPE) -> float:
    """Return the entropy in bits of the steps: the base-2 logarithm of the number of equally likely ones."""
    return math.log2(recipe.count)


FLOOR_BITS = entropy_bits()
"""Least entropy in bits of a challenge of any path, with its colours."""


def issue(
    *, rng: Random, now: datetime, ttl: timedelta, recipe: Recipe | WordlessRecipe = RECIPE, light: bool = False
) -> Challenge:
    """Draw a challenge.

    Args:
        rng: source of randomness; `random.SystemRandom` outside tests.
        now: the time, with a time zone.
        ttl: how long it can be answered.
        recipe: its composition.
        light: whether it has colours, which only a live session can show; one whose recipe has `light_bits` has them anyway.

    Raises:
        ValueError: `now` has no time zone, or `ttl` is not positive.
    """
    if now.tzinfo is None:
        raise ValueError("the time of issue has no time zone")
    if ttl.total_seconds() <= 0:
        raise ValueError("a challenge must live for some time")
    return Challenge(
        steps=recipe.steps(rng.randrange(recipe.count)),
        id=f"{rng.getrandbits(_ID_BITS):0{_ID_BITS // 4}x}",
        issued_at=now,
        expires_at=now + ttl,
        language=recipe.language,
        colours=colours.sequence(rng.randrange(colours.COUNT)) if light or recipe.light_bits else (),
    )


def _interleave(spoken: Sequence[str], sizes: Sequence[int], turns: Sequence[Turn]) -> tuple[Step, ...]:
    """Return say, turn, say, …, say; without turns, the words alone."""
    steps: list[Step] = []
    start = 0
    for index, size in enumerate(sizes):
        if index and turns:
            steps.append(TurnHead(turns[index - 1]))
        steps.append(Say(" ".join(spoken[start : start + size])))
        start += size
    return tuple(steps)
