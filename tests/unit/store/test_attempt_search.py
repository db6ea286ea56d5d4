"""Searches from one attempt: its neighbours in a list, the same file, the same face."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from cameo_verifier.store.attempts.search import AttemptSearch
from cameo_verifier.store.db import tables
from cameo_verifier.types import Verdict
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

ATTEMPTS = tables.attempts.c


@pytest.fixture
def search(engine: Engine, tmp_path: Path) -> AttemptSearch:
    """Five attempts, the second and third at the same moment; the fourth was accepted."""
    site = open_site(engine, tmp_path)
    for name, second in (("a", 0), ("b", 1), ("c", 1), ("d", 2), ("e", 3)):
        verdict = Verdict.ACCEPTED if name == "d" else Verdict.REJECTED
        site.judged(name, "ann", verdict, at=NOW + timedelta(seconds=second))
    with engine.begin() as connection:
        for name in "ac":
            connection.execute(update(tables.attempts).where(ATTEMPTS.id == name).values(recording_sha256="f" * 64))
        for name, matches in (("b", {"enrolled": 7}), ("c", {"protected": 7}), ("e", {"enrolled": 8, "protected": 9})):
            connection.execute(update(tables.attempts).where(ATTEMPTS.id == name).values(matches=matches))
    return AttemptSearch(engine)


def test_neighbours_are_those_of_the_condition(search: AttemptSearch) -> None:
    """From the newest to the oldest no attempt is left out or met twice, and those that do not meet it are passed over."""
    rejected = ATTEMPTS.verdict == Verdict.REJECTED.value
    met, identifier = [], "e"
    while identifier:
        met.append(identifier)
        [attempt] = search.page(ATTEMPTS.id == identifier)
        newer, identifier = search.neighbours(rejected, (attempt.created_at, attempt.id))
        assert newer == (met[-2] if len(met) > 1 else "")
    assert met == ["e", "c", "b", "a"]
    assert search.neighbours(rejected, (NOW + timedelta(seconds=2), "d")) == ("e", "c")


def test_the_same_file_is_found(search: AttemptSearch) -> None:
    """Every other attempt whose recording has the same digest; an attempt without one has no twin."""
    by_id = {attempt.id: attempt for attempt in search.page()}
    assert [attempt.id for attempt in search.same_file(by_id["a"], limit=5)] == ["c"]
    assert search.count(ATTEMPTS.recording_sha256 == "f" * 64) == 2


def test_who_met_a_face_is_found(search: AttemptSearch) -> None:
    """By its number in its own collection: the same number in the other one is another face."""

    def met(**numbers: list[int]) -> list[str]:
        return [attempt.id for attempt in search.that_found(numbers, limit=5)]

    assert met(enrolled=[7]) == ["b"]
    assert met(protected=[7, 9]) == ["e", "c"]
    assert met(enrolled=[8], protected=[7]) == ["e", "c"]
    assert met(enrolled=[], protected=[]) == []
    assert met(enrolled=[99]) == []
