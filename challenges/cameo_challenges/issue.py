"""Challenge generation: draws each challenge with equal probability.

All challenges this procedure can issue are numbered, and one number is drawn: the entropy is the logarithm of their number, by
construction. A challenge is two turns of the head between three groups of words to say; the eight words are six digits and two of
the lexicon, mixed. So speech and movement bind one another: neither can be recorded without knowing the other. A live
session's challenge can have colours besides, for its display to show.

The caller's random source is the only one. Pass `random.SystemRandom`; a seeded one makes predictable challenges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import combinations, permutations, product
from typing import TYPE_CHECKING

from cameo_challenges import colours
from cameo_challenges.languages import DEFAULT, language
from cameo_challenges.model import Challenge, Say, Step, Turn, TurnHead

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from random import Random

_ID_BITS = 128


@dataclass(frozen=True, slots=True)
class Recipe:
    """The composition of challenges: groups of words around head turns.

    Attributes:
        digits: number of digits.
        words: number of words of the lexicon.
        turns: number of head turns.
        shortest: least number of words in a group.
        longest: largest number of words in a group.
        alphabet: the digits to draw from.
        lexicon: the words to draw from.
        language: BCP 47 tag of both.
    """

    digits: int = 6
    words: int = 2
    turns: int = 2
    shortest: int = 2
    longest: int = 4
    alphabet: Sequence[str] = field(default_factory=lambda: tuple(language(DEFAULT).digits))
    lexicon: Sequence[str] = field(default_factory=lambda: tuple(language(DEFAULT).lexicon))
    language: str = DEFAULT

    @property
    def places(self) -> tuple[tuple[int, ...], ...]:
        """Every way to place the lexicon words among the digits, by their indices."""
        return tuple(combinations(range(self.digits + self.words), self.words))

    @property
    def groupings(self) -> tuple[tuple[int, ...], ...]:
        """Every way to divide the words into groups, by group sizes."""
        sizes = range(self.shortest, self.longest + 1)
        total = self.digits + self.words
        return tuple(cut for cut in product(sizes, repeat=self.turns + 1) if sum(cut) == total)

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
"""The recipe of the default language."""


def recipe_in(tag: str) -> Recipe:
    """Return the recipe of a language.

    Raises:
        UnknownLanguageError: no language has that tag.
    """
    found = language(tag)
    return Recipe(alphabet=tuple(found.digits), lexicon=tuple(found.lexicon), language=tag)


def entropy_bits(recipe: Recipe = RECIPE) -> float:
    """Return the entropy in bits: the base-2 logarithm of the number of equally likely challenges."""
    return math.log2(recipe.count)


def issue(*, rng: Random, now: datetime, ttl: timedelta, recipe: Recipe = RECIPE, light: bool = False) -> Challenge:
    """Draw a challenge.

    Args:
        rng: source of randomness; `random.SystemRandom` outside tests.
        now: the time, with a time zone.
        ttl: how long it can be answered.
        recipe: its composition.
        light: whether it has colours; only a live session can show them.

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
        colours=colours.sequence(rng.randrange(colours.COUNT)) if light else (),
    )


def _interleave(spoken: Sequence[str], sizes: Sequence[int], turns: Sequence[Turn]) -> tuple[Step, ...]:
    """Return say, turn, say, …, say."""
    steps: list[Step] = []
    start = 0
    for index, size in enumerate(sizes):
        if index:
            steps.append(TurnHead(turns[index - 1]))
        steps.append(Say(" ".join(spoken[start : start + size])))
        start += size
    return tuple(steps)
