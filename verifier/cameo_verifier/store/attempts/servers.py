"""Heartbeats of servers: each renews its row periodically, and counts as dead once that has expired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class KnownServer:
    """A server with a heartbeat. boot: the boot id of its kernel; empty if unknown."""

    id: str
    boot: str
    expires_at: datetime


class ServerStore:
    """Servers in the database behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def renew(self, server: KnownServer) -> None:
        """Store until when a server counts as alive, whether or not it was known.

        Raises:
            StoreError: the database failed.
        """
        table = tables.servers
        values = {"boot": server.boot, "expires_at": server.expires_at}
        with store_errors(), self._engine.begin() as connection:
            if not connection.execute(update(table).where(table.c.id == server.id).values(values)).rowcount:
                connection.execute(insert(table).values(id=server.id, **values))

    def known(self) -> tuple[KnownServer, ...]:
        """Return every server with a row.

        Raises:
            StoreError: the database failed.
        """
        table = tables.servers
        with store_errors(), self._engine.connect() as connection:
            rows = connection.execute(select(table).order_by(table.c.id)).all()
        return tuple(KnownServer(row.id, row.boot, row.expires_at) for row in rows)

    def forget(self, identifiers: Collection[str]) -> None:
        """Delete the rows of servers.

        Raises:
            StoreError: the database failed.
        """
        table = tables.servers
        with store_errors(), self._engine.begin() as connection:
            connection.execute(delete(table).where(table.c.id.in_(sorted(identifiers))))
