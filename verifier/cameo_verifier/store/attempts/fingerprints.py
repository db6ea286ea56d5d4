"""Fingerprints of the recordings of all attempts, as opaque bytes; `cameo_verifier.evidence.fingerprint` has their format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from sqlalchemy import Connection, Engine

_AT_ONCE = 500
"""Rows per query, about 1 MB."""


class FingerprintStore:
    """Fingerprints in the database behind `engine`; `AttemptStore.finish` adds them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ids_since(self, earliest: datetime) -> list[str]:
        """Return the attempts with a fingerprint, of every subject, that were judged since a time, the latest first.

        Raises:
            StoreError: the database failed.
        """
        table = tables.fingerprints
        statement = (
            select(table.c.attempt_id)
            .where(table.c.created_at >= earliest)
            .order_by(table.c.created_at.desc(), table.c.attempt_id)
        )
        with store_errors(), self._engine.connect() as connection:
            return list(connection.scalars(statement))

    def of(self, attempt_ids: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the fingerprints of those of the attempts that have one.

        Raises:
            StoreError: the database failed.
        """
        table = tables.fingerprints
        wanted = sorted(attempt_ids)
        with store_errors(), self._engine.connect() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = table.c.attempt_id.in_(wanted[start : start + _AT_ONCE])
                statement = select(table.c.attempt_id, table.c.data).where(some)
                yield from ((row.attempt_id, row.data) for row in connection.execute(statement).all())

    def drop(self, *, before: datetime) -> int:
        """Delete the fingerprints of recordings judged before a time, and return their number.

        Raises:
            StoreError: the database failed.
        """
        table = tables.fingerprints
        with store_errors(), self._engine.begin() as connection:
            return connection.execute(delete(table).where(table.c.created_at < before)).rowcount


def add(connection: Connection, attempt_id: str, data: bytes, *, now: datetime) -> None:
    """Store the fingerprint of an attempt's recording, inside a transaction of the caller."""
    connection.execute(insert(tables.fingerprints).values(attempt_id=attempt_id, created_at=now, data=data))
