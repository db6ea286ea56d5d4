"""Leases: how servers detect that one has died. Open attempts belong to the lease of the server that judges them.

A lease is a row that must be renewed, and a locked file in the data folder. A server that dies leaves the row until it expires;
the kernel releases the lock at once, however the process ended. So a server that shares folder and kernel with a dead one, as a
restarted one does, detects its death immediately, and any other server when the row expires. The clocks of servers on several
machines must agree to a fraction of a lease.

A database that is not writable for a while lets every lease expire. That makes nobody dead: a server trusts the rows of others
only after it has renewed its own for the length of a lease, or when it has just started.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import structlog

from cameo_credential import owner_only
from cameo_verifier.errors import StoreError
from cameo_verifier.store.attempts.servers import KnownServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from cameo_verifier.store.attempts.servers import ServerStore

log = structlog.get_logger(__name__)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Lease:
    """A server's own lease, and its view of the others'. One thread at a time."""

    def __init__(
        self, store: ServerStore, folder: Path, *, server_id: str, lasts: timedelta, clock: Callable[[], datetime]
    ) -> None:
        """Keep the parts; use `take`."""
        self._store, self._folder, self._lasts, self._clock = store, folder, lasts, clock
        self._boot = _boot_id()
        self._lock: int | None = None
        self._kept_since: datetime | None = None
        self._expires_at: datetime | None = None
        self.id = server_id

    @classmethod
    def take(cls, store: ServerStore, folder: Path, *, server_id: str, lasts: timedelta, clock: Callable[[], datetime]) -> Self:
        """Lock the file and write the row of a starting server.

        Args:
            store: the rows.
            folder: folder of the locked files; created if missing.
            server_id: never used before.
            lasts: how long the server counts as alive after each `renew`.
            clock: the time in UTC.

        Raises:
            StoreError: the database failed, or the folder cannot be written.
        """
        lease = cls(store, folder, server_id=server_id, lasts=lasts, clock=clock)
        try:
            owner_only.make_folder(folder)
            lease._lock = owner_only.make_file(folder / server_id)
        except OSError as error:
            raise StoreError(f"cannot write into {folder}: {error.strerror}") from None
        if lease._lock is None:
            raise RuntimeError("the id of a server was used before")
        # In a file system without locks only the row counts.
        with suppress(OSError):
            fcntl.flock(lease._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lease.renew()
        return lease

    def renew(self) -> None:
        """Renew the lease.

        Raises:
            StoreError: the database failed.
        """
        now = self._clock()
        self._store.renew(KnownServer(self.id, self._boot, now + self._lasts))
        if self._expires_at is not None and self._expires_at <= now:
            self._kept_since = now
        self._expires_at = now + self._lasts

    def dead(self) -> frozenset[str]:
        """Return the ids of the servers whose lease has ended.

        Raises:
            StoreError: the database failed.
        """
        now = self._clock()
        believed = self._kept_since is None or now - self._kept_since >= self._lasts
        others = [server for server in self._store.known() if server.id != self.id]
        return frozenset(server.id for server in others if self._has_died(server) or (believed and server.expires_at <= now))

    def bury(self, dead: frozenset[str]) -> None:
        """Remove the leases of dead servers, after their attempts were taken over.

        Raises:
            StoreError: the database failed.
        """
        if dead:
            log.warning("servers are gone", count=len(dead))
            self._store.forget(dead)
            for identifier in dead:
                (self._folder / identifier).unlink(missing_ok=True)

    def give_back(self) -> None:
        """End this server's lease, so that others need not wait for its expiry; if the database is down, the free lock tells."""
        with suppress(StoreError):
            self._store.forget([self.id])
            (self._folder / self.id).unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _has_died(self, server: KnownServer) -> bool:
        """Return whether its lock is free; False for a server on another machine or before a reboot: the kernel cannot tell."""
        if not self._boot or server.boot != self._boot:
            return False
        try:
            file = os.open(self._folder / server.id, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(file)


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
