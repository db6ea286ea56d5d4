"""Unlinking: a deleted person's attempts and everything stored with them are detached from the account that made them.

The ids of the account and of requests are cleared, and every time is set to the start of its day (UTC): the tombstone keeps the
exact times of its cameo, so an exact time of the recording that equals one of them, or is the nearest to it, would lead back.

Live sessions are deleted. The events that they ended, and that reviewers decided the attempt, keep neither account nor attempt
nor session: their numbers show when it was, among others. What the gallery found is cleared, because the protected person it
found can be linked to an account (`protected_allowances`). The digest of the receipt is deleted, because it leads from a copy of
the receipt to the attempt; the receipt itself is revoked.

SQLite stores rows in the order in which they were inserted, and a row between two whose people are known would be known too:
`shuffle` gives the rows that are left of deleted people random places. PostgreSQL has no such places to give, see
docs/postgresql.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select, text, update

from cameo_verifier.store.attempts.states import AttemptState
from cameo_verifier.store.credentials import receipts
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.days import start_of_day
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.sealed_object import Kind

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Table

_OF_ATTEMPTS = (tables.likenesses, tables.credentials)
"""Tables whose rows make an attempt still its owner's, to use or to revoke."""
_UNLINKED = "SELECT {} FROM attempts WHERE subject = '' AND state != 'open'"
_SHUFFLED = {
    "attempts": f"id IN ({_UNLINKED.format('id')})",
    "challenges": f"id IN ({_UNLINKED.format('challenge_id')})",
    **dict.fromkeys(("evidence", "fingerprints", "opinions", "labels"), f"attempt_id IN ({_UNLINKED.format('id')})"),
    "subject_keys": "subject IS NULL",
    "status_entries": "jti NOT IN (SELECT jti FROM credentials) AND jti NOT IN (SELECT jti FROM receipts)",
}
"""Tables, with the condition on the rows that are left of deleted people."""


def unlink(connection: Connection, subject: str) -> None:
    """Unlink a person's ended attempts that have neither a likeness nor a credential, inside a transaction of the caller."""
    attempts, sessions, events = tables.attempts, tables.sessions, tables.events
    unused = (events.c.subject == subject) & (events.c.session_id != "") & (events.c.attempt_id == "")
    _set(connection, events, unused, subject="", session_id="")
    connection.execute(delete(sessions).where(sessions.c.subject == subject, sessions.c.attempt_id.is_(None)))
    ended = (attempts.c.subject == subject) & (attempts.c.state != AttemptState.OPEN.value)
    kept = [select(of.c.attempt_id).where(of.c.attempt_id == attempts.c.id).exists() for of in _OF_ATTEMPTS]
    # Locked in a fixed order: two cameos of a person may be deleted concurrently.
    query = select(attempts.c.id, attempts.c.challenge_id).where(ended, ~or_(*kept)).order_by(attempts.c.id).with_for_update()
    for row in connection.execute(query).all():
        _unlink_attempt(connection, row.id)
        _unlink_challenge(connection, row.challenge_id)


def shuffle(engine: Engine) -> None:
    """Give the rows that are left of deleted people random places before all others, in SQLite; `VACUUM` closes the gaps.

    Raises:
        StoreError: the database failed.
    """
    if engine.dialect.name != "sqlite":
        return
    with store_errors(), writing(engine).begin() as connection:
        for table, which in _SHUFFLED.items():
            # Places are 64 bit; those of other rows are positive.
            connection.execute(text(f"UPDATE {table} SET rowid = -(random() & {2**62 - 1}) - 1 WHERE {which}"))  # noqa: S608 - constants


def _unlink_attempt(connection: Connection, attempt_id: str) -> None:
    attempts, events, evidence = tables.attempts, tables.events, tables.evidence
    connection.execute(delete(tables.sessions).where(tables.sessions.c.attempt_id == attempt_id))
    fingerprints, opinions, labels = tables.fingerprints, tables.opinions, tables.labels
    _set(connection, attempts, attempts.c.id == attempt_id, subject="", request_id="", matches=None, asked=None)
    _set(connection, events, events.c.attempt_id == attempt_id, subject="", attempt_id="", session_id="")
    receipts.revoke(connection, attempt_id)
    digest = (evidence.c.attempt_id == attempt_id) & (evidence.c.kind == Kind.RECEIPT.value)
    connection.execute(delete(evidence).where(digest))
    for table in (evidence, fingerprints, opinions, labels):
        _set(connection, table, table.c.attempt_id == attempt_id)


def _unlink_challenge(connection: Connection, challenge_id: str) -> None:
    table = tables.challenges
    mine = table.c.id == challenge_id
    document = connection.execute(select(table.c.document).where(mine)).scalar_one()
    coarse = {name: _day(document[name]) for name in ("issued_at", "expires_at") if name in document}
    _set(connection, table, mine, subject="", request_id=None, document={**document, **coarse})


def _set(connection: Connection, table: Table, which: ColumnElement[bool], **values: object) -> None:
    """Set columns of rows, and each of their times to the start of its day."""
    times = {column.name: start_of_day(column) for column in table.c if isinstance(column.type, tables.UtcMicroseconds)}
    connection.execute(update(table).where(which).values({**times, **values}))


def _day(time: str) -> str:
    """Return the start of the day of a time, both RFC 3339."""
    return datetime.fromisoformat(time).replace(hour=0, minute=0, second=0, microsecond=0).isoformat()
