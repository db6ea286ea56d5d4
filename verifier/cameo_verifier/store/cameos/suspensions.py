"""Suspensions: analysts stop every use of a cameo, its receipt and all its credentials, until analysts lift that.

An accepted attempt has the id of the cameo before that is created; it can be suspended by then, and is created paused. Everything
that follows is one transaction: the line in the audit log, the cameo and its open grants, the statuses of receipt and
credentials, and the events for app and owner. The line names the cameo and not its attempt: it has the time of the events, and
both stay when the cameo is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, union

from cameo_credential.token_status import Status
from cameo_verifier.cameo import guardians
from cameo_verifier.cameo.model import EventKind
from cameo_verifier.cameo.permissions import require_changeable
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.cameos import cameos, events
from cameo_verifier.store.credentials import receipts, statuses
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.audit import Entry, Reader

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from cameo_verifier.store.evidence.audit import AuditLog

_AT_ONCE = 500
_NAME_A_CAMEO = (tables.receipts, tables.credentials, tables.likenesses)
"""Tables whose rows have the id of a cameo that may not be created yet."""


@dataclass(frozen=True, slots=True)
class SuspensionRequest:
    """An analyst's request about a cameo. identifier: the same whenever the same request of theirs is sent again."""

    identifier: str
    cameo_id: str
    suspended: bool
    reason: str
    analyst: str


@dataclass(frozen=True, slots=True)
class Suspension:
    """A stored suspension, or the lifting of one; number: its position among the cameo's, from 1."""

    number: int
    suspended: bool
    reason: str
    analyst: str
    created_at: datetime


class SuspensionStore:
    """Suspensions in the database behind `engine`; each is in the `audit` log."""

    def __init__(self, engine: Engine, audit: AuditLog) -> None:
        self._engine, self._audit = writing(engine), audit

    def of(self, cameo_ids: Collection[str]) -> Mapping[str, tuple[Suspension, ...]]:
        """Return suspensions of cameos and their liftings, oldest first; the last is in effect. Cameos without any are left out.

        Raises:
            StoreError: the database failed.
        """
        table, wanted = tables.suspensions, sorted(set(cameo_ids))
        found: dict[str, tuple[Suspension, ...]] = {}
        with store_errors(), self._engine.connect() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = table.c.cameo_id.in_(wanted[start : start + _AT_ONCE])
                for row in connection.execute(select(table).where(some).order_by(table.c.cameo_id, table.c.number)):
                    found[row.cameo_id] = (*found.get(row.cameo_id, ()), _suspension(row))
        return found

    def keep(self, said: SuspensionRequest, *, now: datetime) -> bool:
        """Suspend a cameo, or lift its suspension, and return whether it is suspended now; idempotent.

        Raises:
            InvalidRequestError: the reason is empty or too long.
            RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED`, `CAMEO_GONE` or `REQUEST_ID_REUSED`.
            StoreError: the database failed; nothing changed.
        """
        reader = Reader(said.analyst, said.reason)
        with store_errors(), self._engine.begin() as connection:
            subject = _held(connection, said.cameo_id)
            if _repeated(connection, said) or cameos.suspended(connection, said.cameo_id) == said.suspended:
                return cameos.suspended(connection, said.cameo_id)
            _add(connection, said, now=now)
            action = "suspend" if said.suspended else "lift"
            self._audit.append_within(connection, [Entry(action, "", f"cameo {said.cameo_id}")], reader=reader, now=now)
            _carry_out(connection, said, subject, now=now)
            return said.suspended


def _held(connection: Connection, cameo_id: str) -> str:
    """Return the subject of a cameo, or of the attempt that can become it; the row is locked until commit."""
    attempts = tables.attempts
    cameo = connection.execute(select(tables.cameos).where(tables.cameos.c.id == cameo_id).with_for_update()).one_or_none()
    if cameo is not None:
        require_changeable(cameos.from_row(cameo))
        return str(cameo.subject)
    named = [select(of.c.attempt_id).where(of.c.cameo_id == cameo_id) for of in _NAME_A_CAMEO]
    of = select(attempts.c.subject).where(attempts.c.id.in_(union(*named)))
    # The row that creating a cameo locks.
    subject: str | None = connection.execute(of.with_for_update()).scalar_one_or_none()
    if subject is None:
        raise RefusedError(Refusal.CAMEO_UNKNOWN, metadata={"cameo_id": cameo_id})
    return subject


def _carry_out(connection: Connection, said: SuspensionRequest, subject: str, *, now: datetime) -> None:
    cameo = cameos.several(connection, [said.cameo_id], hold=True).get(said.cameo_id)
    if cameo is not None:
        if said.suspended:
            cameos.end_grants(connection, cameo.id, now=now)
        cameos.keep(connection, cameo, (guardians.suspend if said.suspended else guardians.end_suspension)(cameo), now=now)
        return
    status, kind = (
        (Status.SUSPENDED, EventKind.WAS_SUSPENDED) if said.suspended else (Status.VALID, EventKind.SUSPENSION_WAS_LIFTED)
    )
    statuses.change_of_cameo(connection, said.cameo_id, status)
    receipts.change_of_cameo(connection, said.cameo_id, status)
    events.append_of_credentials(connection, said.cameo_id, subject, kind, now=now)


def _repeated(connection: Connection, said: SuspensionRequest) -> bool:
    table = tables.suspensions
    row = connection.execute(select(table).where(table.c.id == said.identifier)).one_or_none()
    if row is None:
        return False
    if (row.cameo_id, row.suspended, row.reason) != (said.cameo_id, said.suspended, said.reason):
        raise RefusedError(Refusal.REQUEST_ID_REUSED)
    return True


def _add(connection: Connection, said: SuspensionRequest, *, now: datetime) -> None:
    table = tables.suspensions
    last = select(func.coalesce(func.max(table.c.number), 0)).where(table.c.cameo_id == said.cameo_id)
    row: dict[str, Any] = {
        "id": said.identifier,
        "cameo_id": said.cameo_id,
        "number": connection.execute(last).scalar_one() + 1,
        "suspended": said.suspended,
        "reason": said.reason,
        "analyst": said.analyst,
        "created_at": now,
    }
    connection.execute(insert(table).values(row))


def _suspension(row: Row[Any]) -> Suspension:
    return Suspension(row.number, row.suspended, row.reason, row.analyst, row.created_at)
