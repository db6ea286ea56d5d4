"""Rewriting of database files, for remnants that overwriting cannot reach."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, insert

from cameo_verifier.store.cameos import events
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import is_rewritten, open_database, rewrite, scrub
from tests.databases import only_sqlite
from tests.unit.store.conftest import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

ROWS = 600


def _row(number: int, note: str) -> dict[str, object]:
    kept = {"id": f"cameo-{number}", "subject": f"s{number}", "request_id": "r", "state": "active", "terms": {"note": note}}
    return kept | {
        "minor_safeguards": False,
        "consent": {},
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
        "reason": "",
        "change": None,
        "paused_by": [],
    }


@only_sqlite
def test_a_file_that_was_written_anew_holds_nothing_of_what_was_deleted(engine: Engine, tmp_path: Path) -> None:
    """What nobody overwrote when it was deleted is still in the file, and gone once that is written anew; others are whole."""
    chance = random.Random(3)  # noqa: S311 - the same rows in every run
    notes = {number: f"note-{number:04}-{chance.randbytes(chance.randrange(20, 400)).hex()}" for number in range(ROWS)}
    order = sorted(notes, key=lambda _: chance.random())
    with engine.begin() as connection:
        for number in order:
            connection.execute(insert(tables.cameos).values(_row(number, notes[number])))
    gone = set(order[::2])
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        for number in gone:
            connection.execute(delete(tables.cameos).where(tables.cameos.c.id == f"cameo-{number}"))

    def found() -> set[int]:
        everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        return {number for number, note in notes.items() if note[:30].encode() in everything}

    assert scrub(engine)
    assert found() & gone
    assert rewrite(engine, 7)
    assert found() == set(notes) - gone


@only_sqlite
def test_it_waits_for_readers_and_says_so(url: str, engine: Engine) -> None:
    """Somebody who reads keeps the log from being emptied: it is not done then, and done once they are through."""
    waiting = open_database(url, busy_timeout_s=0.1)
    with engine.connect() as reader:
        events.after(reader, 0, subject=None, limit=1)
        assert not rewrite(waiting, 7)
        assert not is_rewritten(waiting, 7)
    assert rewrite(waiting, 7)
    assert is_rewritten(waiting, 7)
    waiting.dispose()


@only_sqlite
@pytest.mark.parametrize("mark", [7, 2**31 + 7])
def test_a_server_that_starts_finds_it_done(url: str, engine: Engine, mark: int) -> None:
    """Whoever opens the file next sees at which event it was written anew, and that it was not since a later one."""
    assert rewrite(engine, mark)
    other = open_database(url)
    assert is_rewritten(other, mark)
    assert not is_rewritten(other, mark + 1)
    other.dispose()


@pytest.mark.parametrize(("kind", "counts"), [("permission_changed", True), ("deleted", True), ("use_granted", False)])
def test_only_what_takes_something_out_asks_for_it(engine: Engine, kind: str, counts: bool) -> None:  # noqa: FBT001 - a case
    """A change of terms and a deletion do, a use does not."""
    row = {
        "number": 7,
        "cameo_id": "c",
        "subject": "s",
        "kind": kind,
        "at": NOW,
        "grant_id": "",
        "output_id": "",
        "removal_id": "",
    }
    with engine.begin() as connection:
        connection.execute(insert(tables.events).values(row))
    assert events.last_overwritten(engine) == (7 if counts else 0)
