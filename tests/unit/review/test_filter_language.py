"""The filter language of attempts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.review.filter_language import condition_of
from cameo_verifier.store.attempts.labels import LabelStore, Truth
from cameo_verifier.store.attempts.search import AttemptSearch
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.types import Verdict
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import Site, open_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One attempt of each verdict, a day apart, two of them labelled."""
    folder: Path = tmp_path_factory.mktemp("where")
    engine = open_database(f"sqlite:///{folder / 'cameo.sqlite3'}")
    opened = open_site(engine, folder)
    for day, (name, verdict) in enumerate(
        (("flat", Verdict.REJECTED), ("young", Verdict.REVIEW), ("dark", Verdict.RETRY), ("good", Verdict.ACCEPTED))
    ):
        opened.judged(name, "o'neil" if name == "dark" else "ann", verdict, at=NOW + timedelta(days=day))
    labels = LabelStore(engine)
    labels.add("l1", attempt_id="flat", truth=Truth.BONA_FIDE, analyst="ana", now=NOW)
    labels.add("l2", attempt_id="flat", truth=Truth.ATTACK, species="mask", analyst="ana", now=NOW)
    labels.add("l3", attempt_id="good", truth=Truth.UNSURE, analyst="ben", now=NOW)
    yield opened
    engine.dispose()


@pytest.mark.parametrize(
    ("expression", "ids"),
    [
        ("verdict=REJECTED and reason=FLAT_FACE and since=2026-03-01", ["flat"]),
        ("verdict=REJECTED and since=2026-03-02", []),
        ("reason=TOO_DARK or reason=POSSIBLE_MINOR", ["dark", "young"]),
        ("not reason = TOO_DARK", ["flat", "good", "young"]),
        ("reason!=TOO_DARK and verdict!=ACCEPTED", ["flat", "young"]),
        ("verdict=RETRY or verdict=REVIEW and subject=ann", ["dark", "young"]),
        ("(verdict=RETRY or verdict=REVIEW) and subject=ann", ["young"]),
        ('subject="o\'neil"', ["dark"]),
        ("subject='x' or subject=\"ann' OR 1=1 --\"", []),
        ("since=2026-03-02T12:00:00.123456Z and until=2026-03-03T12:00:00.123456+00:00", ["young"]),
        ("until=2026-03-02", ["flat"]),
        ("label=attack", ["flat"]),
        ("label=disputed", []),
        ("not label=disputed and verdict=REJECTED", ["flat"]),
        ("label=bona_fide", []),
        ("label=none", ["dark", "young"]),
        ("label!=none and species!=mask", ["good"]),
        ("species=mask", ["flat"]),
        ("id=flat or id=nobody", ["flat"]),
        ("profile=default and audience!=nobody and not not id=good", ["good"]),
    ],
)
def test_an_expression_finds_what_it_says(site: Site, expression: str, ids: list[str]) -> None:
    """Fields, their negation, precedence, brackets, quotes and times mean what they read as."""
    assert AttemptSearch(site.engine).judged(condition_of(expression)) == ids


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "expected a field .* not the end, at character 1"),
        ("verdict", "expected '=' or '!=', not the end, at character 8"),
        ("verdict=", "expected a value; .* not the end"),
        ("verdict=and", "expected a value"),
        ("verdict=MAYBE", "verdict is none of ACCEPTED, REJECTED, RETRY, REVIEW: 'MAYBE', at character 9"),
        ("reason=nope", "reason is none of"),
        ("since=yesterday", "since is no day or time such as 2026-11-01"),
        ("label=fake", "label is none of"),
        ("secret=1", "expected a field .id, subject, .* not 'secret', at character 1"),
        ("verdict=REJECTED reason=X", "expected 'and', 'or' or the end, not 'reason', at character 18"),
        ("(verdict=REJECTED", r"expected '\)'"),
        ("verdict=REJECTED;", "unexpected ';' at character 17"),
        ("subject='ann", 'unexpected "\'" at character 9'),
        ("not", "expected a field"),
        ("(" * 40 + "id=a" + ")" * 40, "nested more than 32 deep"),
        ("id=" + "a" * 2000, "at most 2000 characters"),
    ],
)
def test_what_is_malformed_says_where(expression: str, message: str) -> None:
    """The error names the place and what was expected there."""
    with pytest.raises(InvalidRequestError, match=message):
        condition_of(expression)


@given(st.text(st.characters(exclude_characters="'\"", codec="utf-8"), min_size=1, max_size=40))
@example("x' OR '1'='1")
@example("%")
def test_no_value_becomes_sql(value: str) -> None:
    """Whatever a value holds, it is a parameter of the statement and never a part of it, in both databases."""
    condition = condition_of(f'subject="{value}"')
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        compiled = condition.compile(dialect=dialect)
        assert list(compiled.params.values()) == [value]
        assert str(compiled).startswith("attempts.subject = ")


@given(
    st.text(max_size=60) | st.lists(st.sampled_from(["(", ")", "not", "and", "or", "id", "=", "!=", "a", "'x'"])).map(" ".join)
)
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    """Nothing else comes of it."""
    try:
        condition = condition_of(text)
    except InvalidRequestError:
        return
    assert "attempts." in str(condition.compile())


def test_pages_go_on_where_the_last_ended(site: Site) -> None:
    """The newest first, none twice and none left out."""
    search = AttemptSearch(site.engine)
    first = search.page(limit=3)
    second = search.page(after=(first[-1].created_at, first[-1].id), limit=3)
    assert [attempt.id for attempt in (*first, *second)] == ["good", "dark", "young", "flat"]
    assert [attempt.id for attempt in search.page(condition_of("subject=ann"), limit=2)] == ["good", "young"]
