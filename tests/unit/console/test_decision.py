"""Manual review in the console: the gallery's match, both attempts side by side, and the decision."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from cameo_verifier.console.people import ConsoleRole
from cameo_verifier.store.cameos.faces import FaceStore
from cameo_verifier.store.credentials import receipts
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from tests.unit.review.in_review import FIRST, TAKEN, keep_pair
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.console.conftest import Visitor
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

PAGE = f"/attempts/{TAKEN}"


@pytest.fixture
def site(judged: Judged, tmp_path: Path) -> Iterator[Site]:
    """A site with one attempt in review."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    opened = open_site(engine, tmp_path)
    keep_pair(opened, judged)
    yield opened
    engine.dispose()


def sent(visitor: Visitor) -> str:
    """Return the id that the page's form sends."""
    found = re.search(r'name="request" value="([^"]+)"', visitor.get(PAGE).text)
    assert found is not None
    return found[1]


def test_the_page_says_whose_face_it_is(analyst: Visitor) -> None:
    """Account and attempt of the face that the gallery found are linked, and the queue finds what waits."""
    text = analyst.get(PAGE).text
    assert 'href="/?subject=ann"' in text
    assert f'href="/attempts/{FIRST}"' in text
    assert f'href="{PAGE}/compare?with={FIRST}"' in text
    assert "Cosine <b>0.83</b>" in text
    assert f"/attempts/{TAKEN}" in analyst.get("/?decision=waiting").text
    assert f"/attempts/{FIRST}" not in analyst.get("/?decision=waiting").text


def test_both_faces_lie_side_by_side_once_somebody_says_why(analyst: Visitor) -> None:
    """The accepted attempt has no recording any more, its pictures are shown; the reveal of both is in the log first."""
    beside = f"{PAGE}/compare?with={FIRST}"
    text = analyst.get(beside).text
    assert "same face, 1.00" in text
    assert "/crops" not in text
    assert analyst.client.get(f"/attempts/{FIRST}/crops").status_code == 403
    answer = analyst.post(f"{PAGE}/reveal", beside, why="case 9", beside=FIRST)
    assert answer.headers["location"] == beside
    revealed = [(line.attempt_id, line.what, line.why) for line in analyst.log() if line.action == "reveal"]
    assert revealed == [(TAKEN, "recording", "case 9"), (FIRST, "crops", "case 9")]
    text = analyst.get(beside).text
    for each in (TAKEN, FIRST):
        assert f'src="/attempts/{each}/crops"' in text
        picture = analyst.client.get(f"/attempts/{each}/crops")
        assert (picture.headers["content-type"], picture.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")


def test_an_approval_earns_the_receipt(analyst: Visitor, site: Site) -> None:
    """One analyst decides where the site wants no more; the reason is in the log, and sending the form again changes nothing."""
    request = sent(analyst)
    for _ in range(2):
        answer = analyst.post(f"{PAGE}/decide", PAGE, ruling="approved", reason="twins, on the phone", request=request)
        assert answer.headers["location"] == f"{PAGE}#decision"
    lines = [(line.who, line.what, line.why) for line in analyst.log() if line.action == "approve"]
    assert lines == [("local", "decided", "twins, on the phone")]
    with site.engine.connect() as connection:
        receipt = receipts.of_attempt(connection, TAKEN)
    assert receipt is not None
    assert receipt.cameo_id == "cameo-of-ben"
    text = analyst.get(PAGE).text
    assert "Approved on" in text
    assert "twins, on the phone" in text
    assert "Decline</button>" not in text
    again = analyst.post(f"{PAGE}/decide", PAGE, ruling="declined", reason="no")
    assert (again.status_code, "decided already" in again.text) == (409, True)


def test_four_eyes_are_not_one_person_s(visit: Callable[..., Visitor], site: Site) -> None:
    """Where two have to agree, the same person twice decides nothing, and the page says what is missing."""
    visitor = visit(ConsoleRole.ANALYST, review_four_eyes=True).sign_in()
    for _ in range(2):
        visitor.post(f"{PAGE}/decide", PAGE, ruling="approved", reason="twins")
    text = visitor.get(PAGE).text
    assert "Two different analysts have to say the same." in text
    assert "Decline</button>" in text
    with site.engine.connect() as connection:
        assert connection.execute(select(tables.attempts.c.ruling).filter_by(id=TAKEN)).scalar_one() is None


def test_no_decision_without_a_reason(analyst: Visitor, site: Site) -> None:
    """An empty reason, and another word than the two, are refused; nothing is kept."""
    assert analyst.post(f"{PAGE}/decide", PAGE, ruling="approved", reason=" ").status_code == 400
    assert analyst.post(f"{PAGE}/decide", PAGE, ruling="maybe", reason="hm").status_code == 400
    with site.engine.connect() as connection:
        assert connection.execute(select(tables.opinions)).all() == []


def test_a_face_that_is_gone_is_said_to_be_gone(analyst: Visitor, site: Site) -> None:
    """Once the other account left the gallery, nothing is linked, and what was found is still shown."""
    FaceStore(site.engine).forget("ann")
    text = analyst.get(PAGE).text
    assert "which is not in the gallery any more" in text
    assert 'subject=ann"' not in text


def test_the_page_says_what_the_person_was_told_before_and_after(analyst: Visitor) -> None:
    """The hint of the verdict, then that of the decision, each as the app was given it."""
    before = re.findall("<q>([^<]+)</q>", analyst.get(PAGE).text)
    analyst.post(f"{PAGE}/decide", PAGE, ruling="declined", reason="somebody else")
    after = re.findall("<q>([^<]+)</q>", analyst.get(PAGE).text)
    assert after == [*before, "This was looked at by a person and cannot be accepted."]
    assert len(before) == 1
