"""Languages are data: what is said in one is in its folder, and nowhere else."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from random import SystemRandom

import pytest

from cameo_challenges.issue import issue, recipe_in
from cameo_challenges.languages import DEFAULT, UnknownLanguageError, available, digest, language
from cameo_challenges.match import tokens
from cameo_challenges.model import Challenge, InvalidChallengeError, Say, from_json, to_json
from tests.conftest import ASKED
from tests.english import ENGLISH
from tests.sources import CHALLENGES, VERIFIER


@pytest.mark.parametrize("tag", available())
def test_every_language_is_whole(tag: str) -> None:
    """Ten digits, a lexicon that is sorted and holds none of them, and names that stand for digits."""
    found = language(tag)
    assert (found.tag, len(found.digits)) == (tag, 10)
    assert list(found.lexicon) == sorted(found.lexicon)
    assert not set(found.lexicon) & set(found.digits)
    assert found.zero.token == next(iter(found.digits))
    assert all(name in found.digits or len(name) == 1 for name in found.homophones.values())
    assert {*found.numbers.teens.values(), *found.numbers.tens.values()} <= {str(number) for number in range(100)}
    assert language(tag) is found
    assert len(digest()) == 64


def test_the_default_is_there() -> None:
    """A challenge that names no language is in one that can be judged."""
    assert DEFAULT in available()
    assert Challenge((Say("seven"),)).language == DEFAULT


@pytest.mark.parametrize("tag", ["", "tlh", "EN", "en-GB", "../en", "language.py", "__pycache__"])
def test_an_unknown_language_is_refused_by_name(tag: str) -> None:
    """The error names what there is; in a document it is an error too."""
    with pytest.raises(UnknownLanguageError, match=re.escape(f"no language {tag!r}; there is en")):
        language(tag)
    with pytest.raises(InvalidChallengeError, match="'language' is none of en"):
        from_json({"language": tag, "steps": [{"say": "seven"}]})


@pytest.mark.parametrize("tag", [7, None, ["en"], {}])
def test_a_language_that_is_no_text_is_refused(tag: object) -> None:
    """In a document that somebody wrote by hand."""
    with pytest.raises(InvalidChallengeError, match="'language'"):
        from_json({"language": tag, "steps": [{"say": "seven"}]})


def test_a_challenge_says_its_language_and_older_documents_mean_the_default() -> None:
    """It is kept, and what was kept before there were languages is read as it was meant."""
    issued = issue(rng=SystemRandom(), now=ASKED, ttl=timedelta(minutes=3), recipe=recipe_in("en"))
    document = to_json(issued)
    assert document["language"] == issued.language == "en"
    assert from_json(document) == issued
    del document["language"]
    assert from_json(document) == issued


def test_what_a_recogniser_writes_in_spanish() -> None:
    """Figures, words and accents are the digits; no text is a second name of the digit 0, and none stands for a hundred."""
    spanish = language("es")
    expected = ("cero", "siete", "dos", "ocho")
    for text in ("0728", "0, 7, 2, 8.", "Cero, siete, dos, ocho.", "¿Zero siete dos y ocho?"):
        assert tuple(word for word in tokens(text, spanish) if word not in spanish.fillers) == expected
    assert tokens("séis", spanish) == ("seis",)


WORDS = {
    *ENGLISH.digits,
    *ENGLISH.lexicon,
    *ENGLISH.numbers.teens,
    *ENGLISH.numbers.tens,
    *(ENGLISH.fillers - {"and", "the", "like", "so", "well", "yes", "ok"}),
    *(word for word in ENGLISH.homophones if len(word) > 2),
}


def test_no_english_word_of_a_challenge_is_in_the_code() -> None:
    """Whoever adds a language adds a folder: no module compares with a word of one."""
    found = set()
    rooms = (CHALLENGES, VERIFIER / "evidence", VERIFIER / "checks")
    for file in (file for room in rooms for file in room.rglob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        found |= {(file.name, text) for text in texts if text in WORDS}
    assert found == set()
