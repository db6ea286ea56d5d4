"""One name for each thing, and phrases that are not to come back."""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

from tests.sources import VERIFIER

ROOT = Path(__file__).parents[2]
PHRASES = (
    "held against",
    "holds against",
    "hold it against",
    "lay over",
    "lays over",
    "laid over the sound",
    "known again",
    "begun again",
    "in company",
    "where it stands",
    "what it came to",
    "lets go of",
    "has a line of its own",
    "made smaller",
    "how much of it is there",
    "what is known besides",
    "speaks for the",
    "is to blame",
    "what came of it",
    "asks to be signed",
    "how a session stands",
    "is believed",
    "lines between right",
    "whom a token names",
    "so many times a second",
    "whether it holds",
    "last word counts",
    "takes the voice for",
    "begun after it was",
    "stands out of the noise",
    "comes twice",
)
"""Each had people guess: compared with, force-aligned to, recognised, false start, batched, state, result, releases, threshold,
upscaled, coverage, circumstances, evidence for, at fault; result, requires signatures by, state, is accepted, thresholds,
caller of a token, rate-limited, status, latest label counts, scores the voice as human, answered after, is louder than the
noise, repeats."""
SOURCES = sorted(
    {*(ROOT / "protos").rglob("*.proto"), *(ROOT / "verifier").rglob("*.py"), *(ROOT / "challenges").rglob("*.py")}
    | {*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")}
    # The log is what was written then; thresholds are quoted from the profiles, whose digest each attempt has.
    - {ROOT / "docs" / "calibration-log.md", ROOT / "docs" / "thresholds.md", ROOT / "CHANGELOG.md"}
)
TERMS = re.findall(r"^\| ([^|]+) \| [^|]+ \| `([\w.]+)` \|$", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_that_was_a_riddle_does_not_come_back(phrase: str) -> None:
    """Protos, docstrings and documents use the field's term instead."""
    found = [source for source in SOURCES if phrase in _prose(source)]
    assert not found, [str(each.relative_to(ROOT)) for each in found]


@cache
def _prose(source: Path) -> str:
    """Return a text in lower case without line breaks."""
    return " ".join(source.read_text("utf-8").split()).lower()


def test_a_check_is_named_by_its_term() -> None:
    """The first line of each check's docstring names it by the field's term and says what it checks; it is no question."""
    for check in sorted((VERIFIER / "checks").glob("[a-z]*.py")):
        first = (ast.get_docstring(ast.parse(check.read_text("utf-8"))) or "").partition("\n")[0]
        assert first.endswith("."), check.name
        assert ": checks that " in first or check.name == "question.py", check.name


def test_the_glossary_has_each_term_once_in_order() -> None:
    """Terms are sorted, none is there twice, and each names a module that is there."""
    terms = [term.lower() for term, _ in TERMS]
    assert len(terms) > 30
    assert terms == sorted(set(terms))
    for _, module in TERMS:
        assert importlib.util.find_spec(module), module
