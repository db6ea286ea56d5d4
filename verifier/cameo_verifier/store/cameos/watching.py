"""Event visibility of generators and platforms: only events they have to act on.

1. About a cameo that was granted to it (a generator), or that an output it shows was made of (a platform): paused, resumed,
   revoked or deleted, from then on. It does not see earlier events.
2. A request of an owner that it removes an output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, or_, select

from cameo_verifier.cameo.model import EventKind
from cameo_verifier.cameo.removals import HolderKind
from cameo_verifier.cameo.webhooks import ENDS
from cameo_verifier.store.cameos import events
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from cameo_verifier.cameo.model import Event
    from cameo_verifier.cameo.removals import Holder


LOOKED_AT_ONCE = 10_000
"""Maximum number of events scanned per call: a caller far behind must not delay the others."""

_EVENT, _USES, _GRANTS, _OUTPUTS = tables.events.c, tables.grant_cameos.c, tables.grants.c, tables.outputs.c
GRANTED = and_(_USES.cameo_id == _EVENT.cameo_id, _USES.number < _EVENT.number, _GRANTS.id == _USES.grant_id)
"""Condition that a grant includes an event's cameo, and precedes the event."""
SHOWN = and_(_USES.cameo_id == _EVENT.cameo_id, _OUTPUTS.grant_id == _USES.grant_id, _OUTPUTS.shown_since < _EVENT.number)
"""Condition that an output was made of an event's cameo, and shown before the event."""


def after(connection: Connection, number: int, *, holder: Holder, limit: int) -> tuple[list[Event], int]:
    """Return events with greater numbers that a holder sees, oldest first, and the number up to which events were scanned.

    There may be more unless that is `number` itself.
    """
    upto = max(number, min(events.last(connection), number + LOOKED_AT_ONCE))
    table = tables.events
    concerns = or_(and_(table.c.kind.in_(sorted(kind.value for kind in ENDS)), _knows(holder)), _is_asked(holder))
    query = select(table).where(table.c.number > number, table.c.number <= upto, concerns)
    found = events.read(connection, query.order_by(table.c.number).limit(limit))
    return found, found[-1].number if len(found) == limit else upto


def _knows(holder: Holder) -> ColumnElement[bool]:
    if holder.kind is HolderKind.HELD_BY_GENERATOR:
        return exists().where(GRANTED, tables.grants.c.audience == holder.name)
    return exists().where(SHOWN, tables.outputs.c.platform == holder.name)


def _is_asked(holder: Holder) -> ColumnElement[bool]:
    event, removals = tables.events.c, tables.removals.c
    mine = and_(removals.holder_kind == holder.kind.value, removals.holder == holder.name)
    return and_(event.kind == EventKind.REMOVAL_WAS_REQUESTED.value, exists().where(removals.id == event.removal_id, mine))
