"""Status lists: the index and the status of each credential.

A group of indices is allotted once and never again, see `cameo_credential.decoys`. A list takes credentials until half of its
groups are used. A revoked credential stays revoked. An entry has no time: it would lead to the cameo changed then.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from cameo_credential import decoys
from cameo_credential.token_status import Status
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import numpy.typing as npt
    from sqlalchemy import ColumnElement, Connection, Engine

    from cameo_verifier.types import U8


@dataclass(frozen=True, slots=True)
class KeptList:
    """A status list. closed: the database was restored, and what was allotted of it after the copy is unknown."""

    number: int
    capacity: int
    used: int
    decoy_key: bytes = field(repr=False)
    closed: bool = False

    @property
    def room(self) -> int:
        """The number of its groups that are allotted before the next list is started."""
        return self.capacity // decoys.GROUP // 2


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """The index and the status of a credential."""

    list_number: int
    index: int
    status: Status


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """N credentials of a list.

    indices: (N,) int64. groups: (N,) int64, below 0 where a credential has no decoys, in a list of before there were groups.
    statuses: (N,) uint8.
    """

    indices: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    statuses: U8


_NONE = -1
_LOST_LISTS = 1000
"""More lists than are filled between a copy and its restoration: they hold 64 million credentials."""
_APART = 100_000
"""Out of so many places the next list is drawn; a number has up to nine digits, for thousands of restorations."""


class StatusStore:
    """Status lists in the database behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_list(self, *, capacity: int, new_key: Callable[[], bytes], now: datetime) -> KeptList:
        """Return the list that takes credentials; if there is none, or the last one is full, start the next.

        Servers that do so concurrently start one.

        Args:
            capacity: of a new list; existing ones keep theirs.
            new_key: makes the key of its decoys, 32 random bytes.
            now: the time.

        Raises:
            StoreError: the database failed.
        """
        with store_errors():
            while True:
                last = self._last()
                if last is not None and last.used < last.room:
                    return last
                # Where another server was first, its list is read on the next round.
                with suppress(IntegrityError):
                    self._begin(1 if last is None else last.number + 1, capacity=capacity, decoy_key=new_key(), now=now)

    def leave(self, *, capacity: int, new_key: Callable[[], bytes], below: Callable[[int], int], now: datetime) -> None:
        """Close all lists, and start one far beyond the last, which takes all credentials from now on.

        A database that was restored does not know which groups, and which lists after its last one, were allotted since it was
        copied, nor where an earlier restoration went on: the distance is drawn. Nobody can revoke what was allotted since, so a
        closed list shows what it does not know as invalid.

        Args:
            capacity: of the new list.
            new_key: makes the key of its decoys, 32 random bytes.
            now: the time.
            below: returns a random whole number below another.

        Raises:
            StoreError: the database failed.
        """
        with store_errors():
            last = self._last()
            number = (0 if last is None else last.number) + _LOST_LISTS + below(_APART)
            self._begin(number, capacity=capacity, decoy_key=new_key(), now=now, close_others=True)

    def take(self, kept: KeptList, group: int, index: int, *, jti: str) -> bool:
        """Allot a group, and one of its indices, to a credential, as valid; False, and nothing changed, if it is not available.

        That is so if the group or the id is taken, or the list is full.

        Raises:
            StoreError: the database failed.
        """
        lists = tables.status_lists
        more = update(lists).where(lists.c.number == kept.number, lists.c.used < kept.room).values(used=lists.c.used + 1)
        row = {"list_number": kept.number, "idx": index, "jti": jti, "group_number": group, "status": Status.VALID.value}
        with store_errors():
            try:
                with self._engine.begin() as connection:
                    if connection.execute(more).rowcount != 1:
                        return False
                    connection.execute(insert(tables.status_entries).values(row))
            except IntegrityError:
                return False
        return True

    def change(self, jti: str, status: Status) -> Status:
        """Set the status of a credential and return its status afterwards: `INVALID` is final.

        Raises:
            NotFoundError: no credential of this id has a status.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.begin() as connection:
            change(connection, tables.status_entries.c.jti == jti, status)
            return _entry(connection, jti).status

    def get(self, jti: str) -> StatusEntry:
        """Return the index and the status of a credential.

        Raises:
            NotFoundError: no credential of this id has a status.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.connect() as connection:
            return _entry(connection, jti)

    def numbers(self) -> tuple[int, ...]:
        """Return the numbers of all lists, oldest first.

        Raises:
            StoreError: the database failed.
        """
        table = tables.status_lists
        with store_errors(), self._engine.connect() as connection:
            return tuple(connection.execute(select(table.c.number).order_by(table.c.number)).scalars())

    def get_list(self, number: int) -> KeptList:
        """Return a list.

        Raises:
            NotFoundError: there is no list of this number.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.connect() as connection:
            return _kept(connection, number)

    def entries(self, number: int, *, valid: bool) -> Entries:
        """Return the credentials of a list that are not valid, or with `valid` all of them.

        Raises:
            StoreError: the database failed.
        """
        table = tables.status_entries
        query = select(table.c.idx, table.c.group_number, table.c.status).where(table.c.list_number == number)
        if not valid:
            query = query.where(table.c.status > Status.VALID.value)
        with store_errors(), self._engine.connect() as connection:
            rows = [(index, _NONE if group is None else group, status) for index, group, status in connection.execute(query)]
        found = np.array(rows, np.int64).reshape(-1, 3)
        return Entries(found[:, 0], found[:, 1], found[:, 2].astype(np.uint8))

    def _begin(self, number: int, *, capacity: int, decoy_key: bytes, now: datetime, close_others: bool = False) -> None:
        row = {"number": number, "capacity": capacity, "used": 0, "decoy_key": decoy_key, "created_at": now}
        with self._engine.begin() as connection:
            if close_others:
                connection.execute(update(tables.status_lists).values(closed=True))
            connection.execute(insert(tables.status_lists).values(row))

    def _last(self) -> KeptList | None:
        table = tables.status_lists
        with self._engine.connect() as connection:
            number = connection.execute(select(func.max(table.c.number))).scalar_one()
            return None if number is None else _kept(connection, number)


def change_of_cameo(connection: Connection, cameo_id: str, status: Status) -> int:
    """Set the status of every credential of a cameo, for all audiences, and return the number changed.

    Runs inside a transaction of the caller, so that the cameo and its credentials change together.
    """
    credentials = tables.credentials
    of_cameo = select(credentials.c.jti).where(credentials.c.cameo_id == cameo_id)
    return change(connection, tables.status_entries.c.jti.in_(of_cameo), status)


def change(connection: Connection, which: ColumnElement[bool], status: Status) -> int:
    """Set the status of entries, inside a transaction of the caller, and return the number changed: `INVALID` is final."""
    table = tables.status_entries
    changeable = table.c.status.not_in((Status.INVALID.value, status.value))
    statement = update(table).where(which, changeable).values(status=status.value)
    return connection.execute(statement).rowcount


def _kept(connection: Connection, number: int) -> KeptList:
    row = connection.execute(select(tables.status_lists).where(tables.status_lists.c.number == number)).one_or_none()
    if row is None:
        raise NotFoundError("no such status list")
    return KeptList(row.number, row.capacity, row.used, row.decoy_key, row.closed)


def _entry(connection: Connection, jti: str) -> StatusEntry:
    row = connection.execute(select(tables.status_entries).where(tables.status_entries.c.jti == jti)).one_or_none()
    if row is None:
        raise NotFoundError("no credential of this id has a status")
    return StatusEntry(row.list_number, row.idx, Status(row.status))
