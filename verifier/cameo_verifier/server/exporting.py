"""Exporting: all that is kept of a person, in one signed archive.

Rows are read in one transaction; sealed data is decrypted piece by piece while the archive is written, evidence with a line in
the audit log before each piece, under the name of the export and not the person's: such a line outlives their deletion.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cameo_credential.consent_receipt import sign_receipt
from cameo_credential.export_archive import write_archive
from cameo_verifier.errors import NotFoundError
from cameo_verifier.server.retention_schedule import as_json
from cameo_verifier.store import subject_rows
from cameo_verifier.store.attempts.spool import Spool
from cameo_verifier.store.cameos.vault import SealedLikeness, VaultError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.evidence.errors import EvidenceError
from cameo_verifier.store.evidence.sealed_object import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Table

    from cameo_verifier.review.evidence_room import EvidenceRoom
    from cameo_verifier.server.issuing import Issuer
    from cameo_verifier.server.retention_schedule import RetentionRule
    from cameo_verifier.store.cameos.consent_records import ConsentRecords, KeptRecord
    from cameo_verifier.store.cameos.vault import Vault

_OWNER = Reader("export", "a person's own copy of their data")
_ENDINGS = {Kind.RECORDING: "recording", Kind.TRACKS: "tracks.npz", Kind.RESULT: "result.json", Kind.CROPS: "crops.jpg"}
_SCORES = ("score", "threshold", "unit", "direction", "detail")
_WHY_NO_SCORES = "scores teach an attacker; the site shows them to analysts only (CAMEO_EXPOSE_SCORES)"
_ABOUT = """All that is kept of {subject} at {issuer}, made at {made}.

tables/ has your rows of each table; evidence/ what is kept of your recordings; likenesses/ your face and voice as vectors;
consents/ your signed consent receipts; retention.json how long what is kept. What is kept and is not here is in manifest.jws,
with the reasons; it is signed by the issuer and has the SHA-256 of every file.
"""


@dataclass(frozen=True, slots=True)
class Exporting:
    """Exports; see the module.

    Attributes:
        engine: the database.
        room: the evidence.
        vault: decrypts likenesses.
        records: the consent records.
        issuer: signs.
        retention: the retention schedule.
        expose_scores: True if the site shows scores.
        clock: returns the time in UTC.
        reader: who the audit log says reads evidence, and why.
    """

    engine: Engine
    room: EvidenceRoom
    vault: Vault
    records: ConsentRecords
    issuer: Issuer
    retention: tuple[RetentionRule, ...]
    expose_scores: bool
    clock: Callable[[], datetime]
    reader: Reader = _OWNER

    def knows(self, subject: str) -> bool:
        """Return whether anything is kept of a person.

        Raises:
            StoreError: the database failed.
        """
        with store_errors(), self.engine.connect() as connection:
            return any(rows for _, rows in subject_rows.of_subject(connection, subject))

    def export(self, subject: str) -> Iterator[bytes]:
        """Yield the bytes of a person's archive; of somebody who is not known, one without rows.

        Raises:
            StoreError: the database failed, or a reading of evidence could not be logged.
            KeyFileError: no key may sign now.
        """
        now, left_out = self.clock(), _left_out()
        with store_errors(), self.engine.connect() as connection:
            rows = dict(subject_rows.of_subject(connection, subject))
            sealed = [
                each for table in (tables.likenesses, tables.waiting_likenesses) for each in _sealed(connection, table, rows)
            ]
            consents = self._consents(connection, subject, left_out)
        yield from write_archive(
            self._entries(subject, rows, sealed, consents, left_out, now),
            subject=subject,
            left_out=left_out,
            issuer=self.issuer.name,
            keys=self.issuer.keys.current(),
            now=now,
        )

    def _entries(
        self,
        subject: str,
        rows: dict[str, list[dict[str, Any]]],
        sealed: list[SealedLikeness],
        consents: list[KeptRecord],
        left_out: dict[str, str],
        now: datetime,
    ) -> Iterator[tuple[str, bytes]]:
        yield "README.txt", _ABOUT.format(subject=subject, issuer=self.issuer.name, made=now.isoformat()).encode()
        yield "retention.json", _json(as_json(self.retention))
        if not self.expose_scores:
            left_out["tables/attempts: scores and details of checks"] = _WHY_NO_SCORES
            for row in rows["attempts"]:
                row["checks"] = [{name: value for name, value in check.items() if name not in _SCORES} for check in row["checks"]]
        for name, found in rows.items():
            yield f"tables/{name}.json", _json(found)
        keys = self.issuer.keys.current()
        for record in consents:
            how: dict[str, Any] = {"issuer": self.issuer.name, "keys": keys, "now": now}
            yield f"consents/{record.id}.jws", sign_receipt(record.document, receipt_id=str(uuid4()), **how).encode()
        for likeness in sealed:
            name = f"likenesses/{likeness.cameo_id}.json"
            try:
                yield name, self.vault.open(likeness)
            except VaultError as error:
                left_out[name] = str(error)
        for piece in rows["evidence"]:
            yield from self._evidence(piece, left_out)
        spool = Spool(self.engine, self.room.keys)
        for row in rows["spooled_recordings"]:
            name = f"evidence/{row['attempt_id']}/waiting_recording"
            try:
                yield name, spool.open(row["attempt_id"])
            except (EvidenceError, NotFoundError) as error:
                left_out[name] = str(error)

    def _evidence(self, piece: dict[str, Any], left_out: dict[str, str]) -> Iterator[tuple[str, bytes]]:
        attempt_id, kind = piece["attempt_id"], Kind(piece["kind"])
        if kind not in _ENDINGS or piece["removed_at"] is not None:
            return
        name = f"evidence/{attempt_id}/{_ENDINGS[kind]}"
        if kind is Kind.RESULT and not self.expose_scores:
            left_out[name] = _WHY_NO_SCORES
            return
        try:
            yield name, self.room.vault.read(attempt_id, kind, reader=self.reader, now=self.clock())
        except EvidenceError as error:
            left_out[name] = str(error)

    def _consents(self, connection: Connection, subject: str, left_out: dict[str, str]) -> list[KeptRecord]:
        try:
            return self.records.of_subject(connection, subject)
        except EvidenceError as error:
            left_out["consents/"] = str(error)
            return []


def _sealed(connection: Connection, table: Table, rows: dict[str, list[dict[str, Any]]]) -> list[SealedLikeness]:
    found = connection.execute(table.select().where(table.c.attempt_id.in_([row["attempt_id"] for row in rows[table.name]])))
    return [SealedLikeness(row.cameo_id, wrapped_key=row.wrapped_key, sealed=row.sealed) for row in found]


def _left_out() -> dict[str, str]:
    """Return what no export has: tables, and columns of tables, with the reasons."""
    whole = {f"tables/{name}": why for name, why in subject_rows.EXCLUDED.items()}
    columns = {
        f"tables/{name}: {column}": why for name, rule in subject_rows.EXPORTED.items() for column, why in rule.left_out.items()
    }
    return whole | columns


def _json(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()
