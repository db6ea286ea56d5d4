"""The queue's filters, pages and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import ASKED
from verifier.console.filters import place, read, read_place
from verifier.errors import InvalidRequestError
from verifier.store.attempts import AttemptStore

if TYPE_CHECKING:
    from tests.unit.console.conftest import Visitor
    from tests.unit.store.evidence_site import Site

BOTH = ("astronaut_bona_fide", "still_photo")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", BOTH),
        ("verdict=ACCEPTED", BOTH[:1]),
        ("verdict=REJECTED&reason=FROZEN_OR_LOOPED", BOTH[1:]),
        ("reason=FLAT_FACE", ()),
        ("profile=default", BOTH),
        ("profile=minor", ()),
        ("subject=ann", BOTH),
        ("subject=an", ()),
        ("label=none", BOTH),
        ("label=attack", ()),
        (f"since={ASKED:%Y-%m-%d}&until={ASKED:%Y-%m-%d}", BOTH),
        ("since=2026-03-02", ()),
        ("until=2026-02-28", ()),
        ("verdict=&reason=", BOTH),
        ("subject=%27%22%20or%201%3D1", ()),
    ],
)
def test_the_url_says_which_attempts_are_shown(lead: Visitor, query: str, shown: tuple[str, ...]) -> None:
    """Each filter leaves exactly the attempts that are so; an empty one leaves all."""
    text = lead.get(f"/?{query}").text
    assert tuple(name for name in BOTH if f'data-id="{name}"' in text) == shown


@pytest.mark.parametrize(
    "query", ["verdict=MAYBE", "reason=BORED", "since=yesterday", "until=2026-13-01", "label=odd", "after=x", "after=9e99.a"]
)
def test_a_filter_that_means_nothing_is_refused(lead: Visitor, query: str) -> None:
    """It is a 400 that says so, and no page that silently shows everything."""
    answer = lead.get(f"/?{query}")
    assert answer.status_code == 400
    assert "data-id" not in answer.text


def test_the_head_counts_what_the_filter_leaves(lead: Visitor) -> None:
    """The number of attempts and that of each reason are those of the filtered queue."""
    assert "<b>2</b> attempts" in lead.get("/").text
    filtered = lead.get("/?verdict=REJECTED").text
    assert "<b>1</b> attempts" in filtered
    assert "<span>frozen or looped</span>" in filtered
    assert "1 rejected" in filtered


def test_the_place_in_the_list_comes_back(site: Site) -> None:
    """The token of a page says after which attempt it begins, to the microsecond."""
    attempt = AttemptStore(site.engine).get("still_photo")
    assert read_place(place(attempt)) == (attempt.created_at, "still_photo")
    assert read_place("") is None


def test_filters_are_kept_when_one_changes() -> None:
    """A link of the page changes its own filter, drops the place in the list, and leaves the others."""
    filters = read({"verdict": "REJECTED", "subject": 'a&b="c"', "after": "1.a"})
    assert filters.url(reason="NO_FACE") == "/?verdict=REJECTED&subject=a%26b%3D%22c%22&reason=NO_FACE"
    assert filters.url(verdict="") == "/?subject=a%26b%3D%22c%22"
    with pytest.raises(InvalidRequestError, match="no day"):
        read({"since": "1"})
