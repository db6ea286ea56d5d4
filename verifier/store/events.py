"""What happened to cameos, in one append-only table, written in the same transaction as the change itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from verifier.cameo.model import Event, EventKind
from verifier.store import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from verifier.cameo.model import Cameo


def append(
    connection: Connection, cameo: Cameo, kind: EventKind, *, now: datetime, grant_id: str = "", output_id: str = ""
) -> int:
    """Add an event, inside a transaction of the caller, and return its number.

    The counter's row is held until that transaction ends, so an event with a greater number is never seen before it.
    """
    counter = tables.event_counter
    statement = update(counter).where(counter.c.id == 1).values(last=counter.c.last + 1).returning(counter.c.last)
    number: int = connection.execute(statement).scalar_one()
    row = {
        "number": number,
        "cameo_id": cameo.id,
        "subject": cameo.subject,
        "kind": kind.value,
        "at": now,
        "grant_id": grant_id,
        "output_id": output_id,
    }
    connection.execute(insert(tables.events).values(row))
    return number


def after(connection: Connection, number: int, *, subject: str | None, limit: int) -> list[Event]:
    """Return the events with greater numbers, oldest first: of all cameos, or of one subject's."""
    table = tables.events
    query = select(table).where(table.c.number > number).order_by(table.c.number).limit(limit)
    if subject is not None:
        query = query.where(table.c.subject == subject)
    return [_event(row) for row in connection.execute(query)]


def last(connection: Connection) -> int:
    """Return the number of the newest event, 0 where there is none."""
    number: int = connection.execute(select(tables.event_counter.c.last)).scalar_one()
    return number


def _event(row: Row[Any]) -> Event:
    return Event(row.number, row.cameo_id, EventKind(row.kind), row.at, row.grant_id, row.output_id)
