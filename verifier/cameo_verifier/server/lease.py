"""Whether a server lives, as the others see it: open attempts belong to the lease of the server that judges them.

A lease is a row that must be renewed, and a locked file in the data folder. Whoever dies leaves the row behind until its time is
over; the lock the kernel takes back at once, whatever ended the process. So a server that shares folder and kernel with a dead
one, as one that is started again does, knows of its death right away, and any other one when the row runs out. The clocks of
servers on several machines must agree to a fraction of a lease.

A database that nobody could write to for a while makes every lease run out. Nobody is called dead for that: a server believes the
rows of others only after it has itself kept its own for the length of a lease, or when it has just started.
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
    """A server's own lease, and what it knows of those of others. One thread at a time."""

    def __init__(
        self, store: ServerStore, folder: Path, *, server_id: str, lasts: timedelta, clock: Callable[[], datetime]
    ) -> None:
        """Use `take` instead."""
        self._store, self._folder, self._lasts, self._clock = store, folder, lasts, clock
        self._boot = _boot_id()
        self._lock: int | None = None
        self._kept_since: datetime | None = None
        self._expires_at: datetime | None = None
        self.id = server_id

    @classmethod
    def take(cls, store: ServerStore, folder: Path, *, server_id: str, lasts: timedelta, clock: Callable[[], datetime]) -> Self:
        """Lock the file and write the row of a server that starts.

        Args:
            store: the rows.
            folder: where the locked files lie; made if there is none.
            server_id: never used before.
            lasts: how long the server counts as alive after each `renew`.
            clock: the time in UTC.

        Raises:
            StoreError: the database could not do it, or the folder cannot be written.
        """
        lease = cls(store, folder, server_id=server_id, lasts=lasts, clock=clock)
        try:
            owner_only.make_folder(folder)
            lease._lock = owner_only.make_file(folder / server_id)
        except OSError as error:
            raise StoreError(f"cannot write into {folder}: {error.strerror}") from None
        if lease._lock is None:
            raise RuntimeError("the id of a server was used before")
        # A file system without locks leaves the row to speak.
        with suppress(OSError):
            fcntl.flock(lease._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lease.renew()
        return lease

    def renew(self) -> None:
        """Say that this server lives.

        Raises:
            StoreError: the database could not do it.
        """
        now = self._clock()
        self._store.renew(KnownServer(self.id, self._boot, now + self._lasts))
        if self._expires_at is not None and self._expires_at <= now:
            self._kept_since = now
        self._expires_at = now + self._lasts

    def dead(self) -> frozenset[str]:
        """Return the ids of the servers that said they live and do not.

        Raises:
            StoreError: the database could not do it.
        """
        now = self._clock()
        believed = self._kept_since is None or now - self._kept_since >= self._lasts
        others = [server for server in self._store.known() if server.id != self.id]
        return frozenset(server.id for server in others if self._has_died(server) or (believed and server.expires_at <= now))

    def bury(self, dead: frozenset[str]) -> None:
        """Forget servers, after what was theirs was taken over.

        Raises:
            StoreError: the database could not do it.
        """
        if dead:
            log.warning("servers are gone", count=len(dead))
            self._store.forget(dead)
            for identifier in dead:
                (self._folder / identifier).unlink(missing_ok=True)

    def give_back(self) -> None:
        """Say that this server ends, so that others need not wait for it; where the database is down, its open lock says so."""
        with suppress(StoreError):
            self._store.forget([self.id])
            (self._folder / self.id).unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _has_died(self, server: KnownServer) -> bool:
        """Whether the kernel says so. Of a server on another machine, or of another run of this one, it knows nothing."""
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
