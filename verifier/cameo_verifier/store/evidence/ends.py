"""Ends: final deletions and revocations, of cameos, credentials and data keys, noted in the database until they are logged.

A note is made in the transaction of the end, so none is missed; whoever writes the log (`cameo_verifier.review.ends_again`)
takes the notes away afterwards. A deleted cameo is noted alone, not its credentials and data key: nothing links these.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection


class End(StrEnum):
    """The kind of an end; the id is that of the cameo, the credential or the data key."""

    CAMEO_DELETED = "cameo_deleted"
    CAMEO_REVOKED = "cameo_revoked"
    CREDENTIAL = "credential"
    DATA_KEY = "data_key"


def note(connection: Connection, kind: End, *ids: str) -> None:
    """Note ends, inside the caller's transaction."""
    table = tables.unlogged_ends
    for of_id in ids:
        connection.execute(delete(table).where(table.c.kind == kind.value, table.c.of_id == of_id))
        connection.execute(insert(table).values(kind=kind.value, of_id=of_id))


def noted(connection: Connection) -> list[tuple[End, str]]:
    """Return the notes, unordered."""
    table = tables.unlogged_ends
    return [(End(row.kind), row.of_id) for row in connection.execute(select(table).order_by(table.c.of_id))]


def logged(connection: Connection) -> int:
    """Return the number of the last line of the log that the database has."""
    return int(connection.execute(select(tables.end_log.c.number)).scalar_one())


def take(connection: Connection, written: Iterable[tuple[End, str]], *, number: int) -> None:
    """Take notes away that are written to the log, whose last line has this number, inside the caller's transaction."""
    table = tables.unlogged_ends
    for kind, of_id in written:
        connection.execute(delete(table).where(table.c.kind == kind.value, table.c.of_id == of_id))
    connection.execute(update(tables.end_log).values(number=number))
