"""Events with all their recipients: read once for all streams.

The recipients of an event are those who would get it from `events.after` (the app and owners), `events.of_guardian`, or
`watching.after` (generators and platforms).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from cameo_verifier.cameo.model import EventKind, GuardianshipState
from cameo_verifier.cameo.removals import Holder, HolderKind
from cameo_verifier.cameo.webhooks import ENDS, TOLD_TO_HOLDERS
from cameo_verifier.store.cameos import events, watching
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import ColumnElement, Connection

    from cameo_verifier.cameo.model import Event


@dataclass(frozen=True, slots=True)
class Addressed:
    """An event and its recipients besides the app.

    subject: whose cameo, guardians or attempt it is about; empty if that was deleted.
    """

    event: Event
    subject: str
    guardians: frozenset[str]
    holders: frozenset[Holder]


def after(connection: Connection, number: int, *, limit: int) -> list[Addressed]:
    """Return the events with greater numbers, oldest first, `limit` at most, inside a transaction of the caller.

    Guardians are as of now, possibly by a link whose event comes later.
    """
    page = select(tables.events).where(tables.events.c.number > number).order_by(tables.events.c.number).limit(limit).subquery()
    links = tables.guardianships
    linked = and_(
        links.c.minor == page.c.subject, links.c.state == GuardianshipState.LINKED.value, events.concerns_guardians(page.c)
    )
    # One statement: a second one could see a link that is newer than the last event read.
    query = select(page, links.c.guardian).select_from(page.outerjoin(links, linked)).order_by(page.c.number)
    rows = connection.execute(query).all()
    guardians: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.guardian is not None:
            guardians[row.number].add(row.guardian)
    found = {row.number: row for row in rows}
    told = [kept for kept, row in found.items() if EventKind(row.kind) in TOLD_TO_HOLDERS]
    holders = _holders(connection, told[0], told[-1]) if told else {}
    return [
        Addressed(events.event_of(row), row.subject, frozenset(guardians[kept]), frozenset(holders.get(kept, ())))
        for kept, row in found.items()
    ]


def _holders(connection: Connection, first: int, last: int) -> Mapping[int, set[Holder]]:
    """Return the generators and platforms that receive the events of a range of numbers."""
    found: dict[int, set[Holder]] = defaultdict(set)
    for number, holder in _each_holder(connection, tables.events.c.number.between(first, last)):
        found[number].add(holder)
    return found


def _each_holder(connection: Connection, among: ColumnElement[bool]) -> Iterator[tuple[int, Holder]]:
    event, removals = tables.events.c, tables.removals.c
    ends = and_(among, event.kind.in_(sorted(kind.value for kind in ENDS)))
    for held, column, knows in (
        (HolderKind.HELD_BY_GENERATOR, tables.grants.c.audience, watching.GRANTED),
        (HolderKind.HELD_BY_PLATFORM, tables.outputs.c.platform, watching.SHOWN),
    ):
        for number, holder in connection.execute(select(event.number, column).where(ends, knows).distinct()):
            yield number, Holder(held, holder)
    asked = and_(among, event.kind == EventKind.REMOVAL_WAS_REQUESTED.value, removals.id == event.removal_id)
    for number, kind, name in connection.execute(select(event.number, removals.holder_kind, removals.holder).where(asked)):
        yield number, Holder(HolderKind(kind), name)
