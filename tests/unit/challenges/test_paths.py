"""Three ways to answer, each as hard to predict as the others."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from random import SystemRandom

import pytest

from cameo_challenges import colours
from cameo_challenges.issue import FLOOR_BITS, LIGHT_BITS, Recipe, entropy_bits, issue, recipe_in
from cameo_challenges.languages import available, language
from cameo_challenges.model import (
    AnswerPath,
    Gesture,
    InvalidChallengeError,
    MakeGesture,
    Say,
    Step,
    Turn,
    TurnHead,
    from_json,
    to_json,
)
from cameo_challenges.prompts import prompt
from cameo_challenges.wordless import WordlessRecipe

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
SHORT = WordlessRecipe(length=4, turns=1, gestures=2)


def drawn(path: AnswerPath) -> tuple[Step, ...]:
    challenge = issue(rng=SystemRandom(), now=NOW, ttl=timedelta(minutes=3), recipe=recipe_in("en", path))
    assert challenge.path is path
    assert from_json(to_json(challenge)) == challenge
    return challenge.steps


@pytest.mark.parametrize(("tag", "path"), [*product(available(), AnswerPath)])
def test_every_path_reaches_the_same_floor(tag: str, path: AnswerPath) -> None:
    """Steps and colours together have the bits of speech and turns at least; only what is issued with colours counts on them."""
    recipe = recipe_in(tag, path)
    assert entropy_bits(recipe) + recipe.light_bits >= FLOOR_BITS
    assert recipe.light_bits in (0.0, LIGHT_BITS)
    assert colours.ENTROPY_BITS >= LIGHT_BITS


def test_what_each_path_has_without_colours() -> None:
    """Words alone reach the floor; eight turns and gestures do not, and fourteen would not either."""
    bits = {path: round(entropy_bits(recipe_in("en", path)), 2) for path in AnswerPath}
    assert bits == {
        AnswerPath.SPEECH_AND_TURNS: 43.91,
        AnswerPath.SPEECH_AND_LIGHT: 44.48,
        AnswerPath.TURNS_AND_GESTURES: 23.75,
    }
    assert entropy_bits(WordlessRecipe(length=14)) < FLOOR_BITS < entropy_bits(WordlessRecipe(length=15))


@pytest.mark.parametrize("tag", [tag for tag in available() if not language(tag).lexicon])
@pytest.mark.parametrize("path", [AnswerPath.SPEECH_AND_TURNS, AnswerPath.SPEECH_AND_LIGHT])
def test_digits_alone_are_as_few_as_reach_the_floor(tag: str, path: AnswerPath) -> None:
    """Without a lexicon nothing but digits is asked, in three groups; with one digit fewer, no grouping reaches the floor."""
    recipe = recipe_in(tag, path)
    assert isinstance(recipe, Recipe)
    steps = recipe.steps(recipe.count - 1)
    spoken = [step.text.split() for step in steps if isinstance(step, Say)]
    assert [word for group in spoken for word in group if word not in language(tag).digits] == []
    assert (len(spoken), sum(map(len, spoken))) == (3, recipe.digits)
    assert entropy_bits(recipe) >= FLOOR_BITS > entropy_bits(replace(recipe, digits=recipe.digits - 1, longest=recipe.digits))


def test_who_cannot_turn_says_as_many_words() -> None:
    """It asks for eight words in three groups, and no turn."""
    steps = drawn(AnswerPath.SPEECH_AND_LIGHT)
    assert [type(step) for step in steps] == [Say, Say, Say]
    assert len(" ".join(step.text for step in steps if isinstance(step, Say)).split()) == 8


def test_who_cannot_speak_turns_and_makes_gestures() -> None:
    """It asks for eight steps, two turns and three gestures at least, none twice in a row, no blinks after blinks."""
    steps = drawn(AnswerPath.TURNS_AND_GESTURES)
    kinds = Counter(type(step) for step in steps)
    assert (kinds.total(), kinds[Say]) == (8, 0)
    assert kinds[TurnHead] >= 2
    assert kinds[MakeGesture] >= 3
    assert all(allowed(before, after) for before, after in pairwise(steps))


def test_wordless_entropy_is_the_number_of_challenges_there_are() -> None:
    """Every number of a small recipe makes another challenge: all that the rules allow."""
    every = {SHORT.steps(number) for number in range(SHORT.count)}
    actions: list[Step] = [*map(TurnHead, Turn), *map(MakeGesture, Gesture)]
    by_hand = {
        steps
        for steps in product(actions, repeat=4)
        if 1 <= sum(isinstance(step, TurnHead) for step in steps) <= 2 and all(allowed(*pair) for pair in pairwise(steps))
    }
    assert every == by_hand
    assert SHORT.count == len(by_hand)


@pytest.mark.parametrize("number", [-1, SHORT.count])
def test_a_wordless_number_out_of_range_is_refused(number: int) -> None:
    """There is no challenge beyond the last."""
    with pytest.raises(ValueError, match="is not in"):
        SHORT.steps(number)


def test_gestures_are_not_asked_beside_words() -> None:
    """Words move the mouth too: a document that asks for both is refused."""
    with pytest.raises(InvalidChallengeError, match="words and gestures"):
        from_json({"steps": [{"say": "seven"}, {"gesture": "smile"}]})


@pytest.mark.parametrize("tag", available())
def test_every_step_has_a_prompt(tag: str) -> None:
    """Each turn and each gesture is put into other words, and words are in theirs."""
    steps: list[Step] = [Say("seven marble"), *map(TurnHead, Turn), *map(MakeGesture, Gesture)]
    texts = [prompt(step, tag) for step in steps]
    assert "seven marble" in texts[0]
    assert len(set(texts)) == len(steps)
    assert (set(language(tag).prompts.turn), set(language(tag).prompts.gesture)) == (set(Turn), set(Gesture))


def allowed(before: Step, after: Step) -> bool:
    """Whether one step may follow another."""
    blinks = isinstance(before, MakeGesture) and isinstance(after, MakeGesture) and before.gesture.blinks and after.gesture.blinks
    return before != after and not blinks
