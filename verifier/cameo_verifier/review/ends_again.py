"""Replay of the deletion log: writes ends to the log, and repeats those that a restored database lacks."""

from __future__ import annotations

import secrets
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from sqlalchemy import select

from cameo_credential import decoys
from cameo_credential.token_status import Status
from cameo_verifier.cameo.model import CameoState
from cameo_verifier.cameo.refusal import RefusedError
from cameo_verifier.store.cameos import cameos
from cameo_verifier.store.cameos.consent_records import rekeyed
from cameo_verifier.store.credentials.issuance import IssuanceStore
from cameo_verifier.store.credentials.statuses import StatusStore
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import scrub, writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence import ends, erasure, evidence
from cameo_verifier.store.evidence.ends import End

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Executable

    from cameo_verifier.review.deletion_log import DeletionLog
    from cameo_verifier.store.cameos.consent_records import ConsentRecords

_WHY = "ended before a backup was restored"
_FINAL = (CameoState.CAMEO_DELETED, CameoState.CAMEO_REVOKED)


def write(engine: Engine, log: DeletionLog) -> int:
    """Write the ends that were noted to the log, and return their number.

    Raises:
        KeyFileError, StoreError: the log or the database failed; what is noted stays so.
    """
    with store_errors(), engine.connect() as connection:
        if not ends.noted(connection):
            return 0
    with log.locked(), store_errors(), writing(engine).begin() as connection:
        noted = ends.noted(connection)
        number = log.append(noted, after=ends.logged(connection))
        ends.take(connection, noted, number=number)
    return len(noted)


def missing_lines(engine: Engine, log: DeletionLog) -> int:
    """Return how many numbers the database is ahead of the log: above 0 if lines at its end are lost.

    Raises:
        StoreError: the log or the database failed.
    """
    lines = log.lines()
    with store_errors(), engine.connect() as connection:
        return ends.logged(connection) - (lines[-1].number if lines else 0)


def do_again(
    engine: Engine, log: DeletionLog, *, now: datetime, records: ConsentRecords | None = None, capacity: int = 2**20
) -> int | None:
    """Repeat the ends that a restored database lacks, before anybody is served.

    The consent records of whose data keys are destroyed are kept as at the first time, where `records` is given. A status list of
    `capacity` is started: what was allotted of the earlier ones after the copy is not known.

    Returns:
        how much that was; None where the database is as new as the log.

    Raises:
        KeyFileError, StoreError: the log or the database failed; it can be repeated.
    """
    with log.locked():
        with store_errors(), engine.connect() as connection:
            logged = ends.logged(connection)
        newer = [line for line in log.lines() if line.number > logged]
        if not newer:
            return None
        wanted = {line.of for line in newer}
        done = 0
        for kind, again in _AGAIN.items():
            for of_id in _ids(engine, kind):
                if log.digest(kind, of_id) in wanted:
                    again(engine, of_id, now, records)
                    done += 1
        StatusStore(engine).leave(
            capacity=capacity, new_key=lambda: secrets.token_bytes(decoys.KEY_BYTES), below=secrets.randbelow, now=now
        )
        scrub(engine)
        with store_errors(), writing(engine).begin() as connection:
            noted = [(kind, of_id) for kind, of_id in ends.noted(connection) if log.digest(kind, of_id) in wanted]
            ends.take(connection, noted, number=newer[-1].number)
        return done


def _ids(engine: Engine, kind: End) -> list[str]:
    """Return the ids of what has not ended in this way yet."""
    all_cameos, likenesses, waiting = tables.cameos, tables.likenesses, tables.waiting_likenesses
    entries, keys = tables.status_entries, tables.subject_keys
    queries: dict[End, Executable] = {
        End.CAMEO_DELETED: select(all_cameos.c.id)
        .where(all_cameos.c.state != CameoState.CAMEO_DELETED.value)
        .union(select(likenesses.c.cameo_id), select(waiting.c.cameo_id)),
        End.CAMEO_REVOKED: select(all_cameos.c.id).where(all_cameos.c.state.not_in([state.value for state in _FINAL])),
        End.CREDENTIAL: select(entries.c.jti).where(entries.c.status != Status.INVALID.value),
        End.DATA_KEY: select(keys.c.id).where(keys.c.wrapped_key.is_not(None)),
    }
    with store_errors(), engine.connect() as connection:
        return list(connection.execute(queries[kind]).scalars())


def _delete(engine: Engine, cameo_id: str, now: datetime, records: ConsentRecords | None) -> None:
    with store_errors(), writing(engine).begin() as connection:
        try:
            cameos.delete(connection, cameo_id, subject=None, now=now, records=records)
        except RefusedError:  # it was created after the copy: its likeness waits
            if subject := _subject_of_likeness(connection, cameo_id):
                erasure.erase(connection, cameo_id, subject)


def _subject_of_likeness(connection: Connection, cameo_id: str) -> str | None:
    attempts = tables.attempts
    for table in (tables.likenesses, tables.waiting_likenesses):
        query = select(attempts.c.subject).join(table, table.c.attempt_id == attempts.c.id).where(table.c.cameo_id == cameo_id)
        if (subject := connection.execute(query).scalar_one_or_none()) is not None:
            return str(subject)
    return None


def _revoke(engine: Engine, cameo_id: str, now: datetime, _: ConsentRecords | None) -> None:
    with store_errors(), writing(engine).begin() as connection, suppress(RefusedError):
        cameos.revoke(connection, cameo_id, subject=None, reason=_WHY, now=now)


def _credential(engine: Engine, jti: str, now: datetime, _: ConsentRecords | None) -> None:
    try:
        IssuanceStore(engine).revoke(jti, subject=None, reason=_WHY, request_id="", now=now)
    except RefusedError:
        StatusStore(engine).change(jti, Status.INVALID)


def _key(engine: Engine, key_id: str, now: datetime, records: ConsentRecords | None) -> None:
    keys = tables.subject_keys
    with store_errors(), writing(engine).begin() as connection:
        subject = connection.execute(select(keys.c.subject).where(keys.c.id == key_id)).scalar_one()
        with nullcontext() if records is None else rekeyed(connection, records.keys, subject, now=now):
            evidence.withdraw(connection, subject)


_AGAIN = {End.CAMEO_DELETED: _delete, End.CAMEO_REVOKED: _revoke, End.CREDENTIAL: _credential, End.DATA_KEY: _key}
