"""The spool: recordings stored until they are judged, encrypted as evidence is, for a server that takes over an attempt.

A row is written in the transaction that spends the challenge and deleted in the one that ends the attempt, so that there is one
exactly while a spooled attempt is open. It is also deleted when the subject's data key is destroyed, see `evidence.withdraw`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.sealed_object import Kind, key_id, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from cameo_verifier.store.evidence.subject_keys import SubjectKeys


class Spool:
    """Encrypts recordings for `AttemptStore.begin`, and decrypts stored ones."""

    def __init__(self, engine: Engine, keys: SubjectKeys, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._engine, self._keys, self._random_bytes = engine, keys, random_bytes

    def seal(self, attempt_id: str, subject: str, recording: bytes, *, now: datetime) -> bytes:
        """Return a recording encrypted with its subject's data key, bound to its attempt.

        Raises:
            VaultKeyLostError, DataKeyLostError: the subject's data key does not open.
            StoreError: the database failed.
        """
        key = self._keys.of(subject, now=now)
        return seal(recording, attempt_id=attempt_id, kind=Kind.RECORDING, key=key, random_bytes=self._random_bytes)

    def open(self, attempt_id: str) -> bytes:
        """Return the recording of an open attempt.

        Raises:
            NotFoundError: none is stored.
            EvidenceError: it is damaged, or its key is gone.
            StoreError: the database failed.
        """
        table = tables.spooled_recordings
        with store_errors(), self._engine.connect() as connection:
            sealed = connection.execute(select(table.c.sealed).where(table.c.attempt_id == attempt_id)).scalar_one_or_none()
        if sealed is None:
            raise NotFoundError("no recording is kept of this attempt")
        return unseal(sealed, attempt_id=attempt_id, kind=Kind.RECORDING, key=self._keys.open(key_id(sealed)))


def add(connection: Connection, attempt_id: str, sealed: bytes) -> None:
    """Store an encrypted recording, inside a transaction of the caller; its first judgement begins."""
    connection.execute(insert(tables.spooled_recordings).values(attempt_id=attempt_id, sealed=sealed, judgings=1))


def drop(connection: Connection, attempt_id: str) -> None:
    """Delete the recording of an attempt, if one is stored, inside a transaction of the caller."""
    table = tables.spooled_recordings
    connection.execute(delete(table).where(table.c.attempt_id == attempt_id))


def drop_of_subject(connection: Connection, subject: str) -> None:
    """Delete all recordings of a person, inside a transaction of the caller, who scrubs the disk afterwards (`engine.scrub`)."""
    table, attempts = tables.spooled_recordings, tables.attempts
    theirs = select(attempts.c.id).where(attempts.c.subject == subject)
    connection.execute(delete(table).where(table.c.attempt_id.in_(theirs)))
