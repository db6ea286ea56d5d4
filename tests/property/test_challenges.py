"""Laws of issuing and matching."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cameo_challenges.issue import RECIPE
from cameo_challenges.match import align, expected_tokens, tokens
from cameo_challenges.model import Challenge, Say, TurnHead, from_json, to_json
from cameo_verifier.types import Word
from tests.english import DIGITS, ENGLISH, WORDS

NUMBERS = st.integers(0, RECIPE.count - 1)
PHRASES = st.lists(st.sampled_from([*DIGITS, *WORDS]), min_size=1, max_size=10)
START = datetime(2025, 1, 1, tzinfo=UTC)


def said(texts: list[str]) -> list[Word]:
    """Return words of one second each."""
    return [Word(text, float(second), second + 1.0, 1.0) for second, text in enumerate(texts)]


def asked(texts: list[str]) -> Challenge:
    """Return a challenge of one thing to say."""
    return Challenge((Say(" ".join(texts)),))


@given(NUMBERS, NUMBERS)
def test_no_two_numbers_make_the_same_challenge(a: int, b: int) -> None:
    """Challenges are equal exactly if their numbers are."""
    assert (RECIPE.steps(a) == RECIPE.steps(b)) == (a == b)


@given(NUMBERS)
def test_every_challenge_binds_speech_and_movement(number: int) -> None:
    """Six digits and two different words, lower case, with two different turns between three groups."""
    steps = RECIPE.steps(number)
    words = " ".join(step.text for step in steps if isinstance(step, Say)).split()
    turns = [step.turn for step in steps if isinstance(step, TurnHead)]
    assert [isinstance(step, Say) for step in steps] == [True, False, True, False, True]
    assert sum(word in DIGITS for word in words) == 6
    assert len(set(words) & set(WORDS)) == 2
    assert len(words) == 8
    assert len(set(turns)) == 2
    assert from_json(to_json(Challenge(steps))) == Challenge(steps)


@given(PHRASES)
def test_what_was_asked_answers_itself(phrase: list[str]) -> None:
    """The exact words, in order, answer every token and leave nothing over."""
    alignment = align(expected_tokens(asked(phrase)), said(phrase), ENGLISH)
    assert alignment.complete
    assert alignment.extra == ()
    assert [answer.similarity for answer in alignment.answers if answer] == [1.0] * len(phrase)


@given(PHRASES, st.data())
def test_order_matters(phrase: list[str], data: st.DataObject) -> None:
    """The same words with two different ones swapped never answer all of it."""
    i, j = data.draw(st.tuples(*[st.integers(0, len(phrase) - 1)] * 2))
    swapped = list(phrase)
    swapped[i], swapped[j] = swapped[j], swapped[i]
    complete = align(expected_tokens(asked(phrase)), said(swapped), ENGLISH).complete
    assert complete == (swapped == phrase)


@given(PHRASES, st.data())
def test_a_wrong_word_is_not_heard(phrase: list[str], data: st.DataObject) -> None:
    """Any word replaced by another of the lexicon leaves its place unanswered or answered by a neighbour, never complete."""
    index = data.draw(st.integers(0, len(phrase) - 1))
    wrong = list(phrase)
    wrong[index] = data.draw(st.sampled_from([word for word in [*DIGITS, *WORDS] if word != phrase[index]]))
    assert not align(expected_tokens(asked(phrase)), said(wrong), ENGLISH).complete


@given(PHRASES, st.data())
def test_hesitations_do_no_harm(phrase: list[str], data: st.DataObject) -> None:
    """Up to one "um" for each word, anywhere, changes nothing."""
    spoken = list(phrase)
    for _ in range(data.draw(st.integers(0, len(phrase)))):
        spoken.insert(data.draw(st.integers(0, len(spoken))), "um")
    alignment = align(expected_tokens(asked(phrase)), said(spoken), ENGLISH)
    assert alignment.complete
    assert alignment.extra == ()


@given(PHRASES, st.lists(st.text(max_size=8), max_size=8))
def test_answers_are_in_the_order_of_time(phrase: list[str], noise: list[str]) -> None:
    """Whatever was heard, answers never go back in time, and each heard token answers or is left over once."""
    heard = said([*noise, *phrase, *noise])
    alignment = align(expected_tokens(asked(phrase)), heard, ENGLISH)
    starts = [answer.start_s for answer in alignment.answers if answer]
    assert starts == sorted(starts)
    assert len(alignment.answers) == len(phrase)
    assert len(alignment.extra) <= len(tokens(" ".join(word.text for word in heard), ENGLISH))


@given(st.text())
def test_tokens_are_stable(text: str) -> None:
    """Normalising what is normal changes nothing."""
    once = tokens(text, ENGLISH)
    assert tokens(" ".join(once), ENGLISH) == once
