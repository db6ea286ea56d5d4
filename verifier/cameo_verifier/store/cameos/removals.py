"""Removals: requested by owners, addressed to holders and answered by them. All functions run in the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, select, update

from cameo_verifier.cameo.model import EventKind
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.cameo.removals import FINISHED, Holder, HolderKind, Removal, RemovalAnswer, RemovalState, answered
from cameo_verifier.store.cameos import cameos, events
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from cameo_verifier.cameo.model import Cameo

OPENED_AT_ONCE = 200
"""Maximum number of removals opened in one transaction, so that other transactions can run between."""

_FINISHED = sorted(state.value for state in FINISHED)
_TABLE, _OUTPUTS, _GRANTS = tables.removals, tables.outputs, tables.grants


@dataclass(frozen=True, slots=True)
class Request:
    """An owner's request: one output of a cameo, or all of them (`output_id` empty), drafts included."""

    cameo_id: str
    output_id: str
    request_id: str
    reason: str


def begin(connection: Connection, asked: Request, *, subject: str | None, now: datetime) -> datetime | None:
    """Store an owner's removal request.

    Returns None, or for a repeated request the time of the first: outputs recorded since are not part of it.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `OUTPUT_UNKNOWN` or `REQUEST_ID_REUSED`.
    """
    _held(connection, asked.cameo_id, subject)
    if asked.output_id:
        uses = tables.grant_cameos
        made = select(_OUTPUTS.c.id).join(uses, uses.c.grant_id == _OUTPUTS.c.grant_id)
        mine = made.where(uses.c.cameo_id == asked.cameo_id, _OUTPUTS.c.id == asked.output_id)
        if connection.execute(mine).one_or_none() is None:
            raise RefusedError(Refusal.OUTPUT_UNKNOWN)
    table = tables.removal_requests
    query = select(table).where(table.c.cameo_id == asked.cameo_id, table.c.request_id == asked.request_id)
    earlier = connection.execute(query).one_or_none()
    if earlier is None:
        connection.execute(insert(table).values({**asdict(asked), "created_at": now}))
        return None
    if (earlier.output_id, earlier.reason) != (asked.output_id, asked.reason):
        raise RefusedError(Refusal.REQUEST_ID_REUSED)
    asked_at: datetime = earlier.created_at
    return asked_at


def open_some(
    connection: Connection,
    asked: Request,
    *,
    until: datetime | None,
    new_id: Callable[[], str],
    now: datetime,
    due_in: timedelta,
) -> bool:
    """Open removals of a stored request, for outputs recorded until a time, and return whether there may be more.

    Existing removals are unchanged.
    """
    cameo = _held(connection, asked.cameo_id, None)
    # Locked, so that an output that is concurrently moved to a platform is addressed there, by this or by `follow`.
    query = _unopened(asked.cameo_id, asked.output_id, until=until).limit(OPENED_AT_ONCE).with_for_update(of=_OUTPUTS)
    found = connection.execute(query).all()
    for row in found:
        _open(connection, cameo, row, asked, identifier=new_id(), now=now, due_in=due_in)
    return len(found) == OPENED_AT_ONCE


def follow(connection: Connection, output_id: str, *, new_id: Callable[[], str], now: datetime, due_in: timedelta) -> None:
    """Address the removals of an output to its present holder too, if that is another one than when they were requested."""
    row = connection.execute(_held_outputs().where(_OUTPUTS.c.id == output_id)).one()
    asked = connection.execute(select(_TABLE).where(_TABLE.c.output_id == output_id).order_by(_TABLE.c.number)).all()
    holder = _holder_of(row)
    told = {each.cameo_id for each in asked if _holder(each) == holder}
    first = {each.cameo_id: each for each in reversed(asked) if each.cameo_id not in told}
    for cameo_id in sorted(first):
        cameo, earlier = cameos.get(connection, cameo_id, subject=None), first[cameo_id]
        again = Request(cameo_id, output_id, earlier.request_id, earlier.reason)
        _open(connection, cameo, row, again, identifier=new_id(), now=now, due_in=due_in)


def of_cameo(connection: Connection, cameo_id: str, output_id: str, *, before: int | None, limit: int) -> list[Removal]:
    """Return the removals of a cameo, or of one output of it, the latest first, with numbers below `before`.

    Raises:
        RefusedError: `PAGE_TOKEN_INVALID`: `before` is beyond the newest event.
    """
    events.require_reached(connection, before)
    query = _removals().where(_TABLE.c.cameo_id == cameo_id).order_by(_TABLE.c.number.desc()).limit(limit)
    if output_id:
        query = query.where(_TABLE.c.output_id == output_id)
    if before is not None:
        query = query.where(_TABLE.c.number < before)
    return [_removal(row) for row in connection.execute(query)]


def of_grants(connection: Connection, cameo_id: str, grant_ids: Collection[str]) -> Mapping[str, list[Removal]]:
    """Return one cameo's removals of the outputs of these grants, by output, oldest first."""
    query = _removals().where(_TABLE.c.cameo_id == cameo_id, _OUTPUTS.c.grant_id.in_(grant_ids)).order_by(_TABLE.c.number)
    found: dict[str, list[Removal]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.output_id].append(_removal(row))
    return found


def pending(connection: Connection, holder: Holder, *, after: int, limit: int, now: datetime) -> list[Removal]:
    """Return a holder's unfinished removals, oldest first, with numbers above `after`; they then count as delivered.

    Raises:
        RefusedError: `PAGE_TOKEN_INVALID`: `after` is beyond the newest event.
    """
    events.require_reached(connection, after)
    query = _removals().where(_mine(holder), _TABLE.c.state.not_in(_FINISHED), _TABLE.c.number > after)
    rows = connection.execute(query.order_by(_TABLE.c.number).limit(limit)).all()
    identifiers = [row.id for row in rows]
    deliver(connection, identifiers, now=now)
    again = _removals().where(_TABLE.c.id.in_(identifiers)).order_by(_TABLE.c.number)
    return [_removal(row) for row in connection.execute(again)]


def deliver(connection: Connection, identifiers: Collection[str], *, now: datetime) -> None:
    """Record that the holders were notified of these removals, unless they were before."""
    requested = _TABLE.c.state == RemovalState.REMOVAL_REQUESTED.value
    delivered = {"state": RemovalState.REMOVAL_DELIVERED.value, "delivered_at": now}
    connection.execute(update(_TABLE).where(_TABLE.c.id.in_(identifiers), requested).values(delivered))


def get(connection: Connection, identifier: str) -> Removal:
    """Return an existing removal."""
    return _removal(connection.execute(_removals().where(_TABLE.c.id == identifier)).one())


def answer(
    connection: Connection, identifier: str, given: RemovalAnswer, *, holder: Holder, reason: str, now: datetime
) -> Removal:
    """Record a holder's answer to a removal addressed to it; see `cameo_verifier.cameo.removals.answered`.

    Raises:
        RefusedError: `REMOVAL_UNKNOWN` or `REMOVAL_ANSWERED`.
    """
    query = _removals().where(_TABLE.c.id == identifier, _mine(holder)).with_for_update(of=_TABLE)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise RefusedError(Refusal.REMOVAL_UNKNOWN)
    before = _removal(row)
    now_answered = answered(before, given, reason=reason, now=now)
    if now_answered is before:
        return before
    values = {
        "state": now_answered.state.value,
        "answer_reason": now_answered.answer_reason,
        "delivered_at": now_answered.delivered_at,
        "acknowledged_at": now_answered.acknowledged_at,
        "finished_at": now_answered.finished_at,
    }
    connection.execute(update(_TABLE).where(_TABLE.c.id == identifier).values(values))
    cameo = cameos.get(connection, before.cameo_id, subject=None)
    how = {"grant_id": before.grant_id, "output_id": before.output_id, "removal_id": identifier}
    events.append(connection, cameo, EventKind.REMOVAL_WAS_ANSWERED, now=now, **how)
    return now_answered


def _held(connection: Connection, cameo_id: str, subject: str | None) -> Cameo:
    """Return a cameo with its row locked: of two concurrent requests, the later one sees what the first has opened."""
    held = select(tables.cameos.c.id).where(tables.cameos.c.id == cameo_id).with_for_update(key_share=True)
    connection.execute(held)
    return cameos.get(connection, cameo_id, subject=subject)


def _held_outputs() -> Select[Any]:
    return select(_OUTPUTS, _GRANTS.c.audience).join(_GRANTS, _GRANTS.c.id == _OUTPUTS.c.grant_id)


def _unopened(cameo_id: str, output_id: str, *, until: datetime | None) -> Select[Any]:
    uses = tables.grant_cameos
    opened = select(_TABLE.c.output_id).where(_TABLE.c.cameo_id == cameo_id)
    query = _held_outputs().join(uses, uses.c.grant_id == _OUTPUTS.c.grant_id)
    query = query.where(uses.c.cameo_id == cameo_id, _OUTPUTS.c.id.not_in(opened))
    if until is not None:
        query = query.where(_OUTPUTS.c.created_at <= until)
    if output_id:
        query = query.where(_OUTPUTS.c.id == output_id)
    return query.order_by(_OUTPUTS.c.created_at, _OUTPUTS.c.id)


def _open(
    connection: Connection,
    cameo: Cameo,
    output: Row[Any],
    asked: Request,
    *,
    identifier: str,
    now: datetime,
    due_in: timedelta,
) -> None:
    kind, how = EventKind.REMOVAL_WAS_REQUESTED, {"grant_id": output.grant_id, "output_id": output.id, "removal_id": identifier}
    number = events.append(connection, cameo, kind, now=now, **how)
    holder = _holder_of(output)
    row = {
        "id": identifier,
        "number": number,
        "cameo_id": cameo.id,
        "output_id": output.id,
        "holder_kind": holder.kind.value,
        "holder": holder.name,
        "request_id": asked.request_id,
        "state": RemovalState.REMOVAL_REQUESTED.value,
        "reason": asked.reason,
        "answer_reason": "",
        "requested_at": now,
        "due_at": now + due_in,
    }
    connection.execute(insert(_TABLE).values(row))


def _holder_of(output: Row[Any]) -> Holder:
    if output.platform:
        return Holder(HolderKind.HELD_BY_PLATFORM, output.platform)
    return Holder(HolderKind.HELD_BY_GENERATOR, output.audience)


def _removals() -> Select[Any]:
    outputs = _OUTPUTS.c
    return select(_TABLE, outputs.grant_id, outputs.sha256, outputs.c2pa_manifest).join(
        _OUTPUTS, outputs.id == _TABLE.c.output_id
    )


def _mine(holder: Holder) -> ColumnElement[bool]:
    return and_(_TABLE.c.holder_kind == holder.kind.value, _TABLE.c.holder == holder.name)


def _holder(row: Row[Any]) -> Holder:
    return Holder(HolderKind(row.holder_kind), row.holder)


def _removal(row: Row[Any]) -> Removal:
    return Removal(
        id=row.id,
        number=row.number,
        cameo_id=row.cameo_id,
        output_id=row.output_id,
        grant_id=row.grant_id,
        sha256=row.sha256,
        c2pa_manifest=row.c2pa_manifest,
        holder=_holder(row),
        state=RemovalState(row.state),
        reason=row.reason,
        answer_reason=row.answer_reason,
        requested_at=row.requested_at,
        due_at=row.due_at,
        delivered_at=row.delivered_at,
        acknowledged_at=row.acknowledged_at,
        finished_at=row.finished_at,
    )
