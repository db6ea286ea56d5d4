"""Colours that the display of a live session shows."""

import math
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from random import SystemRandom

import pytest

from cameo_challenges import colours
from cameo_challenges.issue import issue
from cameo_challenges.model import InvalidChallengeError, from_json, to_json

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
TTL = timedelta(seconds=180)


def test_there_are_twenty_bits_by_count() -> None:
    """Every number gives another sequence: all beginnings of three are counted, and each further colour is one of eight."""
    beginnings = {colours.sequence(number)[:3] for number in range(9 * 8 * 8)}
    assert len(beginnings) == 9 * 8 * 8
    assert colours.COUNT == 9 * 8**6
    assert colours.ENTROPY_BITS == math.log2(9 * 8**6) > 20


def test_neighbours_differ() -> None:
    """No colour follows itself, in sequences from the first to the last number."""
    for number in range(0, colours.COUNT, 1009):
        assert all(a != b for a, b in pairwise(colours.sequence(number)))


@pytest.mark.parametrize("number", [-1, colours.COUNT])
def test_a_number_out_of_range_is_refused(number: int) -> None:
    """There is no sequence beyond the last."""
    with pytest.raises(ValueError, match="is not in"):
        colours.sequence(number)


def test_colours_are_well_separated() -> None:
    """Any two differ by half of full scale in linear red against green and blue against green together."""
    chroma = [(red - green, blue - green) for red, green, blue in map(colours.linear, colours.PALETTE)]
    assert min(math.dist(a, b) for a, b in combinations(chroma, 2)) > 0.5


def test_no_colour_is_a_saturated_red() -> None:
    """By WCAG 2.2 red is saturated from four fifths of the linear sum: no change to or from one can be a red flash."""
    assert max(red / (red + green + blue) for red, green, blue in map(colours.linear, colours.PALETTE)) < 0.8


def test_a_sequence_flashes_less_than_three_times_a_second() -> None:
    """A flash is two opposing changes; each colour stays, so that no second has more than one and a half."""
    assert 5 <= colours.LENGTH <= 7
    assert colours.LEAST_S >= 0.475
    assert math.ceil(1 / colours.LEAST_S) / 2 < 3


def test_only_a_challenge_with_light_has_colours() -> None:
    """Colours are drawn where they are asked for, and a document keeps them."""
    assert issue(rng=SystemRandom(), now=NOW, ttl=TTL).colours == ()
    lit = issue(rng=SystemRandom(), now=NOW, ttl=TTL, light=True)
    assert len(lit.colours) == colours.LENGTH
    assert set(lit.colours) <= set(colours.PALETTE)
    assert from_json(to_json(lit)) == lit


@pytest.mark.parametrize("wrong", [7, "red", [0x1000000], [-1], [True], [1.0]])
def test_what_is_no_colour_is_refused(wrong: object) -> None:
    """A document's colours are a list of 24-bit numbers."""
    with pytest.raises(InvalidChallengeError, match="'colours'"):
        from_json({"steps": [], "colours": wrong})
