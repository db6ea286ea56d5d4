"""Status lists: the index and the status of each credential.

An index is allotted once and never again. A list takes credentials until half of its indices are used; the other half, and random
indices, hide which are. A revoked credential stays revoked. An entry has no time: it would lead to the cameo changed then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, insert, select, union, update
from sqlalchemy.exc import IntegrityError

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
    """A status list. `decoys_invalid` and `decoys_suspended` are shares of 2**32, see `cameo_credential.decoys`."""

    number: int
    capacity: int
    used: int
    decoy_key: bytes = field(repr=False)
    decoys_invalid: int
    decoys_suspended: int

    @property
    def room(self) -> int:
        """The number of its indices that are allotted before the next list is started."""
        return self.capacity // 2


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """The index and the status of a credential."""

    list_number: int
    index: int
    status: Status


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
                row = {
                    "number": 1 if last is None else last.number + 1,
                    "capacity": capacity,
                    "used": 0,
                    "decoy_key": new_key(),
                    "decoys_invalid": 0,
                    "decoys_suspended": 0,
                    "created_at": now,
                }
                try:
                    with self._engine.begin() as connection:
                        connection.execute(insert(tables.status_lists).values(row))
                except IntegrityError:
                    continue  # another server was first: its list is read on the next round

    def take(self, kept: KeptList, index: int, *, rank: int, jti: str) -> bool:
        """Allot an index to a credential, as valid; False, and nothing changed, if it is not available.

        That is so if the index or the id is taken, the list is full, or its decoy shares differ from those in `kept`: by the new
        ones the index may be shown as revoked already.

        Raises:
            StoreError: the database failed.
        """
        lists = tables.status_lists
        unchanged = (
            update(lists)
            .where(
                lists.c.number == kept.number,
                lists.c.used < kept.room,
                lists.c.decoys_invalid == kept.decoys_invalid,
                lists.c.decoys_suspended == kept.decoys_suspended,
            )
            .values(used=lists.c.used + 1)
        )
        row = {
            "list_number": kept.number,
            "idx": index,
            "jti": jti,
            "decoy_rank": rank,
            "status": Status.VALID.value,
        }
        with store_errors():
            try:
                with self._engine.begin() as connection:
                    if connection.execute(unchanged).rowcount != 1:
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

    def set_decoys(self, kept: KeptList, *, invalid: int, suspended: int) -> KeptList:
        """Set the decoy shares, if they still equal those of `kept`, and return the list afterwards.

        After this no index is allotted by the earlier shares.

        Raises:
            StoreError: the database failed.
        """
        table = tables.status_lists
        statement = (
            update(table)
            .where(
                table.c.number == kept.number,
                table.c.decoys_invalid == kept.decoys_invalid,
                table.c.decoys_suspended == kept.decoys_suspended,
            )
            .values(decoys_invalid=invalid, decoys_suspended=suspended)
        )
        with store_errors(), self._engine.begin() as connection:
            connection.execute(statement)
            return _kept(connection, kept.number)

    def counts(self, number: int) -> dict[Status, int]:
        """Return the numbers of revoked and of suspended credentials of a list.

        Raises:
            StoreError: the database failed.
        """
        table = tables.status_entries
        other = (Status.INVALID, Status.SUSPENDED)
        query = (
            select(table.c.status, func.count())
            .where(table.c.list_number == number, table.c.status.in_([status.value for status in other]))
            .group_by(table.c.status)
        )
        with store_errors(), self._engine.connect() as connection:
            found = {Status(status): count for status, count in connection.execute(query)}
        return {status: found.get(status, 0) for status in other}

    def deviating(self, kept: KeptList, *, ranks: int) -> tuple[npt.NDArray[np.int64], U8]:
        """Return the indices (N,) and statuses (N,) of all credentials that are not valid, or would not be if they were decoys.

        Args:
            kept: the list, with its decoy shares.
            ranks: the number of ranks: the suspended ones are the last.

        Raises:
            StoreError: the database failed.
        """
        table = tables.status_entries
        # One index range for each condition: in a long list nearly all entries are valid and are not read.
        differs = (
            table.c.status > Status.VALID.value,
            table.c.decoy_rank < kept.decoys_invalid,
            table.c.decoy_rank >= ranks - kept.decoys_suspended,
        )
        listed = select(table.c.idx, table.c.status).where(table.c.list_number == kept.number)
        query = union(*(listed.where(condition) for condition in differs))
        with store_errors(), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        found = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1].astype(np.uint8)

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
    return KeptList(row.number, row.capacity, row.used, row.decoy_key, row.decoys_invalid, row.decoys_suspended)


def _entry(connection: Connection, jti: str) -> StatusEntry:
    row = connection.execute(select(tables.status_entries).where(tables.status_entries.c.jti == jti)).one_or_none()
    if row is None:
        raise NotFoundError("no credential of this id has a status")
    return StatusEntry(row.list_number, row.idx, Status(row.status))
