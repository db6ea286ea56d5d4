"""Events of cameos: one append-only table, written in the same transaction as the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, insert, or_, select, update

from cameo_verifier.cameo.model import Event, EventKind
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.cameos import guardianships
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine, Row, Select
    from sqlalchemy.sql.base import ReadOnlyColumnCollection

    from cameo_verifier.cameo.model import Cameo
    from cameo_verifier.types import Ruling

_COUNTER = tables.event_counter
_COUNT = update(_COUNTER).where(_COUNTER.c.id == 1).values(last=_COUNTER.c.last + bindparam("count")).returning(_COUNTER.c.last)
_ADD = insert(tables.events)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event without a number yet.

    Attributes:
        cameo: whose it is.
        kind: what happened.
        at: when it happened, in UTC.
        grant_id, output_id, removal_id, credential_id: what it is about, each empty if not applicable.
    """

    cameo: Cameo
    kind: EventKind
    at: datetime
    grant_id: str = ""
    output_id: str = ""
    removal_id: str = ""
    credential_id: str = ""


def append(
    connection: Connection,
    cameo: Cameo,
    kind: EventKind,
    *,
    now: datetime,
    grant_id: str = "",
    output_id: str = "",
    removal_id: str = "",
) -> int:
    """Add an event of a cameo, inside a transaction of the caller, and return its number; see `append_all`."""
    return append_all(connection, [Happened(cameo, kind, now, grant_id, output_id, removal_id)])[0]


def append_of_guardian(connection: Connection, minor: str, kind: EventKind, *, now: datetime) -> int:
    """Add an event of a minor's guardians, of no cameo, inside a transaction of the caller, and return its number."""
    of = {"grant_id": "", "output_id": "", "removal_id": ""}
    [number] = _add(connection, [{"cameo_id": "", "subject": minor, "kind": kind.value, "at": now, **of}])
    return number


def append_of_attempt(connection: Connection, attempt_id: str, subject: str, ruling: Ruling, *, now: datetime) -> int:
    """Add the event of reviewers' decision on an attempt, inside a transaction of the caller, and return its number."""
    of = {"cameo_id": "", "grant_id": "", "output_id": "", "attempt_id": attempt_id, "ruling": ruling.value}
    [number] = _add(connection, [{"subject": subject, "kind": EventKind.ATTEMPT_WAS_DECIDED.value, "at": now, **of}])
    return number


def append_of_sessions(connection: Connection, ended: Sequence[tuple[str, str, str]], kind: EventKind, *, now: datetime) -> None:
    """Add the events of live sessions that ended in one way, inside a transaction of the caller.

    Args:
        connection: of the transaction.
        ended: id, subject and attempt of each, the last empty if it has none.
        kind: the way.
        now: the time.
    """
    of = {"cameo_id": "", "grant_id": "", "output_id": ""}
    rows = [
        {"subject": subject, "kind": kind.value, "at": now, "session_id": session_id, "attempt_id": attempt_id, **of}
        for session_id, subject, attempt_id in ended
    ]
    if rows:
        _add(connection, rows)


def append_of_credentials(
    connection: Connection, cameo_id: str, subject: str, kind: EventKind, *, now: datetime, credential_id: str = ""
) -> int:
    """Add an event of credentials, of a cameo created or not, inside a transaction of the caller, and return its number."""
    of = {"grant_id": "", "output_id": "", "removal_id": "", "credential_id": credential_id}
    [number] = _add(connection, [{"cameo_id": cameo_id, "subject": subject, "kind": kind.value, "at": now, **of}])
    return number


def append_all(connection: Connection, happened: Sequence[Happened]) -> range:
    """Add events of cameos in their order, inside a transaction of the caller, and return their numbers."""
    rows = [
        {
            "cameo_id": each.cameo.id,
            "subject": each.cameo.subject,
            "kind": each.kind.value,
            "at": each.at,
            "grant_id": each.grant_id,
            "output_id": each.output_id,
            "removal_id": each.removal_id,
            "credential_id": each.credential_id,
        }
        for each in happened
    ]
    return _add(connection, rows)


def _add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> range:
    # The counter's row is locked until the transaction ends, so no event with a greater number is visible before these.
    last: int = connection.execute(_COUNT, {"count": len(rows)}).scalar_one()
    numbers = range(last - len(rows) + 1, last + 1)
    connection.execute(_ADD, [{"number": number, **row} for number, row in zip(numbers, rows, strict=True)])
    return numbers


def last_overwritten(engine: Engine) -> int:
    """Return the number of the last event that deleted an owner's data from the database; 0 if there is none.

    Raises:
        StoreError: the database failed.
    """
    table = tables.events
    kinds = [kind.value for kind in (EventKind.PERMISSION_CHANGED, EventKind.WAS_DELETED)]
    query = select(table.c.number).where(table.c.kind.in_(kinds)).order_by(table.c.number.desc()).limit(1)
    with store_errors(), engine.connect() as connection:
        return connection.execute(query).scalar_one_or_none() or 0


def after(connection: Connection, number: int, *, subject: str | None, limit: int) -> list[Event]:
    """Return the events with greater numbers, oldest first: of all cameos, or of one subject's."""
    table = tables.events
    query = select(table).where(table.c.number > number).order_by(table.c.number).limit(limit)
    if subject is not None:
        query = query.where(table.c.subject == subject)
    return read(connection, query)


def read(connection: Connection, query: Select[Any]) -> list[Event]:
    """Return the events of a query that selects the table's columns."""
    return [event_of(row) for row in connection.execute(query)]


def of_guardian(connection: Connection, number: int, *, guardian: str, limit: int) -> list[Event]:
    """Return the events with greater numbers, oldest first, about the guardian's present minors and their cameos.

    Decisions on attempts and ends of live sessions are excluded.
    """
    table = tables.events
    theirs = table.c.subject.in_(guardianships.minors_of(guardian))
    query = select(table).where(table.c.number > number, theirs, concerns_guardians(table.c))
    return read(connection, query.order_by(table.c.number).limit(limit))


def concerns_guardians(event: ReadOnlyColumnCollection[str, Any]) -> ColumnElement[bool]:
    """Return the condition that the guardians of an event's subject receive it, on the columns of the events."""
    cameos = tables.cameos
    of_links = and_(event.cameo_id == "", event.attempt_id == "", event.session_id == "")
    safeguarded = event.cameo_id.in_(select(cameos.c.id).where(cameos.c.subject == event.subject, cameos.c.minor_safeguards))
    return or_(of_links, safeguarded)


def last(connection: Connection) -> int:
    """Return the number of the newest event, 0 if there is none."""
    number: int = connection.execute(select(tables.event_counter.c.last)).scalar_one()
    return number


def require_reached(connection: Connection, number: int | None) -> None:
    """Check that the event number in a page token or cursor exists; None, of a first page, passes.

    Raises:
        RefusedError: `PAGE_TOKEN_INVALID`: it is beyond the newest event, as in a database that was restored from a backup.
    """
    if number is not None and number > last(connection):
        raise RefusedError(Refusal.PAGE_TOKEN_INVALID)


def event_of(row: Row[Any]) -> Event:
    """Return the event of a row of the table."""
    of = (row.grant_id, row.output_id, row.removal_id, row.attempt_id, row.ruling, row.credential_id)
    return Event(row.number, row.cameo_id, EventKind(row.kind), row.at, *of, row.session_id)


def forget_credentials(connection: Connection, cameo_id: str) -> None:
    """Clear the ids of credentials in a cameo's events, inside a transaction of the caller."""
    table = tables.events
    connection.execute(update(table).where(table.c.cameo_id == cameo_id, table.c.credential_id != "").values(credential_id=""))
