"""Recordings that are kept until they are judged, sealed as evidence is: a server that takes over an attempt judges it from here.

A row is written in the transaction that spends the challenge and goes in the one that ends the attempt, so that there is one
exactly while an attempt that was spooled is open. It goes too when the subject's data key is destroyed, see `evidence.withdraw`.
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
    """Seals recordings for `AttemptStore.begin`, and opens what it kept."""

    def __init__(self, engine: Engine, keys: SubjectKeys, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._engine, self._keys, self._random_bytes = engine, keys, random_bytes

    def seal(self, attempt_id: str, subject: str, recording: bytes, *, now: datetime) -> bytes:
        """Return a recording under its subject's data key, bound to its attempt.

        Raises:
            VaultKeyLostError, DataKeyLostError: the subject's data key does not open.
            StoreError: the database could not do it.
        """
        key = self._keys.of(subject, now=now)
        return seal(recording, attempt_id=attempt_id, kind=Kind.RECORDING, key=key, random_bytes=self._random_bytes)

    def open(self, attempt_id: str) -> bytes:
        """Return the recording of an open attempt.

        Raises:
            NotFoundError: none is kept.
            EvidenceError: it is damaged, or nothing opens it any more.
            StoreError: the database could not do it.
        """
        table = tables.spooled_recordings
        with store_errors(), self._engine.connect() as connection:
            sealed = connection.execute(select(table.c.sealed).where(table.c.attempt_id == attempt_id)).scalar_one_or_none()
        if sealed is None:
            raise NotFoundError("no recording is kept of this attempt")
        return unseal(sealed, attempt_id=attempt_id, kind=Kind.RECORDING, key=self._keys.open(key_id(sealed)))


def add(connection: Connection, attempt_id: str, sealed: bytes) -> None:
    """Keep a sealed recording, inside a transaction of the caller; its first judging begins."""
    connection.execute(insert(tables.spooled_recordings).values(attempt_id=attempt_id, sealed=sealed, judgings=1))


def drop(connection: Connection, attempt_id: str) -> None:
    """Remove the recording of an attempt, if one is kept, inside a transaction of the caller."""
    table = tables.spooled_recordings
    connection.execute(delete(table).where(table.c.attempt_id == attempt_id))


def drop_of_subject(connection: Connection, subject: str) -> None:
    """Remove all of a person's, inside a transaction of the caller, who scrubs the disk afterwards (`engine.scrub`)."""
    table, attempts = tables.spooled_recordings, tables.attempts
    theirs = select(attempts.c.id).where(attempts.c.subject == subject)
    connection.execute(delete(table).where(table.c.attempt_id.in_(theirs)))
