"""The audit log: tampering is detected, and what the chain cannot detect is detected by a checkpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.store.db import tables
from cameo_verifier.store.evidence import audit
from cameo_verifier.store.evidence.audit import AuditKey, AuditLog, Entry, Head, Reader
from tests.unit.store.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

READER = Reader("ana", "case 7")
KEY = AuditKey(bytes(range(32)))
LOG, HEAD = tables.audit_log, tables.audit_head


@pytest.fixture
def log(engine: Engine) -> AuditLog:
    """A log of six lines."""
    opened = AuditLog(engine, KEY)
    opened.append([Entry("read", f"a{number}", "tracks") for number in range(4)], reader=READER, now=NOW)
    for number in (4, 5):
        opened.append([Entry("read", f"a{number}", "recording")], reader=READER, now=NOW)
    return opened


def tamper(engine: Engine, change: Callable[[Connection], object]) -> None:
    with engine.begin() as connection:
        change(connection)


def rechained(connection: Connection, key: AuditKey) -> None:
    """Do what someone with the database and a key can do: make the chain fit again."""
    previous, number = "", 0
    for row in connection.execute(select(LOG).order_by(LOG.c.number)).all():
        previous, number = audit._hash(previous, audit._line(row)), row.number
        connection.execute(update(LOG).where(LOG.c.number == number).values(hash=previous))
    connection.execute(update(HEAD).values(number=number, hash=previous, mac=key.mac(number, previous)))


def test_an_untouched_log_holds(log: AuditLog, engine: Engine) -> None:
    """Empty, filled and read by another process, it verifies, also against an earlier checkpoint."""
    earlier = log.checkpoint()
    log.append([Entry("remove", "a0", "tracks")], reader=READER, now=NOW)
    log.append([], reader=READER, now=NOW)
    assert AuditLog(engine, KEY).verify(earlier, Head.of(json.loads(json.dumps(log.checkpoint().document())))) == (7, ())
    assert [line.number for line in log.lines(attempt_id="a0")] == [1, 7]


@pytest.mark.parametrize("column", ["at", "who", "action", "attempt_id", "what", "why", "hash"])
def test_any_altered_field_is_found_where_it_is(log: AuditLog, engine: Engine, column: str) -> None:
    """Whatever is changed in a line, that line is named, or the one after where it was the hash."""
    value = NOW.replace(year=2027) if column == "at" else "somebody else"
    tamper(engine, lambda connection: connection.execute(update(LOG).where(LOG.c.number == 3).values({column: value})))
    _, problems = log.verify()
    assert problems
    assert problems[0].message == "line 3 was altered or moved"


def test_removed_lines_are_found(log: AuditLog, engine: Engine) -> None:
    """In the middle, at the beginning and at the end, one or several: the gap is named."""
    for numbers, message in (
        ([6], "lines 6 to 6 are gone: the head stands alone"),
        ([3, 4], "lines 3 to 4 are gone"),
        ([1], "line 1 is gone"),
    ):
        tamper(engine, lambda connection, numbers=numbers: connection.execute(delete(LOG).where(LOG.c.number.in_(numbers))))
        assert any(problem.message == message for problem in log.verify()[1]), message


def test_a_gap_that_was_closed_is_found(log: AuditLog, engine: Engine) -> None:
    """Lines that were removed, with the later ones numbered anew, do not fit the chain."""

    def close(connection: Connection) -> None:
        connection.execute(delete(LOG).where(LOG.c.number == 3))
        for number in (4, 5, 6):
            connection.execute(update(LOG).where(LOG.c.number == number).values(number=number - 1))

    tamper(engine, close)
    messages = [problem.message for problem in log.verify()[1]]
    assert messages[0] == "line 3 was altered or moved"
    assert messages[-1] == "lines 6 to 6 are gone: the head stands alone"


def test_lines_that_changed_places_are_found(log: AuditLog, engine: Engine) -> None:
    """Two lines that were swapped whole are both named."""

    def swap(connection: Connection) -> None:
        for number, to in ((2, 99), (5, 2), (99, 5)):
            connection.execute(update(LOG).where(LOG.c.number == number).values(number=to))

    tamper(engine, swap)
    assert {2, 5} <= {problem.number for problem in log.verify()[1]}


def test_lines_behind_the_head_are_found(log: AuditLog, engine: Engine) -> None:
    """A line that was added by hand is beyond where the log ends."""

    def add(connection: Connection) -> None:
        row = connection.execute(select(LOG).where(LOG.c.number == 6)).mappings().one()
        connection.execute(LOG.insert().values({**row, "number": 7}))

    tamper(engine, add)
    assert [problem.message for problem in log.verify()[1]] == ["there are lines after 6, where the head says the log ends"]


def test_a_new_chain_needs_the_key(log: AuditLog, engine: Engine) -> None:
    """Who has the database alone cannot make a history that fits; with the key they can, and a checkpoint shows it."""
    checkpoint = log.checkpoint()

    def shorten(connection: Connection, key: AuditKey) -> None:
        connection.execute(delete(LOG).where(LOG.c.number == 6))
        connection.execute(update(LOG).where(LOG.c.number == 5).values(who="nobody"))
        rechained(connection, key)

    tamper(engine, lambda connection: shorten(connection, AuditKey(bytes(32))))
    assert ["was not made with this audit key" in problem.message for problem in log.verify()[1]] == [True]
    tamper(engine, lambda connection: shorten(connection, KEY))
    assert log.verify() == (5, ())
    assert [problem.message for problem in log.verify(checkpoint)[1]] == [
        "the log ends before line 6 of the checkpoint: an older one was put back"
    ]
    log.append([Entry("read", "a9", "tracks")], reader=READER, now=NOW)
    assert "history was rewritten" in log.verify(checkpoint)[1][0].message


def test_a_forged_checkpoint_and_what_is_none_are_refused(log: AuditLog) -> None:
    """A checkpoint proves something only if this log's key made it."""
    head = log.checkpoint()
    forged = Head(head.number, head.hash, "00" * 32)
    assert "not made with this audit key" in log.verify(forged)[1][0].message
    with pytest.raises(InvalidRequestError, match="checkpoint is JSON"):
        Head.of({"number": "6"})


def test_a_log_without_its_head_does_not_hold(log: AuditLog, engine: Engine) -> None:
    """Removing the head as well leaves lines after an end that nobody set."""
    tamper(engine, lambda connection: connection.execute(delete(HEAD)))
    assert log.verify()[1]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_line_removed_altered_or_moved_is_found(log: AuditLog, engine: Engine, data: st.DataObject) -> None:
    """Whatever single thing is done to whichever line without the key, the log no longer holds."""
    number = data.draw(st.integers(1, 6))
    with engine.begin() as connection:
        rows = [dict(row) for row in connection.execute(select(LOG).order_by(LOG.c.number)).mappings()]
    try:
        which = LOG.c.number == number
        deed = data.draw(st.sampled_from(["remove", "alter", "renumber"]))
        with engine.begin() as connection:
            if deed == "remove":
                connection.execute(delete(LOG).where(which))
            elif deed == "alter":
                column = data.draw(st.sampled_from(["who", "action", "attempt_id", "what", "why", "hash"]))
                text = data.draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
                if text == rows[number - 1][column]:
                    return
                connection.execute(update(LOG).where(which).values({column: text}))
            else:
                connection.execute(update(LOG).where(which).values(number=data.draw(st.integers(7, 2**40))))
        assert log.verify()[1]
    finally:
        with engine.begin() as connection:
            connection.execute(delete(LOG))
            connection.execute(LOG.insert(), rows)
