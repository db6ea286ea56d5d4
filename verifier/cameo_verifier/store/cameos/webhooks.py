"""Delivery state of webhook endpoints: what each receives next, and which server sends to it.

The messages are the events themselves, so that exactly what happened is sent. One server at a time sends to an endpoint:
it holds a claim that expires by itself when the server dies. Every function runs inside a transaction of the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, or_, select, update

from cameo_verifier.cameo.webhooks import DeliveryState
from cameo_verifier.store.cameos import events, removals, watching
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from cameo_verifier.cameo.model import Event
    from cameo_verifier.cameo.removals import Removal
    from cameo_verifier.cameo.webhooks import Endpoint

_TABLE = tables.webhooks


def begin(connection: Connection, name: str) -> DeliveryState:
    """Return the delivery state of an endpoint; a new one starts with events from now on."""
    connection.execute(select(tables.event_counter.c.last).with_for_update())
    found = delivery_state(connection, name)
    if found is None:
        found = DeliveryState(name, events.last(connection))
        connection.execute(insert(_TABLE).values(_row(found)))
    return found


def delivery_state(connection: Connection, name: str) -> DeliveryState | None:
    """Return the delivery state of an endpoint; None if it is unknown."""
    columns = [column for column in _TABLE.c if column.name not in {"claimed_by", "claimed_until"}]
    row = connection.execute(select(*columns).where(_TABLE.c.name == name)).one_or_none()
    return None if row is None else DeliveryState(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def next_events(
    connection: Connection, endpoint: Endpoint, *, after: int, limit: int
) -> tuple[list[tuple[Event, Removal | None]], int]:
    """Return the next events of an endpoint, each with its removal, and the number up to which events were scanned."""
    if endpoint.holder is None:
        last = events.last(connection)
        found = events.after(connection, after, subject=None, limit=limit)
        upto = found[-1].number if found else max(after, last)
    else:
        found, upto = watching.after(connection, after, holder=endpoint.holder, limit=limit)
    wanted = [event for event in found if event.kind in endpoint.kinds]
    return [(event, removals.get(connection, event.removal_id) if event.removal_id else None) for event in wanted], upto


def claim(connection: Connection, name: str, *, cursor: int, server: str, now: datetime, until: datetime) -> bool:
    """Claim an endpoint for one server until a time; False if another has it, or the endpoint has moved on or was stopped."""
    free = or_(_TABLE.c.claimed_by == server, _TABLE.c.claimed_until.is_(None), _TABLE.c.claimed_until <= now)
    same = (_TABLE.c.name == name) & (_TABLE.c.cursor == cursor) & _TABLE.c.stopped_at.is_(None)
    return connection.execute(update(_TABLE).where(same, free).values(claimed_by=server, claimed_until=until)).rowcount == 1


def settle(
    connection: Connection,
    before: DeliveryState,
    after: DeliveryState,
    *,
    asked: str,
    server: str,
    until: datetime,
    now: datetime,
) -> bool:
    """Store an endpoint's state after an attempt, and extend the claim; False if another server has taken over.

    asked: the removal that this attempt delivered; empty if none.
    """
    mine = (_TABLE.c.name == before.name) & (_TABLE.c.cursor == before.cursor) & (_TABLE.c.claimed_by == server)
    if connection.execute(update(_TABLE).where(mine).values({**_row(after), "claimed_until": until})).rowcount != 1:
        return False
    if asked:
        removals.deliver(connection, [asked], now=now)
    return True


def release(connection: Connection, server: str) -> None:
    """Release a server's claims."""
    connection.execute(update(_TABLE).where(_TABLE.c.claimed_by == server).values(claimed_by=None, claimed_until=None))


def revive(connection: Connection, name: str) -> bool:
    """Retry an endpoint at once; False if it is unknown."""
    found = delivery_state(connection, name)
    if found is None:
        return False
    connection.execute(update(_TABLE).where(_TABLE.c.name == name).values(_row(found.revived())))
    return True


def _row(delivery_state: DeliveryState) -> dict[str, Any]:
    return {name: getattr(delivery_state, name) for name in DeliveryState.__slots__}
