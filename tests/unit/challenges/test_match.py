import pytest

from cameo_challenges.languages.language import pronounce
from cameo_challenges.match import Expected, align, expected_tokens, in_passing, tokens
from cameo_challenges.model import Challenge, Say, Turn, TurnHead
from cameo_challenges.phonemes import similarity
from cameo_verifier.types import Word
from tests.english import ENGLISH


def said(*texts: str) -> list[Word]:
    """Return words of one second each."""
    return [Word(text, float(second), second + 1.0, 1.0) for second, text in enumerate(texts)]


def asked(text: str) -> tuple[Expected, ...]:
    """Return the expected tokens of one thing to say."""
    return expected_tokens(Challenge((Say(text),)))


@pytest.mark.parametrize(
    "text",
    ["seven four two", "742", "7-4-2", "7, 4, 2.", "Seven. Four? TWO!", "seven hundred forty two", "seven hundred and forty-two"],
)
def test_numbers_come_out_digit_by_digit(text: str) -> None:
    """However a recogniser writes 742, it is seven, four, two."""
    assert tokens(text, ENGLISH) == ("seven", "four", "two")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("700", "seven zero zero"),
        ("seven hundred", "seven zero zero"),
        ("two hundred five", "two zero five"),
        ("10,314", "one zero three one four"),
        ("5.06.02", "five zero six zero two"),
        ("twelve forty", "one two four zero"),
        ("oh won too for ate", "zero one two four eight"),
        ("o'clock", "oclock"),
        ("F2 now", "f two now"),
        ("double three marble", "three three marble"),
        ("7 -double -0 -5", "seven zero zero five"),
        ("triple two, treble oh", "two two two zero zero zero"),
        ("double trouble", "double trouble"),
        ("nought two naught", "zero two zero"),
        ("see the bee", "c the b"),
        ("Zed", "z"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_spellings_of_the_same_words_are_one(text: str, expected: str) -> None:
    """Homophones, punctuation, letters beside figures and number words have one form each."""
    assert " ".join(tokens(text, ENGLISH)) == expected


def test_tokens_know_their_step() -> None:
    """Each expected token carries the index of the step that asks for it, turns counted."""
    challenge = Challenge((Say("7 mango"), TurnHead(Turn.LEFT), Say("zero")))
    assert expected_tokens(challenge) == (Expected("seven", 0), Expected("mango", 0), Expected("zero", 2))


def test_words_of_a_figure_share_its_time() -> None:
    """A run of digits written as one word is cut into equal parts."""
    alignment = align(asked("seven four"), [Word("74", 2.0, 3.0, 1.0)], ENGLISH)
    assert [(a.token, a.start_s, a.end_s) for a in alignment.answers if a] == [("seven", 2.0, 2.5), ("four", 2.5, 3.0)]


def test_number_words_are_read_across_the_words_of_a_transcript() -> None:
    """The words "forty" and "two", written apart, are four and two, each with its own time."""
    alignment = align(asked("42"), said("forty", "two"), ENGLISH)
    assert alignment.complete
    assert [(a.start_s, a.end_s) for a in alignment.answers if a] == [(0.0, 1.0), (1.0, 2.0)]


def test_near_words_answer() -> None:
    """A merged word answers two, a split one answers one, a slightly wrong one answers its neighbour in sound."""
    assert align(asked("bin blue at f two now"), said("Bimblue", "at", "F2", "now."), ENGLISH).complete
    assert align(asked("set white in z three now"), said("Set", "weight", "in", "Z3,", "no."), ENGLISH).complete
    assert align(asked("napkin seven"), said("nap", "kin", "7"), ENGLISH).complete


def test_a_missing_word_leaves_a_gap() -> None:
    """What was not heard is `None`, in its place, and what was heard beside it is extra."""
    alignment = align(asked("seven four two"), said("seven", "nine", "two"), ENGLISH)
    assert [a and a.token for a in alignment.answers] == ["seven", None, "two"]
    assert alignment.extra == ("nine",)
    assert not alignment.complete


def test_two_digits_never_answer_one_another() -> None:
    """The words "five" and "nine" sound alike and are not the same."""
    assert align(asked("five"), said("nine"), ENGLISH).answers == (None,)


def test_a_restart_is_extra() -> None:
    """The words of a false start are extra; the complete run counts."""
    alignment = align(asked("seven four two"), said("seven", "four", "um", "seven", "four", "two"), ENGLISH)
    assert alignment.complete
    assert len(alignment.extra) == 2


def test_hesitations_are_forgiven_within_bounds() -> None:
    """One hesitation for each expected word is nothing; more are extra words."""
    assert align(asked("seven four"), said("um", "seven", "uh", "four"), ENGLISH).extra == ()
    assert align(asked("seven four"), said("um", "um", "um", "seven", "um", "four"), ENGLISH).extra == ("um", "um")


@pytest.mark.parametrize(
    ("text", "heard", "passing"),
    [
        ("seven four two", "Hello seven four two thank you", "hello thank you"),
        ("seven four two", "seven, four... sorry, seven four two", "sorry seven four"),
        ("seven four two", "seven four four two", "four"),
        ("seven four two", "okay seven nine two", "okay"),
        ("seven four two", "okay seven mobile two", "okay"),
        ("seven four two", "nine seven four two", ""),
        ("seven four two", "seven four nine two eight", ""),
    ],
    ids=["greeting", "begun again", "stutter", "another digit instead", "a misread one", "a digit before", "digits between"],
)
def test_other_talk_passes_and_other_digits_do_not(text: str, heard: str, passing: str) -> None:
    """A greeting, thanks and a word begun again leave the phrase as it is; a word in place of another, or one more, does not."""
    alignment = align(asked(text), said(*heard.split()), ENGLISH)
    assert " ".join(word.written for word in in_passing(alignment)) == passing


def test_talk_knows_its_place() -> None:
    """What answers nothing stands before the next word that was heard, or before the first of those that were not."""
    alignment = align(asked("seven four two"), said("say", "Seven,", "please", "two", "bye."), ENGLISH)
    assert [(word.written, word.before) for word in alignment.beside] == [("say", 0), ("please", 1), ("bye", 3)]


def test_nothing_expected_is_not_complete() -> None:
    """Nothing passes by accident."""
    assert not align((), said("seven"), ENGLISH).complete
    assert align((), said("seven"), ENGLISH).extra == ("seven",)


def test_spelling_gives_a_fair_pronunciation() -> None:
    """Words outside the lexicon are sounded out well enough to be compared."""
    assert pronounce(ENGLISH, "weight") == ("W", "EY", "T")
    assert pronounce(ENGLISH, "white") == ("W", "AY", "T")
    assert pronounce(ENGLISH, "bimblue") == ("B", "IH", "M", "B", "L", "UW")
    assert pronounce(ENGLISH, "z") == ("Z", "IY")
    assert similarity(pronounce(ENGLISH, "weight"), pronounce(ENGLISH, "white")) == pytest.approx(5 / 6)
    assert similarity((), ()) == 0.0
