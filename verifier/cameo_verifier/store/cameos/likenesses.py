"""Encrypted likenesses of accepted attempts; `cameo_verifier.store.cameos.vault` decrypts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.cameos import vault_key
from cameo_verifier.store.cameos.vault import SealedLikeness
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import scrub, writing
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

_AT_ONCE = 500


class LikenessStore:
    """Likenesses in the database behind `engine`; `AttemptStore.finish` adds them, deletion of a cameo destroys its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, cameo_id: str) -> SealedLikeness:
        """Return the encrypted likeness of a cameo.

        Raises:
            NotFoundError: none is stored.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.connect() as connection:
            return of(connection, cameo_id)

    def scrub(self) -> bool:
        """Scrub deleted likenesses from the disk, see `engine.scrub`."""
        return scrub(self._engine)

    def drop_unclaimed(self, *, before: datetime) -> int:
        """Destroy a batch of likenesses, of attempts before a time that never became a cameo, and return their number.

        Raises:
            StoreError: the database failed.
        """
        table, cameos = tables.likenesses, tables.cameos
        claimed = select(cameos.c.id).where(cameos.c.id == table.c.cameo_id).exists()
        unclaimed = (table.c.created_at < before) & ~claimed
        with store_errors(), writing(self._engine).begin() as connection:
            # Locked, then checked again: a cameo may be created of one concurrently.
            held = connection.execute(select(table.c.cameo_id).where(unclaimed).limit(_AT_ONCE).with_for_update()).scalars().all()
            return connection.execute(delete(table).where(table.c.cameo_id.in_(held), ~claimed)).rowcount


def add(connection: Connection, attempt_id: str, likeness: SealedLikeness, *, now: datetime) -> None:
    """Store the likeness of an attempt, inside a transaction of the caller.

    Raises:
        VaultKeyRotatedError: another vault key than the site's wrapped it; encrypt it again.
    """
    vault_key.hold(connection, likeness.vault_key_id)
    connection.execute(
        insert(tables.likenesses).values(
            cameo_id=likeness.cameo_id,
            attempt_id=attempt_id,
            wrapped_key=likeness.wrapped_key,
            sealed=likeness.sealed,
            created_at=now,
        )
    )


def wait(connection: Connection, attempt_id: str, likeness: SealedLikeness, *, now: datetime) -> None:
    """Store the likeness of an attempt in manual review, inside a transaction of the caller; errors as `add`."""
    vault_key.hold(connection, likeness.vault_key_id)
    connection.execute(
        insert(tables.waiting_likenesses).values(
            attempt_id=attempt_id,
            cameo_id=likeness.cameo_id,
            wrapped_key=likeness.wrapped_key,
            sealed=likeness.sealed,
            created_at=now,
        )
    )


def waiting(connection: Connection, attempt_id: str) -> SealedLikeness | None:
    """Return the likeness of an attempt in manual review, None if none is stored.

    Its row is locked until the caller's transaction ends, so that a key rotation does not miss a likeness that is moved.
    """
    table = tables.waiting_likenesses
    row = connection.execute(select(table).where(table.c.attempt_id == attempt_id).with_for_update()).one_or_none()
    return None if row is None else SealedLikeness(row.cameo_id, wrapped_key=row.wrapped_key, sealed=row.sealed)


def stop_waiting(connection: Connection, attempt_id: str) -> None:
    """Destroy an attempt's likeness in manual review, if any, in the caller's transaction, who scrubs the disk afterwards."""
    table = tables.waiting_likenesses
    connection.execute(delete(table).where(table.c.attempt_id == attempt_id))


def stop_waiting_of_subject(connection: Connection, subject: str) -> None:
    """Destroy a person's likenesses in manual review, inside a transaction of the caller, who scrubs the disk afterwards."""
    table, attempts = tables.waiting_likenesses, tables.attempts
    theirs = select(attempts.c.id).where(attempts.c.subject == subject)
    connection.execute(delete(table).where(table.c.attempt_id.in_(theirs)))


def of(connection: Connection, cameo_id: str) -> SealedLikeness:
    """Return the encrypted likeness of a cameo, inside a transaction of the caller; errors as `LikenessStore.of`."""
    table = tables.likenesses
    row = connection.execute(select(table).where(table.c.cameo_id == cameo_id)).one_or_none()
    if row is None:
        raise NotFoundError("no likeness is kept for this cameo")
    return SealedLikeness(row.cameo_id, wrapped_key=row.wrapped_key, sealed=row.sealed)


def cameo_of(connection: Connection, attempt_id: str) -> str:
    """Return the id of the cameo an attempt can become; empty if no likeness is stored.

    Its row is locked until the caller's transaction ends.
    """
    table = tables.likenesses
    query = select(table.c.cameo_id).where(table.c.attempt_id == attempt_id).with_for_update(read=True)
    return connection.execute(query).scalar_one_or_none() or ""


def destroy(connection: Connection, cameo_id: str) -> None:
    """Destroy a cameo's likeness and its data key, inside a transaction of the caller."""
    connection.execute(delete(tables.likenesses).where(tables.likenesses.c.cameo_id == cameo_id))
