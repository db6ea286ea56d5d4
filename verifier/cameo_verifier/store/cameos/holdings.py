"""Holdings of an account: its cameos, receipts and credentials of its attempts with their statuses, and open challenges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cameo_credential.token_status import Status
from cameo_verifier.store.cameos import cameos
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine, Row

    from cameo_verifier.cameo.model import Cameo

AT_MOST = 200
"""Maximum number of each kind, the latest."""


@dataclass(frozen=True, slots=True)
class HeldCredential:
    """A credential, or a receipt, with its current status.

    Attributes:
        jti: its id.
        attempt_id, cameo_id: what it was issued for.
        audience: whom it is for.
        issued_at, expires_at: times in UTC.
        status: its entry in the status list; None if it has none.
        revoked_at: when it was revoked by itself, None if it was not.
        reason: why it was revoked by itself; empty if it was not.
    """

    jti: str
    attempt_id: str
    cameo_id: str
    audience: str
    issued_at: datetime
    expires_at: datetime
    status: Status | None
    revoked_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """A challenge that can still be answered."""

    id: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HeldItems:
    """The holdings of an account or of an attempt, the latest first."""

    cameos: tuple[Cameo, ...]
    credentials: tuple[HeldCredential, ...]
    receipts: tuple[HeldCredential, ...] = ()
    challenges: tuple[OpenChallenge, ...] = ()


class Holdings:
    """Reads the database behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_subject(self, subject: str, *, now: datetime) -> HeldItems:
        """Return the holdings of an account.

        Raises:
            StoreError: the database failed.
        """
        table = tables.challenges
        still_open = (table.c.subject == subject) & table.c.spent_at.is_(None) & (table.c.expires_at > now)
        query = select(table.c.id, table.c.issued_at, table.c.expires_at).where(still_open)
        with store_errors(), self._engine.connect() as connection:
            return HeldItems(
                cameos=_cameos(connection, tables.cameos.c.subject == subject),
                credentials=_credentials(connection, tables.attempts.c.subject == subject),
                receipts=_receipts(connection, tables.attempts.c.subject == subject),
                challenges=tuple(
                    OpenChallenge(row.id, row.issued_at, row.expires_at)
                    for row in connection.execute(query.order_by(table.c.issued_at.desc(), table.c.id).limit(AT_MOST))
                ),
            )

    def of_attempt(self, attempt_id: str) -> HeldItems:
        """Return the holdings that come from one attempt.

        Raises:
            StoreError: the database failed.
        """
        with store_errors(), self._engine.connect() as connection:
            return HeldItems(
                cameos=_cameos(connection, tables.cameos.c.attempt_id == attempt_id),
                credentials=_credentials(connection, tables.attempts.c.id == attempt_id),
                receipts=_receipts(connection, tables.attempts.c.id == attempt_id),
            )


def credentials_of(
    connection: Connection, subject: str, *, after: tuple[datetime, str] | None, limit: int
) -> list[HeldCredential]:
    """Return the credentials of an account, revoked ones too, oldest first, beginning after (time of issue, id)."""
    table, attempts, entries = tables.credentials, tables.attempts, tables.status_entries
    query = (
        select(table, entries.c.status)
        .join(attempts, attempts.c.id == table.c.attempt_id)
        .outerjoin(entries, entries.c.jti == table.c.jti)
        .where(attempts.c.subject == subject)
        .order_by(table.c.issued_at, table.c.jti)
        .limit(limit)
    )
    if after is not None:
        moment, jti = after
        query = query.where((table.c.issued_at > moment) | ((table.c.issued_at == moment) & (table.c.jti > jti)))
    return [_credential(row) for row in connection.execute(query)]


def _cameos(connection: Connection, condition: ColumnElement[bool]) -> tuple[Cameo, ...]:
    table = tables.cameos
    query = select(table).where(condition).order_by(table.c.created_at.desc(), table.c.id).limit(AT_MOST)
    return tuple(cameos.from_row(row) for row in connection.execute(query))


def _credentials(connection: Connection, condition: ColumnElement[bool]) -> tuple[HeldCredential, ...]:
    table, attempts, entries = tables.credentials, tables.attempts, tables.status_entries
    query = (
        select(table, entries.c.status)
        .join(attempts, attempts.c.id == table.c.attempt_id)
        .outerjoin(entries, entries.c.jti == table.c.jti)
        .where(condition)
        .order_by(table.c.issued_at.desc(), table.c.jti)
        .limit(AT_MOST)
    )
    return tuple(_credential(row) for row in connection.execute(query))


def _receipts(connection: Connection, condition: ColumnElement[bool]) -> tuple[HeldCredential, ...]:
    table, attempts, entries = tables.receipts, tables.attempts, tables.status_entries
    query = (
        select(table, attempts.c.audience, entries.c.status)
        .join(attempts, attempts.c.id == table.c.attempt_id)
        .outerjoin(entries, entries.c.jti == table.c.jti)
        .where(condition)
        .order_by(table.c.issued_at.desc(), table.c.jti)
        .limit(AT_MOST)
    )
    return tuple(
        HeldCredential(
            jti=row.jti,
            attempt_id=row.attempt_id,
            cameo_id=row.cameo_id,
            audience=row.audience,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            status=None if row.status is None else Status(row.status),
            revoked_at=None,
            reason="",
        )
        for row in connection.execute(query)
    )


def _credential(row: Row[Any]) -> HeldCredential:
    return HeldCredential(
        jti=row.jti,
        attempt_id=row.attempt_id,
        cameo_id=row.cameo_id,
        audience=row.audience,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        status=None if row.status is None else Status(row.status),
        revoked_at=row.revoked_at,
        reason=row.revoke_reason or "",
    )
