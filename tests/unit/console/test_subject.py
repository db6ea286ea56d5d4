"""The page of one account: attempts, labels, cameos, credentials, open challenges and limits."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from cameo_challenges.model import Challenge, Say
from cameo_credential.token_status import Status
from cameo_verifier.console.people import ConsoleRole
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.labels import LabelStore, Truth
from cameo_verifier.store.cameos import cameos
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.types import Verdict
from tests.conftest import ASKED
from tests.enrolled import enrol
from tests.unit.store.evidence_site import open_site
from tests.unit.store.test_attempt_store import RECEIPT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.console.conftest import Clock, Visitor
    from tests.unit.store.evidence_site import Site

HOSTILE = "a/b?c=<d>&'\"\u202e"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Ann with an accepted attempt, its credential, and two rejected ones; somebody with a strange id; the owner of a cameo."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    opened = open_site(engine, tmp_path)
    opened.judged("accepted", "ann", Verdict.ACCEPTED, at=ASKED)
    for place in (1, 2):
        opened.judged(f"rejected-{place}", "ann", at=ASKED + timedelta(minutes=place))
    opened.judged("strange", HOSTILE, at=ASKED)
    LabelStore(engine).add("l", attempt_id="rejected-1", truth=Truth.ATTACK, species="mask", analyst="ana", now=ASKED)
    with engine.begin() as connection:
        enrol(connection, 1)
        entry = {"list_number": 1, "idx": 5, "jti": "j-accepted", "group_number": 0, "status": Status.SUSPENDED.value}
        a_list = {"number": 1, "capacity": 9, "used": 1, "decoy_key": b""}
        connection.execute(insert(tables.status_lists).values(**a_list, created_at=ASKED))
        connection.execute(insert(tables.status_entries).values(**entry))
    yield opened
    engine.dispose()


def part(text: str, name: str) -> str:
    """Return a section of the page; empty where it has none."""
    found = re.search(rf'<section class="[a-z]+" id="{name}".*?</section>', text, re.DOTALL)
    return found[0] if found else ""


def holding(text: str) -> str:
    """Return what the page says of one cameo and its credentials."""
    [found] = re.findall(r'<section class="panel holding".*?</section>', text, re.DOTALL)
    return str(found)


def test_all_that_is_known_of_an_account_is_on_its_page(analyst: Visitor, site: Site, clock: Clock) -> None:
    """Attempts with their labels, credentials with their statuses, challenges that are open, and nobody else's."""
    steps = (Say("one two"),)
    for name, minutes in (("c-open", 3), ("c-over", -1)):
        issued = Challenge(steps, id=name, issued_at=clock.now, expires_at=clock.now + timedelta(minutes=minutes))
        ChallengeStore(site.engine).add(issued, subject="ann")
    text = analyst.get("/subject?id=ann").text
    attempts = part(text, "attempts")
    assert re.findall(r'href="/attempts/([^?"]+)\?subject=ann"', attempts) == ["rejected-2", "rejected-1", "accepted"]
    assert attempts.count("<code>mask</code>") == 1
    held = holding(text)
    assert re.findall("<code>([^<]+)</code>", held) == [RECEIPT.cameo_id, "j-accepted"]
    assert "not made yet" in held
    assert "<td>suspended</td>" in held
    assert 'href="/attempts/accepted"' in held
    assert re.findall("<code>([^<]+)</code>", part(text, "challenges")) == ["c-open"]
    assert "strange" not in text


def test_a_cameo_is_shown_as_it_stands(analyst: Visitor, site: Site, clock: Clock) -> None:
    """Its state, who paused it and why, and the attempt it was made of."""
    with site.engine.begin() as connection:
        cameos.pause(connection, "cameo-1", subject="owner-1", reason="a <moment>", now=clock.now)
    shown = holding(analyst.get("/subject?id=owner-1").text)
    assert "<code>cameo-1</code>" in shown
    assert '<span class="ruling">paused</span>' in shown
    assert "Paused by its owner. <q><bdi>a &lt;moment&gt;</bdi></q>" in shown
    assert 'href="/attempts/a1"' in shown


def test_the_limits_are_shown_as_they_hold(visit: Callable[..., Visitor], clock: Clock) -> None:
    """How often the person tried of how often they may, and what they are refused, until when."""
    clock.now = ASKED + timedelta(minutes=10)
    free = visit().sign_in().get("/subject?id=ann").text
    assert "0 of 5 challenges open, 3 of 10 attempts within the hour, 2 of 5 rejections in a row." in part(free, "limits")
    assert "refused now" not in free
    held = visit(failures_in_a_row=2, failure_wait_s=900).sign_in().get("/subject?id=ann").text
    assert "refused now" in held
    assert "2 attempts of this person in a row were rejected; try again in 420 s." in part(held, "limits")


def test_looking_at_an_account_is_in_the_log(analyst: Visitor, clock: Clock) -> None:
    """Who looked, by the account's latest attempt: the log does not name who may be erased."""
    before = len(analyst.log())
    analyst.get("/subject?id=ann")
    [line] = analyst.log()[before:]
    assert (line.who, line.action, line.attempt_id, line.what, line.why, line.at) == (
        "local",
        "read",
        "rejected-2",
        "subject",
        "opened in the console",
        clock.now,
    )


@pytest.mark.parametrize("query", ["", "?id=", "?id=nobody", "?id=an", "?id=%00"])
def test_an_account_that_nobody_knows_is_not_found(analyst: Visitor, site: Site, query: str) -> None:
    """Nor is the one that erased attempts have in common; nothing is logged."""
    with site.engine.begin() as connection:
        connection.execute(tables.attempts.update().where(tables.attempts.c.id == "strange").values(subject=""))
    before = len(analyst.log())
    assert analyst.get(f"/subject{query}").status_code == 404
    assert len(analyst.log()) == before


def test_an_id_may_be_anything(analyst: Visitor) -> None:
    """The attempt's page links to it, and it is shown and not obeyed."""
    link = re.search(r'Subject <a href="(/subject\?id=[^"]+)"', analyst.get("/attempts/strange").text)
    assert link is not None
    text = analyst.get(link[1]).text
    assert "a/b?c=&lt;d&gt;&amp;&#39;&#34;‹U+202E›" in text
    assert 'href="/attempts/strange?subject=' in text


def test_an_analyst_suspends_and_another_lifts(visit: Callable[..., Visitor]) -> None:
    """A button on the account's page and on the attempt's, each with a reason; both show who said what, and the log has it."""
    analyst = visit(ConsoleRole.ANALYST).sign_in()
    page = "/subject?id=owner-1"
    action = "/cameos/cameo-1/suspension"
    assert f'action="{action}"' in analyst.get(page).text
    answer = analyst.post(action, page, do="suspend", reason="stolen <b>", subject="owner-1", request="r1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/subject?id=owner-1#holdings")
    shown = holding(analyst.get(page).text)
    assert '<b class="bad">suspended</b>' in shown
    assert "Paused by analysts." in shown
    assert "stolen &lt;b&gt;" in shown
    text = analyst.get("/attempts/a1?verdict=ACCEPTED").text
    assert f'action="{action}?verdict=ACCEPTED"' in text
    assert "Lift the suspension" in holding(text)
    answer = analyst.post(f"{action}?verdict=ACCEPTED", page, do="lift", reason="a mix-up", attempt="a1")
    assert answer.headers["location"] == "/attempts/a1?verdict=ACCEPTED#holdings"
    assert '<span class="ruling">active</span>' in holding(analyst.get(page).text)
    lines = [(line.who, line.action, line.attempt_id, line.why) for line in analyst.log() if line.what == "cameo cameo-1"]
    assert lines == [("local", "suspend", "", "stolen <b>"), ("local", "lift", "", "a mix-up")]


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"do": "suspend", "reason": " "}, 400), ({"do": "end", "reason": "x"}, 400), ({"reason": "x"}, 400)],
)
def test_no_suspension_without_a_reason(analyst: Visitor, fields: dict[str, str], status: int) -> None:
    """Nor with another word than the two; the cameo stays as it is."""
    assert analyst.post("/cameos/cameo-1/suspension", "/", subject="owner-1", **fields).status_code == status
    assert '<span class="ruling">active</span>' in holding(analyst.get("/subject?id=owner-1").text)
    assert analyst.post("/cameos/nobody-s/suspension", "/", do="suspend", reason="x").status_code == 409
