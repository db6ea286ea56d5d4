"""Rates on real recordings: what is counted, what is worst, and how it is written."""

from __future__ import annotations

import json

from tests.real.finding import Item, finding
from tests.real.table import document, page


def test_the_worst_item_is_the_clearest_of_those_that_count() -> None:
    """Of what counts, or where nothing does, the item nearest to it is named; a question of nothing has no rate."""
    one = finding(
        "q", "g", "accepted", [Item("a", counts=False, score=9), Item("b", counts=True, score=1), Item("c", counts=True, score=2)]
    )
    assert (one.rate.count, one.rate.trials, one.worst) == (2, 3, "c")
    none = finding("q", "g", "accepted", [Item("a", counts=False, score=9), Item("b", counts=False, score=1)])
    assert (none.rate.count, none.worst) == (0, "a")
    empty = finding("q", "g", "accepted", [])
    assert (empty.rate.share, empty.rate.low, empty.rate.high, empty.worst) == (None, 0.0, 1.0, "")


def test_the_page_and_the_document_say_the_same() -> None:
    """Names come from files that anybody may have named: the page escapes them, the document keeps them."""
    found = [finding("Is it <b>?", "all & each", "refused", [Item("<script>.mp4", counts=True)], goal=">= 95 %")]
    written = page(found, "folder")
    assert "<script>" not in written
    assert "&lt;script&gt;.mp4" in written
    assert "1 of 1" in written
    (row,) = json.loads(document(found, {"code": "00"}))["findings"]
    assert (row["worst"], row["rate"]["count"], row["rate"]["share"], row["goal"]) == ("<script>.mp4", 1, 1.0, ">= 95 %")
