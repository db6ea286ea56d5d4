"""Receipts of accepted attempts, one each. A receipt follows its attempt and not the cameo, whose owner may pause or end it.

While analysts suspend the cameo, made or not, its receipt is suspended too. Unlinking the attempt revokes and deletes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from cameo_credential.token_status import Status
from cameo_verifier.store.credentials import statuses
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt: its id, its attempt, the cameo that the attempt is or can become, times in UTC, and the SD-JWT."""

    jti: str
    attempt_id: str
    cameo_id: str
    issued_at: datetime
    expires_at: datetime
    token: str


def add(connection: Connection, receipt: KeptReceipt) -> None:
    """Store a receipt, inside a transaction of the caller."""
    row = {name: getattr(receipt, name) for name in KeptReceipt.__slots__}
    connection.execute(insert(tables.receipts).values(row))


def of_attempt(connection: Connection, attempt_id: str) -> KeptReceipt | None:
    """Return the receipt of an attempt; None if it has none, or none any more."""
    row = connection.execute(select(tables.receipts).where(tables.receipts.c.attempt_id == attempt_id)).one_or_none()
    return None if row is None else KeptReceipt(**row._mapping)  # noqa: SLF001 - the public way to a row's mapping


def change_of_cameo(connection: Connection, cameo_id: str, status: Status) -> None:
    """Set the status of the receipt of a cameo, made or not, inside a transaction of the caller."""
    of_cameo = select(tables.receipts.c.jti).where(tables.receipts.c.cameo_id == cameo_id)
    statuses.change(connection, tables.status_entries.c.jti.in_(of_cameo), status)


def revoke(connection: Connection, attempt_id: str) -> None:
    """Revoke and delete the receipt of an attempt, inside a transaction of the caller."""
    table = tables.receipts
    of_attempt = select(table.c.jti).where(table.c.attempt_id == attempt_id)
    statuses.change(connection, tables.status_entries.c.jti.in_(of_attempt), Status.INVALID)
    connection.execute(delete(table).where(table.c.attempt_id == attempt_id))
