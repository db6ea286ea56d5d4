"""docs/architecture.md names the rooms and the decisions there are."""

from __future__ import annotations

import re
from pathlib import Path

from tests.sources import VERIFIER

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_every_room_has_its_row() -> None:
    """Each package of `cameo_verifier` has a row in the table of rooms, and the table names no other."""
    rooms = {init.parent.name for init in VERIFIER.glob("*/__init__.py")}
    assert set(re.findall(r"^\| `verifier/cameo_verifier/(\w+)/` \|", PAGE, re.MULTILINE)) == rooms


def test_every_decision_is_listed() -> None:
    """Each record in docs/adr is linked once, in order, by its own number, which its title has too."""
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    listed = re.findall(r"\[(\d+)\]\((adr/\d{4}[^)]*)\)", PAGE)
    assert [name for _, name in listed] == [f"adr/{record.name}" for record in records]
    for (number, _), record in zip(listed, records, strict=True):
        assert record.name.startswith(f"{int(number):04}-")
        assert record.read_text("utf-8").startswith(f"# {number}. ")
