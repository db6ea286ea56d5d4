"""Events together with everyone who is told of each: read once, however many watch.

Who is told is what each would find alone: `events.after` for the app and owners, `events.of_guardian`, and `watching.after` for
generators and platforms.
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
    """An event and who is told of it beside the app.

    subject: whose cameo, guardians or attempt it is about; empty where that was deleted.
    """

    event: Event
    subject: str
    guardians: frozenset[str]
    holders: frozenset[Holder]


def after(connection: Connection, number: int, *, limit: int) -> list[Addressed]:
    """Return the events with greater numbers, oldest first, `limit` at most, inside a transaction of the caller.

    Guardians are those of now: where there are more events, a link among those may be why.
    """
    page = select(tables.events).where(tables.events.c.number > number).order_by(tables.events.c.number).limit(limit).subquery()
    links = tables.guardianships
    linked = and_(
        links.c.minor == page.c.subject, links.c.state == GuardianshipState.LINKED.value, events.concerns_guardians(page.c)
    )
    # One statement: on a server a second one could know of a link that comes after the last event there is.
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
    """Return who of the generators and platforms is told of the events from one number to another."""
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
