"""The queue's filters, pages and counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.console.filters import place, read, read_place
from cameo_verifier.console.species import SUITE
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.labels import LabelStore, Truth
from fixtures.studio.species import Species
from tests.conftest import ASKED

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
        ("label=disputed", ()),
        ("species=screen_replay", ()),
        ("find=STILL", BOTH[1:]),
        ("find=c-astronaut_bona_fide", BOTH[:1]),
        ("find=ann", BOTH),
        ("find=still&verdict=ACCEPTED", ()),
        ("subject=%27%22%20or%201%3D1", ()),
    ],
)
def test_the_url_says_which_attempts_are_shown(lead: Visitor, query: str, shown: tuple[str, ...]) -> None:
    """Each filter leaves exactly the attempts that are so; an empty one leaves all."""
    text = lead.get(f"/?{query}").text
    assert tuple(name for name in BOTH if f'data-id="{name}"' in text) == shown


@pytest.mark.parametrize(
    "query",
    [
        "verdict=MAYBE",
        "reason=BORED",
        "since=yesterday",
        "until=2026-13-01",
        "label=odd",
        "find=" + "a" * 129,
        "find=a%00b",
        "subject=%00",
        "after=x",
        "after=9e99.a",
    ],
)
def test_a_filter_that_means_nothing_is_refused(lead: Visitor, query: str) -> None:
    """It is a 400 that says so, and no page that silently shows everything."""
    answer = lead.get(f"/?{query}")
    assert answer.status_code == 400
    assert "data-id" not in answer.text


def test_what_analysts_dispute_and_call_it_is_a_filter(lead: Visitor, site: Site) -> None:
    """Two who are sure of different things: *disputed* finds it, each of its species finds it, and the form offers both."""
    labels = LabelStore(site.engine)
    for analyst, species in (("ana", "mask"), ("ben", "print")):
        labels.add(f"l-{species}", attempt_id="still_photo", truth=Truth.ATTACK, species=species, analyst=analyst, now=ASKED)
    for query in ("label=disputed", "species=mask", "species=print"):
        text = lead.get(f"/?{query}").text
        assert [name for name in BOTH if f'data-id="{name}"' in text] == ["still_photo"]
    offered = re.findall(r'<option value="([a-z_]+)">', text[text.index('id="f-species"') :].partition("</select>")[0])
    assert set(offered) == {*map(str, Species), "mask", "print"} - {"print"}
    assert '<option value="print" selected>print</option>' in text


def test_the_species_to_choose_from_are_the_suite_s(lead: Visitor) -> None:
    """Those of the studio, one and all, and on the attempt's page too."""
    assert sorted(Species) == list(SUITE)
    text = lead.get("/attempts/still_photo").text
    assert set(re.findall(r'<option value="([a-z_]+)"></option>', text)) >= set(Species)


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
