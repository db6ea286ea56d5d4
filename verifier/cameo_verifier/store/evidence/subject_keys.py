"""Data keys, one per subject: each encrypts all evidence of that person, and nothing of anybody else.

A key is stored wrapped by the site's vault key and bound to its own random id, which is in the clear on every object it encrypts.
Destroying a key makes all copies of these objects unreadable; its id stays, so that the error for such a copy can say why it does
not open. A subject who comes back gets another key.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from cameo_verifier.store.cameos import vault_key
from cameo_verifier.store.cameos.vault import KEY_BYTES, VaultError
from cameo_verifier.store.cameos.vault_key import VaultKeyRotatedError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.days import start_of_day
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.errors import DataKeyLostError, SubjectDeletedError, VaultKeyLostError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from cameo_verifier.store.cameos.vault import Vault

ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key, unwrapped, and its id: 32 hex digits."""

    id: str
    key: bytes = field(repr=False)


class SubjectKeys:
    """Data keys in the database behind `engine`, wrapped by the key of `vault`."""

    def __init__(self, engine: Engine, vault: Vault, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._engine, self._vault, self._random_bytes = engine, vault, random_bytes

    def of(self, subject: str, *, now: datetime) -> DataKey:
        """Return the key of a subject, generated on first use.

        Raises:
            VaultKeyLostError: another vault key wrapped it.
            VaultKeyRotatedError: this vault does not have the site's present vault key.
            DataKeyLostError: it was altered.
            StoreError: the database failed.
        """
        table = tables.subject_keys
        query = select(table).where(table.c.subject == subject)
        with store_errors(), self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is not None:
            return self._unwrapped(row)
        made = DataKey(self._random_bytes(ID_BYTES).hex(), self._random_bytes(KEY_BYTES))
        with store_errors():
            try:
                self._add(made, subject, now=now)
            except VaultKeyRotatedError:
                # Rotated between the wrapping and the writing; the vault has the new key by now, or this raises again.
                self._add(made, subject, now=now)
            except IntegrityError:
                # Another server generated one concurrently.
                with self._engine.connect() as connection:
                    return self._unwrapped(connection.execute(query).one())
        return made

    def _add(self, made: DataKey, subject: str, *, now: datetime) -> None:
        with writing(self._engine).begin() as connection:
            self._insert(connection, made, subject, now=now)

    def _insert(self, connection: Connection, made: DataKey, subject: str, *, now: datetime) -> None:
        wrapped = self._vault.wrap(made.key, made.id)
        values = {"id": made.id, "subject": subject, "vault_key_id": wrapped.vault_key_id, "wrapped_key": wrapped.wrapped}
        vault_key.hold(connection, wrapped.vault_key_id)
        connection.execute(insert(tables.subject_keys).values(values | {"created_at": now}))

    def within(self, connection: Connection, subject: str, *, now: datetime) -> DataKey:
        """Return the key of a subject as `of` does, inside a transaction of the caller; errors as `of`."""
        table = tables.subject_keys
        query = select(table).where(table.c.subject == subject)
        row = connection.execute(query).one_or_none()
        if row is not None:
            return self._unwrapped(row)
        made = DataKey(self._random_bytes(ID_BYTES).hex(), self._random_bytes(KEY_BYTES))
        try:
            with connection.begin_nested():
                self._insert(connection, made, subject, now=now)
        except IntegrityError:
            # Another server generated one concurrently.
            return self._unwrapped(connection.execute(query).one())
        return made

    def open(self, key_id: str) -> DataKey:
        """Return the key of an id.

        Raises:
            SubjectDeletedError: it was destroyed.
            VaultKeyLostError: another vault key wrapped it.
            DataKeyLostError: the database does not have it, or it was altered.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.connect() as connection:
            return self.known(connection, key_id)

    def unreadable(self) -> int:
        """Return the number of keys wrapped by another vault key.

        Raises:
            StoreError: the database failed.
        """
        table = tables.subject_keys
        foreign = table.c.vault_key_id.not_in(self._vault.ids) & table.c.wrapped_key.is_not(None)
        with store_errors(), self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(table).where(foreign)).scalar_one())

    def known(self, connection: Connection, key_id: str) -> DataKey:
        """Return the key of an id as `open` does, inside a transaction of the caller; errors as `open`."""
        table = tables.subject_keys
        row = connection.execute(select(table).where(table.c.id == key_id)).one_or_none()
        if row is None:
            raise DataKeyLostError(f"the data key {key_id} is not in this database: was an older copy of it put back?")
        return self._unwrapped(row)

    def _unwrapped(self, row: Row[Any]) -> DataKey:
        if row.wrapped_key is None:
            raise SubjectDeletedError("the subject was deleted: nobody can read this any more")
        if row.vault_key_id not in self._vault.ids:
            raise VaultKeyLostError(
                f"the vault key {row.vault_key_id} is needed, this is {self._vault.id}: put the key file back that was there"
            )
        try:
            return DataKey(row.id, self._vault.unwrap(row.wrapped_key, row.id))
        except VaultError:
            raise DataKeyLostError(f"the data key {row.id} was altered in the database: restore it from a backup") from None


def ids_of(connection: Connection, subject: str) -> list[str]:
    """Return the id of a subject's key, if there is one, inside a transaction of the caller."""
    return list(connection.execute(select(tables.subject_keys.c.id).where(tables.subject_keys.c.subject == subject)).scalars())


def destroy(connection: Connection, subject: str) -> bool:
    """Destroy the key of a subject, inside a transaction of the caller, who scrubs the disk afterwards (`engine.scrub`)."""
    table = tables.subject_keys
    statement = (
        update(table)
        .where(table.c.subject == subject)
        .values(subject=None, wrapped_key=None, created_at=start_of_day(table.c.created_at))
    )
    return connection.execute(statement).rowcount == 1
