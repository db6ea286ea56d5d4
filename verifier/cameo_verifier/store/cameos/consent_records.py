"""Consent records, each encrypted with its subject's data key, written in the transaction of the event that it is of.

A record is signed when it is given out (`cameo_credential.consent_receipt`): a signing key may be far away, and no transaction
waits for it; and a receipt is then of a key that is in use, however old the record is.

Deleting a cameo deletes its records, except one of the withdrawal. It destroys the subject's data key too, so the records of the
subject's other cameos are encrypted again with a new one, in the same transaction: see `rekeyed`.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, insert, select, update

from cameo_credential.encoding import from_json, to_json
from cameo_verifier.cameo.consent_record import RecordKind, compose
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.errors import AlteredEvidenceError, EvidenceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from cameo_verifier.cameo.consent_record import Policy
    from cameo_verifier.cameo.model import Cameo, Terms
    from cameo_verifier.store.evidence.subject_keys import DataKey, SubjectKeys

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_NONCE_BYTES = 12
_BOUND = b"cameo consent record\0"
_TABLE = tables.consent_records


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A consent record, decrypted."""

    id: str
    cameo_id: str
    kind: RecordKind
    created_at: datetime
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConsentRecords:
    """Writes and reads consent records.

    keys: the subjects' data keys. policy: the site's side of every record.
    """

    keys: SubjectKeys
    policy: Policy

    def note(
        self,
        connection: Connection,
        kind: RecordKind,
        cameo: Cameo,
        *,
        now: datetime,
        terms: Terms | None = None,
        guardians: frozenset[str] = frozenset(),
    ) -> None:
        """Add the record of an event, inside its transaction; `terms` are those of the cameo unless they are given.

        Raises:
            EvidenceError: the subject's data key is not available. A withdrawal goes on without its record, and the log says so.
        """
        record_id = str(uuid4())
        try:
            key = self.keys.within(connection, cameo.subject, now=now)
        except EvidenceError as error:
            if kind is not RecordKind.CONSENT_WITHDRAWN:
                raise
            _report("the record of a withdrawn consent could not be kept", error, cameo_id=cameo.id)
            return
        document = compose(self.policy, record_id, kind, cameo, terms or cameo.terms, guardians=guardians, now=now)
        values = {
            "id": record_id,
            "subject": cameo.subject,
            "cameo_id": cameo.id,
            "kind": kind.value,
            "created_at": now,
            "key_id": key.id,
            "sealed": _seal(key, record_id, to_json(document)),
        }
        connection.execute(insert(_TABLE).values(values))

    def of_subject(
        self,
        connection: Connection,
        subject: str,
        *,
        after: tuple[datetime, str] | None = None,
        limit: int | None = None,
        minors_only: bool = False,
    ) -> list[KeptRecord]:
        """Return a subject's records, oldest first, starting after (creation, id).

        Raises:
            EvidenceError: the subject's data key is not available, or a record was altered.
        """
        table, cameos = _TABLE, tables.cameos
        query = select(table).where(table.c.subject == subject).order_by(table.c.created_at, table.c.id).limit(limit)
        if minors_only:
            query = query.where(table.c.cameo_id.in_(select(cameos.c.id).where(cameos.c.minor_safeguards)))
        if after is not None:
            moment, identifier = after
            query = query.where((table.c.created_at > moment) | ((table.c.created_at == moment) & (table.c.id > identifier)))
        rows = connection.execute(query).all()
        keys = {key_id: self.keys.known(connection, key_id) for key_id in {row.key_id for row in rows}}
        return [
            KeptRecord(row.id, row.cameo_id, RecordKind(row.kind), row.created_at, from_json(_open(keys[row.key_id], row)))
            for row in rows
        ]


@contextmanager
def rekeyed(
    connection: Connection, keys: SubjectKeys, subject: str, *, now: datetime, dropping: str | None = None
) -> Iterator[None]:
    """Keep a subject's records readable while the body destroys their data key; those of the cameo `dropping` are deleted.

    A record that no key opens is lost with the key, and deleted.
    """
    table = _TABLE
    if dropping is not None:
        connection.execute(delete(table).where(table.c.cameo_id == dropping, table.c.subject == subject))
    opened: dict[str, bytes] = {}
    for row in connection.execute(select(table).where(table.c.subject == subject).order_by(table.c.id).with_for_update()).all():
        try:
            opened[row.id] = _open(keys.known(connection, row.key_id), row)
        except EvidenceError as error:
            _report("a consent record cannot be read, and is deleted", error, record_id=row.id)
            connection.execute(delete(table).where(table.c.id == row.id))
    yield
    if opened:
        key = keys.within(connection, subject, now=now)
        for identifier, document in opened.items():
            values = {"key_id": key.id, "sealed": _seal(key, identifier, document)}
            connection.execute(update(table).where(table.c.id == identifier).values(values))


def drop_withdrawn(engine: Engine, *, before: datetime) -> int:
    """Delete the records of cameos whose consent was withdrawn before a time, and return their number.

    Raises:
        StoreError: the database failed.
    """
    table = _TABLE
    ended = select(table.c.cameo_id).where(table.c.kind == RecordKind.CONSENT_WITHDRAWN.value, table.c.created_at < before)
    with store_errors(), writing(engine).begin() as connection:
        return connection.execute(delete(table).where(table.c.cameo_id.in_(ended))).rowcount


def _report(what: str, error: EvidenceError, **ids: str) -> None:
    log.error(what, error=str(error), **ids)


def _seal(key: DataKey, identifier: str, document: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key.key).encrypt(nonce, document, _BOUND + identifier.encode())


def _open(key: DataKey, row: Any) -> bytes:  # noqa: ANN401 - a row of the table
    try:
        return AESGCM(key.key).decrypt(row.sealed[:_NONCE_BYTES], row.sealed[_NONCE_BYTES:], _BOUND + row.id.encode())
    except (InvalidTag, ValueError):
        raise AlteredEvidenceError(f"the consent record {row.id} was altered in the database") from None
