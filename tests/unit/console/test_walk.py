"""Navigation from one attempt to the next in the filtered queue."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.store.db.engine import open_database
from cameo_verifier.types import Verdict
from tests.conftest import ASKED
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.console.conftest import Visitor
    from tests.unit.store.evidence_site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Five attempts, the oldest first; the third was accepted."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    opened = open_site(engine, tmp_path)
    for place, name in enumerate("abcde"):
        verdict = Verdict.ACCEPTED if name == "c" else Verdict.REJECTED
        opened.judged(name, "ann", verdict, at=ASKED + timedelta(seconds=place))
    yield opened
    engine.dispose()


def keys(text: str) -> dict[str, str]:
    """Return where the keys of the page lead that walk the queue."""
    return {key: href for href, key in re.findall(r'href="([^"]+)" data-key="([\[\]])"', text)}


def test_both_neighbours_are_one_key_away(analyst: Visitor) -> None:
    """`[` is the newer one and `]` the older one; at the ends one of them is missing."""
    assert keys(analyst.get("/attempts/c").text) == {"[": "/attempts/d", "]": "/attempts/b"}
    assert keys(analyst.get("/attempts/e").text) == {"]": "/attempts/d"}
    assert keys(analyst.get("/attempts/a").text) == {"[": "/attempts/b"}


def test_the_filter_goes_along(analyst: Visitor) -> None:
    """From the queue to an attempt, to its neighbours, and back: what the filter leaves out is never met."""
    query = "?verdict=REJECTED&amp;subject=ann"
    queue = analyst.get("/?verdict=REJECTED&subject=ann").text
    assert f'href="/attempts/d{query}"' in queue
    text = analyst.get("/attempts/d?verdict=REJECTED&subject=ann").text
    assert keys(text) == {"[": f"/attempts/e{query}", "]": f"/attempts/b{query}"}
    assert f'href="/{query}">Queue, filtered</a>' in text


def test_a_form_comes_back_to_the_same_queue(analyst: Visitor) -> None:
    """A label keeps the filter, even where the attempt does not meet it any more; its neighbours are still the same."""
    page = "/attempts/d?label=none"
    assert 'action="/attempts/d/label?label=none"' in analyst.get(page).text
    answer = analyst.post("/attempts/d/label?label=none", page, truth="bona_fide")
    assert answer.headers["location"] == "/attempts/d?label=none#labels"
    assert keys(analyst.get(page).text) == {"[": "/attempts/e?label=none", "]": "/attempts/c?label=none"}
    assert '"/attempts/d?label=none"' not in analyst.get("/?label=none").text


def test_a_filter_that_means_nothing_keeps_nothing(analyst: Visitor) -> None:
    """It is refused, for a page as for a form, before anything is kept."""
    assert analyst.get("/attempts/d?verdict=MAYBE").status_code == 400
    assert analyst.post("/attempts/d/label?verdict=MAYBE", "/attempts/d", truth="bona_fide").status_code == 400
    assert "bona fide</span>" not in analyst.get("/attempts/d").text
