"""Overdue uses: grants that were spent, and of which no output was recorded in time. Their owners are notified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from cameo_verifier.cameo.model import EventKind
from cameo_verifier.store.cameos import cameos, events
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

_FLAGGED_AT_ONCE = 100


def flag(engine: Engine, *, before: datetime, now: datetime) -> int:
    """Flag a batch of grants that were spent before a time and have no output, with an event for each cameo; return their number.

    Raises:
        StoreError: the database failed.
    """
    grants, uses, outputs = tables.grants, tables.grant_cameos, tables.outputs
    nothing = ~select(outputs.c.id).where(outputs.c.grant_id == grants.c.id).exists()
    late = (grants.c.spent_at < before) & grants.c.overdue_at.is_(None) & nothing
    with store_errors(), writing(engine).begin() as connection:
        # Locked as in `record`: grants, cameos, the counter of events.
        query = select(grants.c.id).where(late).order_by(grants.c.id).limit(_FLAGGED_AT_ONCE).with_for_update()
        held = connection.execute(query).scalars().all()
        pairs = connection.execute(select(uses.c.grant_id, uses.c.cameo_id).where(uses.c.grant_id.in_(held))).all()
        found = cameos.several(connection, {pair.cameo_id for pair in pairs}, hold=True)
        connection.execute(update(grants).where(grants.c.id.in_(held)).values(overdue_at=now))
        kind = EventKind.OUTPUT_IS_OVERDUE
        happened = [events.Happened(found[pair.cameo_id], kind, now, pair.grant_id) for pair in pairs]
        if happened:
            events.append_all(connection, happened)
    return len(held)
