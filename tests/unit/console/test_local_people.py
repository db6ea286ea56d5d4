"""Named local people: sign-in tokens made by the command line."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.console.people import ConsoleRole
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.sign_in_tokens import SignInTokenStore
from cameo_verifier.types import Ruling
from tests.unit.console.conftest import Visitor
from tests.unit.review.in_review import TAKEN, keep_pair
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.console.conftest import Clock
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

PAGE = f"/attempts/{TAKEN}"
OPERATOR = Reader("root", "a new colleague")
DAY = timedelta(days=1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site to which nothing came yet."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    yield open_site(engine, tmp_path)
    engine.dispose()


@pytest.fixture
def tokens(site: Site) -> SignInTokenStore:
    """The tokens of that site, through a store of its own as the command line has."""
    return SignInTokenStore(site.engine, site.room.audit)


@pytest.fixture
def enter(visit: Callable[..., Visitor], tokens: SignInTokenStore, clock: Clock) -> Callable[..., Visitor]:
    """Return a function that has a named person sign in, each in a browser of their own, to one console."""
    first = visit(ConsoleRole.ANALYST, review_four_eyes=True)

    def enter(name: str, role: str = "analyst") -> Visitor:
        _, text = tokens.make(name, role, lasts=DAY, reader=OPERATOR, now=clock())
        return Visitor(TestClient(first.client.app), first.site, text).sign_in()

    return enter


def refused(visitor: Visitor, text: str) -> bool:
    """Whether a token lets nobody in."""
    answer = visitor.post("/sign-in/token", "/sign-in", token=text)
    return (answer.status_code, "not known here" in answer.text) == (403, True)


def test_a_token_lets_the_person_in_under_their_name_and_role(enter: Callable[..., Visitor]) -> None:
    """A console that already runs knows it; name and role are those it was made for, and the log has who made and used it."""
    page = enter("ann@example.org").get("/").text
    assert "<bdi>ann@example.org</bdi> <small>analyst</small>" in page
    visitor = enter("ben", "lead")
    assert "<bdi>ben</bdi> <small>lead</small>" in visitor.get("/").text
    lines = [(line.who, line.action, line.what) for line in visitor.log()]
    assert lines == [
        ("root", "admit", "ann@example.org as analyst"),
        ("ann@example.org", "enter", "as analyst"),
        ("root", "admit", "ben as lead"),
        ("ben", "enter", "as lead"),
    ]


def test_a_token_is_good_once_for_a_time_until_it_is_taken_back(
    visit: Callable[..., Visitor], tokens: SignInTokenStore, clock: Clock
) -> None:
    """Used, expired and revoked ones let nobody in, nor does one that was never made; the list says how each stands."""
    visitor = visit()
    made = {
        name: tokens.make(name, "lead", lasts=lasts, reader=OPERATOR, now=clock())[1]
        for name, lasts in (("used", DAY), ("expired", DAY / 2), ("revoked", DAY), ("waiting", DAY))
    }
    assert tokens.revoke("revoked", reader=OPERATOR, now=clock()) == 1
    assert visitor.post("/sign-in/token", "/sign-in", token=made["used"]).status_code == 200
    clock.now += DAY / 2
    assert refused(visitor, made["used"])
    assert refused(visitor, made["expired"])
    assert refused(visitor, made["revoked"])
    assert refused(visitor, made["waiting"][::-1])
    assert {each.name: each.state(clock()) for each in tokens.listed()} == {name: name for name in made}
    assert [line.action for line in visitor.log()] == ["admit"] * 4 + ["expel", "enter"]


def test_the_database_holds_no_token(site: Site, tokens: SignInTokenStore, clock: Clock) -> None:
    """Whoever reads it cannot sign in by what they find."""
    _, text = tokens.make("ann", "lead", lasts=DAY, reader=OPERATOR, now=clock())
    with site.engine.connect() as connection:
        (row,) = connection.execute(select(tables.sign_in_tokens)).all()
    assert text not in repr(tuple(row))
    assert text not in repr(site.room.audit.lines())


def test_taking_a_token_back_ends_the_session_that_began_by_it(
    enter: Callable[..., Visitor], tokens: SignInTokenStore, clock: Clock
) -> None:
    """At the next request, and of that person alone; another token brings them back in."""
    ann, ben = enter("ann"), enter("ben")
    assert tokens.revoke("ann", reader=OPERATOR, now=clock()) == 1
    assert ann.get("/").status_code == 303
    assert ben.get("/").status_code == 200
    assert enter("ann").get("/").status_code == 200


def test_two_names_are_four_eyes_and_one_name_twice_is_not(enter: Callable[..., Visitor], site: Site, judged: Judged) -> None:
    """Two people who signed in by tokens of their own decide; the same person in two browsers does not."""
    keep_pair(site, judged)

    def ruling() -> str | None:
        with site.engine.connect() as connection:
            found: str | None = connection.execute(select(tables.attempts.c.ruling).filter_by(id=TAKEN)).scalar_one()
            return found

    for name, decided in (("ann", None), ("ann", None), ("ben", Ruling.APPROVED.value)):
        assert enter(name).post(f"{PAGE}/decide", PAGE, ruling="approved", reason="twins").status_code == 303
        assert ruling() == decided
    lines = [(line.who, line.what) for line in site.room.audit.lines() if line.action == "approve"]
    assert lines == [("ann", "first of two"), ("ann", "first of two"), ("ben", "decided")]


BAD_NAMES = [
    "",
    " ann",
    "ann ",
    "Ann",
    "аnn",
    "ann\u200b",
    "ann\n",
    "ann\x00",
    "jü",
    "-ann",
    "a" * 65,
    "local",
    "retention",
    "ann b",
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_name_that_could_be_taken_for_another_is_refused(name: str, tokens: SignInTokenStore, clock: Clock) -> None:
    """Capitals, other scripts, what nobody sees, what is too long, and what the log calls others by; nothing is kept."""
    with pytest.raises(InvalidRequestError, match=r"a name has 1 to 64|take another name"):
        tokens.make(name, "lead", lasts=DAY, reader=OPERATOR, now=clock())
    assert tokens.listed() == ()


def test_what_nobody_has_cannot_be_taken_back(tokens: SignInTokenStore, clock: Clock) -> None:
    """A misspelt name is an error, and so is taking back twice."""
    tokens.make("ann", "lead", lasts=DAY, reader=OPERATOR, now=clock())
    assert tokens.revoke("ann", reader=OPERATOR, now=clock()) == 1
    for name in ("anne", "ann"):
        with pytest.raises(NotFoundError, match="cameo console tokens"):
            tokens.revoke(name, reader=OPERATOR, now=clock())


@pytest.mark.parametrize("lasts", [timedelta(), -DAY, timedelta(days=7, seconds=1)])
def test_a_token_is_not_good_for_ever(lasts: timedelta, tokens: SignInTokenStore, clock: Clock) -> None:
    """A week at most."""
    with pytest.raises(InvalidRequestError, match="168 hours"):
        tokens.make("ann", "lead", lasts=lasts, reader=OPERATOR, now=clock())


def test_tokens_of_long_ago_are_forgotten(tokens: SignInTokenStore, clock: Clock) -> None:
    """What was made three months ago goes when another is made."""
    tokens.make("ann", "lead", lasts=DAY, reader=OPERATOR, now=clock())
    tokens.make("ben", "lead", lasts=DAY, reader=OPERATOR, now=clock() + timedelta(days=91))
    assert [each.name for each in tokens.listed()] == ["ben"]
