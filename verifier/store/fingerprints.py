"""Fingerprints of the recordings of all attempts. What is in one is the business of `verifier.evidence.fingerprint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from verifier.store import tables
from verifier.store.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection, Engine

_AT_ONCE = 500
"""Rows read at once, about 1 MB."""


class FingerprintStore:
    """Fingerprints in the database behind `engine`; `AttemptStore.finish` adds them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def since(self, earliest: datetime) -> Iterator[tuple[str, bytes]]:
        """Yield the attempt and the fingerprint of every recording judged since a time, of every subject, the latest first.

        Raises:
            StoreError: the database could not do it.
        """
        table = tables.fingerprints
        statement = (
            select(table.c.attempt_id, table.c.data)
            .where(table.c.created_at >= earliest)
            .order_by(table.c.created_at.desc(), table.c.attempt_id)
        )
        with store_errors(), self._engine.connect() as connection:
            for rows in connection.execution_options(yield_per=_AT_ONCE).execute(statement).partitions():
                yield from ((row.attempt_id, row.data) for row in rows)

    def drop(self, *, before: datetime) -> int:
        """Forget the fingerprints of recordings judged before a time, and return how many there were.

        Raises:
            StoreError: the database could not do it.
        """
        table = tables.fingerprints
        with store_errors(), self._engine.begin() as connection:
            return connection.execute(delete(table).where(table.c.created_at < before)).rowcount


def add(connection: Connection, attempt_id: str, data: bytes, *, now: datetime) -> None:
    """Keep the fingerprint of an attempt's recording, inside a transaction of the caller."""
    connection.execute(insert(tables.fingerprints).values(attempt_id=attempt_id, created_at=now, data=data))
