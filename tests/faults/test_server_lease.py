"""Leases: a server counts as dead at once by the kernel's lock, or by the clock once its lease expired."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import StoreError
from cameo_verifier.server.lease import Lease
from cameo_verifier.store.attempts.servers import KnownServer, ServerStore
from cameo_verifier.store.db.engine import open_database
from tests.databases import only_sqlite
from tests.waiting import ended, heard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

pytestmark = only_sqlite

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LASTS = timedelta(seconds=60)


class Clock:
    """A clock that stands until it is moved."""

    now = NOW

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


def _live(folder: Path, report: Connection) -> None:
    store = ServerStore(open_database(f"sqlite:///{folder / 'cameo.sqlite3'}"))
    Lease.take(store, folder / "servers", server_id="other", lasts=LASTS, clock=lambda: NOW)
    report.send("taken")
    signal.pause()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ServerStore]:
    """The rows."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}", busy_timeout_s=0.1)
    yield ServerStore(engine)
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    """The clock of this server."""
    return Clock()


@pytest.fixture
def take(store: ServerStore, tmp_path: Path, clock: Clock) -> Callable[[str], Lease]:
    """Take a lease under an id."""
    return lambda server_id: Lease.take(store, tmp_path / "servers", server_id=server_id, lasts=LASTS, clock=clock)


def test_a_killed_server_is_dead_at_once(take: Callable[[str], Lease], store: ServerStore, tmp_path: Path) -> None:
    """As long as its process lives it is not; after kill -9 it is, though its time is not over; then it is forgotten."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    other = context.Process(target=_live, args=(tmp_path, send), daemon=True)
    other.start()
    assert heard(receive) == "taken"
    lease = take("mine")
    assert lease.dead() == frozenset()
    assert other.pid is not None
    os.kill(other.pid, signal.SIGKILL)
    ended(other)
    assert lease.dead() == {"other"}
    lease.bury(lease.dead())
    assert [server.id for server in store.known()] == ["mine"]
    assert [file.name for file in (tmp_path / "servers").iterdir()] == ["mine"]
    lease.give_back()
    assert store.known() == ()


def test_a_server_elsewhere_is_dead_when_its_time_is_over(take: Callable[[str], Lease], store: ServerStore, clock: Clock) -> None:
    """Of another kernel, and of another folder, nothing but the row is known."""
    lease = take("mine")
    own_boot = store.known()[0].boot
    store.renew(KnownServer("elsewhere", "another boot", NOW + LASTS))
    store.renew(KnownServer("folderless", own_boot, NOW + 2 * LASTS))
    assert lease.dead() == frozenset()
    clock.now = NOW + LASTS - timedelta(seconds=1)
    lease.renew()
    assert lease.dead() == frozenset()
    clock.now = NOW + LASTS
    assert lease.dead() == {"elsewhere"}
    store.renew(KnownServer("elsewhere", "another boot", clock.now + LASTS))
    assert lease.dead() == frozenset()


def test_a_lock_is_no_word_of_another_kernel(take: Callable[[str], Lease], store: ServerStore) -> None:
    """In a folder that machines share a lock may be the other machine's own affair: that it can be had proves nothing."""
    lease = take("mine")
    gone = take("other")
    assert gone._lock is not None
    os.close(gone._lock)
    assert lease.dead() == {"other"}
    store.renew(KnownServer("other", "another boot", NOW + LASTS))
    assert lease.dead() == frozenset()


def test_nobody_is_dead_for_a_database_that_was_away(
    take: Callable[[str], Lease], store: ServerStore, clock: Clock, tmp_path: Path
) -> None:
    """After a time in which nobody could renew, others have the length of a lease to say that they live."""
    lease = take("mine")
    store.renew(KnownServer("elsewhere", "another boot", NOW + LASTS))
    with closing(sqlite3.connect(tmp_path / "cameo.sqlite3", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        clock.now = NOW + 2 * LASTS
        with pytest.raises(StoreError, match="busy"):
            lease.renew()
    lease.renew()
    assert lease.dead() == frozenset()
    clock.now += LASTS / 2
    lease.renew()
    assert lease.dead() == frozenset()
    clock.now += LASTS / 2
    assert lease.dead() == {"elsewhere"}


def test_a_lease_that_cannot_be_given_back_is_over_all_the_same(take: Callable[[str], Lease], tmp_path: Path) -> None:
    """A server that stops while the database is locked leaves an open lock."""
    lease, other = take("mine"), take("other")
    with closing(sqlite3.connect(tmp_path / "cameo.sqlite3", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        other.give_back()
    assert lease.dead() == {"other"}


def test_a_folder_that_cannot_be_written_is_said(store: ServerStore, tmp_path: Path) -> None:
    """With its name."""
    (tmp_path / "servers").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=f"{tmp_path}/servers"):
        Lease.take(store, tmp_path / "servers", server_id="mine", lasts=LASTS, clock=Clock())
