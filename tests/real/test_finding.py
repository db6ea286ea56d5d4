"""Rates on real recordings: what is counted, what is worst, and how it is written."""

from __future__ import annotations

import json
from pathlib import Path

from tests.real.finding import Item, finding
from tests.real.table import SHORT, document, page, short


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


def test_the_table_of_docs_names_what_was_measured() -> None:
    """The rows of docs/measured.md are those of `SHORT`, in its order, and the README takes its rows from there word by word."""
    found = [finding("Q?", group, what, [Item("a", counts=True)], goal="0 %") for group, what in reversed(SHORT[:2])]
    assert short(found).splitlines()[2:] == [
        f"| Q? {group}: {what} | 1 of 1 | 100.0 % | 2.5 to 100.0 % | 0 % |" for group, what in SHORT[:2]
    ]
    root = Path(__file__).parents[2]
    readme = (root / "README.md").read_text("utf-8").splitlines()
    page = (root / "docs" / "measured.md").read_text("utf-8").splitlines()
    start = page.index(short([]).splitlines()[0])
    assert [
        f": {what} |" in line and f" {group}:" in line for line, (group, what) in zip(page[start + 2 :], SHORT, strict=False)
    ] == [True] * len(SHORT)
    begin = readme.index(short([]).splitlines()[0]) + 2
    rows = readme[begin : readme.index("", begin)]
    assert rows
    assert rows == [line for line in page if line in rows]
