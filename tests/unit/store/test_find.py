"""Attempts found by an id or a part of one, in both databases, and disputed ones."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.console import find
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.labels import LabelStore, Truth, disputed
from cameo_verifier.store.attempts.search import AttemptSearch
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge

ATTEMPTS = (("AbCdEf-1", "ann"), ("x_y%z", "ben/Ünï"), ("x-y+z", "ANNE"), ("q", "cem"))


@pytest.fixture
def search(engine: Engine, tmp_path: Path) -> AttemptSearch:
    """Attempts with ids that hold what LIKE would read as a sign; the challenge of each is `c-` and its id."""
    site = open_site(engine, tmp_path)
    for place, (attempt_id, subject) in enumerate(ATTEMPTS):
        site.judged(attempt_id, subject, at=NOW + timedelta(seconds=place))
    return AttemptSearch(engine)


def found(search: AttemptSearch, text: str) -> list[str]:
    """Return the ids that a text finds, the newest first."""
    return [attempt.id for attempt in search.page(find.by_id(text))]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("AbCdEf-1", ["AbCdEf-1"]),
        ("abcdef-1", ["AbCdEf-1"]),
        ("CDE", ["AbCdEf-1"]),
        ("c-x_y%z", ["x_y%z"]),
        ("C-X", ["x-y+z", "x_y%z"]),
        ("x_y", ["x_y%z"]),
        ("y%z", ["x_y%z"]),
        ("n/Ü", ["x_y%z"]),
        ("ann", ["x-y+z", "AbCdEf-1"]),
        ("Anne", ["x-y+z"]),
        ("cem", ["q"]),
        ("q", ["q"]),
        ("an", []),
        ("_", []),
        ("%%%", []),
        ("' or 1=1 --", []),
    ],
)
def test_an_id_is_found_whole_or_in_part(search: AttemptSearch, text: str, ids: list[str]) -> None:
    """Of attempt, challenge and subject, in capitals or not; a part has three characters, and no sign means anything."""
    assert found(search, text) == ids


def test_a_part_is_looked_for_in_the_latest_alone(search: AttemptSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many are looked through and so many are found, whatever is there; a whole id is found however old it is."""
    monkeypatch.setattr(find, "LATEST", 3)
    assert found(search, "bcdef") == []
    assert found(search, "AbCdEf-1") == ["AbCdEf-1"]
    assert found(search, "c-AbCdEf-1") == ["AbCdEf-1"]
    monkeypatch.setattr(find, "AT_MOST", 1)
    assert found(search, "c-x") == ["x-y+z"]


def test_a_text_longer_than_any_id_is_refused() -> None:
    """It is the caller's mistake."""
    with pytest.raises(InvalidRequestError, match="at most 128"):
        find.by_id("a" * 129)


def test_an_attempt_that_was_not_judged_is_found_whole(
    search: AttemptSearch, engine: Engine, issued: Callable[[str], Challenge]
) -> None:
    """By its own id and by that of its challenge, as the app's log has them."""
    ChallengeStore(engine).add(issued("c-open"), subject="dan")
    AttemptStore(engine).begin("open", challenge_id="c-open", audience="https://g.example", request_id="r", now=NOW)
    assert found(search, "open") == found(search, "c-open") == found(search, "dan") == ["open"]


def test_what_analysts_dispute_is_found(search: AttemptSearch, engine: Engine) -> None:
    """As `Consensus` says: by the latest label of each who is sure, by truth and by species."""
    labels = LabelStore(engine)

    def say(name: str, attempt_id: str, truth: Truth, species: str, analyst: str) -> None:
        labels.add(name, attempt_id=attempt_id, truth=truth, species=species, analyst=analyst, now=NOW)

    say("1", "q", Truth.ATTACK, "mask", "ana")
    say("2", "q", Truth.ATTACK, "print", "ben")
    say("3", "AbCdEf-1", Truth.BONA_FIDE, "", "ana")
    say("4", "AbCdEf-1", Truth.ATTACK, "mask", "ben")
    say("5", "AbCdEf-1", Truth.BONA_FIDE, "", "ben")
    say("6", "x-y+z", Truth.BONA_FIDE, "", "ana")
    say("7", "x-y+z", Truth.UNSURE, "", "ben")
    say("8", "x_y%z", Truth.ATTACK, "mask", "ana")
    say("9", "x_y%z", Truth.BONA_FIDE, "", "ana")
    assert [attempt.id for attempt in search.page(disputed())] == ["q"]
    assert {name for name, consensus in labels.consensus([name for name, _ in ATTEMPTS]).items() if consensus.disputed} == {"q"}
    assert labels.species() == ("mask", "print")
