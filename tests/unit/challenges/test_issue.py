import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random, SystemRandom

import pytest

from cameo_challenges.issue import RECIPE, Recipe, entropy_bits, issue
from cameo_challenges.model import Say, TurnHead, from_json, to_json
from tests.english import DIGITS, WORDS

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
TTL = timedelta(seconds=180)
SMALL = Recipe(2, 1, groups=2, turns=1, shortest=1, longest=2, alphabet=("zero", "one", "two"), lexicon=("mango", "piano"))


def test_entropy_is_the_number_of_challenges_there_are() -> None:
    """Every number of a small recipe makes another challenge, and there are as many as a count by hand says."""
    every = {SMALL.steps(number) for number in range(SMALL.count)}
    by_hand = 3**2 * 2 * 3 * 2 * 4  # figures, word, its place, where to cut three words in two, turn
    assert len(every) == SMALL.count == by_hand
    assert entropy_bits(SMALL) == math.log2(by_hand)


def test_small_challenges_are_equally_likely() -> None:
    """Drawn often, no challenge of a small recipe comes up out of proportion (chi-square within five deviations)."""
    rng = Random(7)  # noqa: S311 - a test repeats itself
    draws = 200 * SMALL.count
    seen = Counter(issue(rng=rng, now=NOW, ttl=TTL, recipe=SMALL).steps for _ in range(draws))
    freedom = SMALL.count - 1
    chi_square = sum((seen[SMALL.steps(number)] - 200) ** 2 / 200 for number in range(SMALL.count))
    assert abs(chi_square - freedom) < 5 * math.sqrt(2 * freedom)


def test_entropy_of_what_is_issued() -> None:
    """The service's challenges have the bits of six digits, two ordered words, their places, the cuts and the turns."""
    assert entropy_bits() == pytest.approx(6 * math.log2(10) + math.log2(len(WORDS) * (len(WORDS) - 1)) + math.log2(28 * 6 * 12))
    assert entropy_bits() > 40


def test_a_challenge_carries_its_life() -> None:
    """It has an id of 128 bits and expires one TTL after it was issued."""
    challenge = issue(rng=SystemRandom(), now=NOW, ttl=TTL)
    assert len(challenge.id) == 32
    assert int(challenge.id, 16).bit_length() > 100
    assert challenge.issued_at == NOW
    assert challenge.expires_at == NOW + TTL
    assert from_json(to_json(challenge)) == challenge


def test_speech_and_movement_alternate() -> None:
    """It begins and ends with words, with a different turn between each two groups."""
    steps = issue(rng=SystemRandom(), now=NOW, ttl=TTL).steps
    assert [type(step) for step in steps] == [Say, TurnHead, Say, TurnHead, Say]


def test_the_lexicon_is_what_is_asked() -> None:
    """It asks for six digits and two different words of the lexicon, in lower case, and nothing else."""
    said = " ".join(issue(rng=SystemRandom(), now=NOW, ttl=TTL).spoken).split()
    assert sum(word in DIGITS for word in said) == 6
    assert len({word for word in said if word in WORDS}) == 2
    assert len(said) == 8


def test_a_time_without_zone_is_refused() -> None:
    """A naive time of issue, or no time to live, is the caller's mistake."""
    with pytest.raises(ValueError, match="no time zone"):
        issue(rng=SystemRandom(), now=NOW.replace(tzinfo=None), ttl=TTL)
    with pytest.raises(ValueError, match="live for some time"):
        issue(rng=SystemRandom(), now=NOW, ttl=timedelta(0))


def test_turns_are_between_groups() -> None:
    """A recipe with as many turns as groups is the caller's mistake."""
    with pytest.raises(ValueError, match="2 turns between them, or none"):
        Recipe(turns=3)


@pytest.mark.parametrize("number", [-1, RECIPE.count])
def test_a_number_out_of_range_is_refused(number: int) -> None:
    """There is no challenge beyond the last."""
    with pytest.raises(ValueError, match="is not in"):
        RECIPE.steps(number)
