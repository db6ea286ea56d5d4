"""What a generator or a platform is told of what happens to cameos: nothing but what it has to act on.

1. Of a cameo that it was granted (a generator), or that an output it shows was made of (a platform): that it was paused, resumed,
   revoked or deleted, from then on. What happened before stays unknown to it.
2. That an owner asks it to remove an output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, or_, select

from verifier.cameo.model import EventKind
from verifier.cameo.removals import HolderKind
from verifier.cameo.webhooks import ENDS
from verifier.store import events, tables

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from verifier.cameo.model import Event
    from verifier.cameo.removals import Holder


LOOKED_AT_ONCE = 10_000
"""Events looked through in one go at most: whoever has not asked for long must not hold up the others."""


def after(connection: Connection, number: int, *, holder: Holder, limit: int) -> tuple[list[Event], int]:
    """Return events with greater numbers that a holder is told of, oldest first, and up to which number it was looked.

    There may be more unless that is `number` itself.
    """
    upto = max(number, min(events.last(connection), number + LOOKED_AT_ONCE))
    table = tables.events
    concerns = or_(and_(table.c.kind.in_(sorted(kind.value for kind in ENDS)), _knows(holder)), _is_asked(holder))
    query = select(table).where(table.c.number > number, table.c.number <= upto, concerns)
    found = events.read(connection, query.order_by(table.c.number).limit(limit))
    return found, found[-1].number if len(found) == limit else upto


def _knows(holder: Holder) -> ColumnElement[bool]:
    event, uses, grants, outputs = tables.events.c, tables.grant_cameos.c, tables.grants.c, tables.outputs.c
    if holder.kind is HolderKind.HELD_BY_GENERATOR:
        granted = and_(grants.id == uses.grant_id, grants.audience == holder.name, uses.number < event.number)
        return exists().where(granted, uses.cameo_id == event.cameo_id)
    shown = and_(outputs.grant_id == uses.grant_id, outputs.platform == holder.name, outputs.shown_since < event.number)
    return exists().where(shown, uses.cameo_id == event.cameo_id)


def _is_asked(holder: Holder) -> ColumnElement[bool]:
    event, removals = tables.events.c, tables.removals.c
    mine = and_(removals.holder_kind == holder.kind.value, removals.holder == holder.name)
    return and_(event.kind == EventKind.REMOVAL_WAS_REQUESTED.value, exists().where(removals.id == event.removal_id, mine))
