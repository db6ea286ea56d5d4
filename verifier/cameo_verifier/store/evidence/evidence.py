"""The evidence vault: recording, tracks and result of an attempt, each encrypted with its subject's data key.

The objects are in a folder or an object store; the database lists them. An object is written before its row and removed after it
is no longer needed, so that a row without an object means damage, and an object without a row is an orphan that `retention`
removes. Nothing is read without a line in the audit log, which is on the disk before the evidence is returned.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from cameo_verifier.store.attempts import spool
from cameo_verifier.store.cameos import likenesses
from cameo_verifier.store.cameos.consent_records import rekeyed
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import scrub, writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence import ends, subject_keys
from cameo_verifier.store.evidence.audit import Entry
from cameo_verifier.store.evidence.ends import End
from cameo_verifier.store.evidence.errors import EvidenceError, EvidenceMissingError, EvidenceRemovedError, SubjectDeletedError
from cameo_verifier.store.evidence.sealed_object import Kind, key_id, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from cameo_verifier.store.evidence.audit import AuditLog, Reader
    from cameo_verifier.store.evidence.objects import Objects
    from cameo_verifier.store.evidence.subject_keys import SubjectKeys

_ATTEMPT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """A piece of evidence that is stored, or was until `removed_at`.

    sha256: of the encrypted object, or of the receipt; empty if its subject's key was destroyed, when `removed_at` is
    `kept_at`.
    """

    attempt_id: str
    kind: Kind
    size_bytes: int
    sha256: str
    kept_at: datetime
    removed_at: datetime | None


class EvidenceVault:
    """Stores, reads and removes evidence."""

    def __init__(
        self,
        engine: Engine,
        objects: Objects,
        keys: SubjectKeys,
        audit: AuditLog,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._engine, self._objects, self._keys, self._audit = engine, objects, keys, audit
        self._random_bytes = random_bytes

    def keep(self, attempt_id: str, subject: str, pieces: Mapping[Kind, bytes], *, now: datetime) -> None:
        """Encrypt and store evidence of an attempt, all of it or nothing.

        Raises:
            StorageFullError: there is no space.
            StorageError: the objects cannot be written.
            VaultKeyLostError, DataKeyLostError: the subject's data key does not open.
            StoreError: the database failed.
        """
        key = self._keys.of(subject, now=now)
        rows, written = [], []
        try:
            for kind, data in pieces.items():
                sealed = seal(data, attempt_id=attempt_id, kind=kind, key=key, random_bytes=self._random_bytes)
                written.append(name := object_name(attempt_id, kind))
                self._objects.put(name, sealed)
                rows.append(_row(attempt_id, kind, len(sealed), hashlib.sha256(sealed).hexdigest(), now))
            self._note(rows)
        except BaseException:
            for name in written:
                with contextlib.suppress(EvidenceError):
                    self._objects.delete(name)
            raise

    def keep_digest(self, attempt_id: str, receipt: str, *, now: datetime) -> None:
        """Store the digest of a receipt, by which a token can be identified as the attempt's.

        Raises:
            StoreError: the database failed.
        """
        self._note([_row(attempt_id, Kind.RECEIPT, 0, hashlib.sha256(receipt.encode()).hexdigest(), now)])

    def held(self, attempt_id: str) -> tuple[StoredEvidence, ...]:
        """Return the stored and removed evidence of an attempt.

        Raises:
            StoreError: the database failed.
        """
        table = tables.evidence
        query = select(table).where(table.c.attempt_id == attempt_id).order_by(table.c.kind)
        with store_errors(), self._engine.connect() as connection:
            return tuple(
                StoredEvidence(row.attempt_id, Kind(row.kind), row.size_bytes, row.sha256, row.kept_at, row.removed_at)
                for row in connection.execute(query)
            )

    def read(self, attempt_id: str, kind: Kind, *, reader: Reader, now: datetime) -> bytes:
        """Return a piece of evidence, after it is in the audit log.

        Raises:
            EvidenceMissingError, EvidenceRemovedError: it is not stored.
            TruncatedEvidenceError, AlteredEvidenceError: it is damaged.
            SubjectDeletedError, DataKeyLostError, VaultKeyLostError: its key is not available.
            StorageError: the objects cannot be read.
            StoreError: the database failed, or the access could not be logged.
        """
        ((_, found),) = self.read_each([attempt_id], kind, reader=reader, now=now)
        if isinstance(found, EvidenceError):
            raise found
        return found

    def read_each(
        self, attempt_ids: Sequence[str], kind: Kind, *, reader: Reader, now: datetime
    ) -> Iterator[tuple[str, bytes | EvidenceError]]:
        """Yield the same piece of many attempts, or its error; each has a line in the log before the first is read.

        Raises:
            StoreError: the database failed, or the access could not be logged.
        """
        for start in range(0, len(attempt_ids), _AT_ONCE):
            some = attempt_ids[start : start + _AT_ONCE]
            self._audit.append([Entry("read", attempt_id, kind.value) for attempt_id in some], reader=reader, now=now)
            for attempt_id in some:
                try:
                    yield attempt_id, self._read(attempt_id, kind)
                except EvidenceError as error:
                    yield attempt_id, error

    def remove(self, attempt_id: str, kinds: Sequence[Kind], *, reader: Reader, now: datetime) -> None:
        """Remove pieces of evidence; missing ones are ignored.

        Raises:
            StorageError: an object cannot be removed; it can be retried.
            StoreError: the database failed.
        """
        table = tables.evidence
        for kind in kinds:
            self._objects.delete(object_name(attempt_id, kind))
            which = (table.c.attempt_id == attempt_id) & (table.c.kind == kind.value) & table.c.removed_at.is_(None)
            with store_errors(), self._engine.begin() as connection:
                connection.execute(update(table).where(which).values(removed_at=now))
        self._audit.append([Entry("remove", attempt_id, kind.value) for kind in kinds], reader=reader, now=now)

    def forget(self, subject: str, *, reader: Reader, now: datetime) -> int:
        """Destroy a subject's data key, which makes every copy of its evidence unreadable, and remove the objects.

        Returns:
            the number of attempts that had evidence.

        Raises:
            StorageError: the key is destroyed, but an object cannot be removed.
            StoreError: the database failed.
        """
        with (
            store_errors(),
            writing(self._engine).begin() as connection,
            rekeyed(connection, self._keys, subject, now=now),
        ):
            ends.note(connection, End.DATA_KEY, *subject_keys.ids_of(connection, subject))
            found = withdraw(connection, subject)
        scrub(self._engine)
        self._audit.append([Entry("forget", "", "data key")], reader=reader, now=now)
        for attempt_id, kind in found:
            self.remove(attempt_id, [kind], reader=reader, now=now)
        return len({attempt_id for attempt_id, _ in found})

    def _read(self, attempt_id: str, kind: Kind) -> bytes:
        table = tables.evidence
        query = select(table.c.removed_at, table.c.sha256).where(table.c.attempt_id == attempt_id, table.c.kind == kind.value)
        with store_errors(), self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise EvidenceMissingError(f"no {kind} was kept of attempt {attempt_id}")
        if row.removed_at is not None and not row.sha256:
            raise SubjectDeletedError(f"{kind} of attempt {attempt_id}: the subject was deleted")
        if row.removed_at is not None:
            raise EvidenceRemovedError(f"the {kind} of attempt {attempt_id} was removed on {row.removed_at:%Y-%m-%d}")
        try:
            sealed = self._objects.get(object_name(attempt_id, kind))
            return unseal(sealed, attempt_id=attempt_id, kind=kind, key=self._keys.open(key_id(sealed)))
        except EvidenceError as error:
            raise type(error)(f"{kind} of attempt {attempt_id}: {error}") from None

    def _note(self, rows: Sequence[dict[str, object]]) -> None:
        with store_errors(), self._engine.begin() as connection:
            connection.execute(insert(tables.evidence), rows)


def withdraw(connection: Connection, subject: str) -> list[tuple[str, Kind]]:
    """Destroy a subject's data key and mark all their evidence removed, inside a transaction of the caller, who scrubs the disk.

    Their spooled recordings are deleted too, and the likenesses of their attempts in manual review. Evidence counts as removed
    when it was stored: the time of the deletion would lead to the person's account. The objects are unreadable from then on;
    `retention` removes those that the caller does not.

    Returns:
        the objects, by attempt and kind.
    """
    subject_keys.destroy(connection, subject)
    spool.drop_of_subject(connection, subject)
    likenesses.stop_waiting_of_subject(connection, subject)
    evidence, attempts = tables.evidence, tables.attempts
    theirs = evidence.c.attempt_id.in_(select(attempts.c.id).where(attempts.c.subject == subject))
    which = theirs & evidence.c.removed_at.is_(None) & (evidence.c.kind != Kind.RECEIPT.value)
    statement = (
        update(evidence)
        .where(which)
        .values(removed_at=evidence.c.kept_at, sha256="")
        .returning(evidence.c.attempt_id, evidence.c.kind)
    )
    return [(row.attempt_id, Kind(row.kind)) for row in connection.execute(statement)]


def object_name(attempt_id: str, kind: Kind) -> str:
    """Return the object name of a piece of evidence; a malformed attempt id raises `RuntimeError`."""
    if not _ATTEMPT_ID.fullmatch(attempt_id):
        raise RuntimeError("an attempt's id is not one of ours")
    return f"{attempt_id[:2]}/{attempt_id}/{kind.value}"


def is_object_name(name: str) -> bool:
    """Return whether this may be the name of a piece of evidence; other objects in the same place are not ours to delete."""
    parts = name.split("/")
    return (
        len(parts) == 3
        and parts[2] in set(Kind)
        and _ATTEMPT_ID.fullmatch(parts[1]) is not None
        and object_name(parts[1], Kind(parts[2])) == name
    )


def live_names(connection: Connection, names: Sequence[str]) -> set[str]:
    """Return those of some object names that have a row, inside a transaction of the caller."""
    table = tables.evidence
    wanted = {name.split("/")[1] for name in names}
    query = select(table.c.attempt_id, table.c.kind).where(table.c.attempt_id.in_(sorted(wanted)), table.c.removed_at.is_(None))
    return {object_name(row.attempt_id, Kind(row.kind)) for row in connection.execute(query)}


def _row(attempt_id: str, kind: Kind, size_bytes: int, sha256: str, now: datetime) -> dict[str, object]:
    return {"attempt_id": attempt_id, "kind": kind.value, "size_bytes": size_bytes, "sha256": sha256, "kept_at": now}
