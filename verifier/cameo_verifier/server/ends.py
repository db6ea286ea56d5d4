"""Deletion log of a running server: repeats what a restored database lacks before it serves, then logs each deletion."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from cameo_credential.errors import KeyFileError
from cameo_credential.key_files import open_secret
from cameo_verifier.errors import StoreError
from cameo_verifier.review import ends_again
from cameo_verifier.review.deletion_log import DeletionLog
from cameo_verifier.store.evidence import audit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from sqlalchemy import Engine

    from cameo_verifier.settings import Settings
    from cameo_verifier.store.cameos.consent_records import ConsentRecords

log = structlog.get_logger(__name__)

_WRITE_S = 1.0


@asynccontextmanager
async def logged(engine: Engine, settings: Settings, *, records: ConsentRecords, now: datetime) -> AsyncIterator[None]:
    """Repeat the deletions that a restored database lacks; then append new ones to the log, every second and at the end.

    Raises:
        KeyFileError: the audit key is malformed, or a folder cannot be written.
        StoreError: the log or the database failed, or a line of the log was altered: no server may serve what was deleted.
    """
    kept = await asyncio.to_thread(_catch_up, engine, settings, records, now)
    writing = asyncio.create_task(_write(engine, kept))
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.to_thread(_write_now, engine, kept)


def _catch_up(engine: Engine, settings: Settings, records: ConsentRecords, now: datetime) -> DeletionLog:
    key = open_secret(settings.audit_key, audit.KEY_BYTES, audit.AuditKey, kind="audit key")
    kept = DeletionLog(settings.deletion_log_file, key.secret)
    kept.make()
    if (missing := ends_again.missing_lines(engine, kept)) > 0:
        log.error("lines at the end of the deletion log are lost: put the newest copy back", file=str(kept.path), missing=missing)
        return kept
    done = ends_again.do_again(engine, kept, now=now, records=records, capacity=settings.status_capacity)
    if done is not None:
        log.warning(
            "the database is older than the deletion log: what ended since was done again, a status list begun", done=done
        )
    return kept


async def _write(engine: Engine, kept: DeletionLog) -> None:
    while True:
        await asyncio.to_thread(_write_now, engine, kept)
        await asyncio.sleep(_WRITE_S)


def _write_now(engine: Engine, kept: DeletionLog) -> None:
    try:
        ends_again.write(engine, kept)
    except (KeyFileError, StoreError) as error:
        log.warning("what ended could not be written to the deletion log; it is tried again", error=str(error))
