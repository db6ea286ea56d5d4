"""The database engine: SQLite in a file by default, any database with a SQLAlchemy driver by URL.

The schema is migrated on opening, under a lock, so that servers which start concurrently migrate once.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import suppress
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from cameo_credential import owner_only
from cameo_verifier.errors import StoreError
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

# To standard error, also of a command that configures no log: its standard output may be read by a program.
log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 10.0
"""Maximum wait for another's lock before the database counts as busy."""

_MIGRATION_LOCK = 0x63616D656F  # "cameo": the key of PostgreSQL's advisory lock
_BEGIN = "cameo_begin"
_MARKS = 2**31
"""SQLite's `user_version` has 31 bits."""
_CONNECTIONS = 32
"""Connections that a process may have at once: as many as asyncio has threads, so that none waits for another's."""
_KEPT_OPEN = 8


def open_database(url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    """Open the database at a SQLAlchemy URL, create it if there is none, and migrate its schema.

    Close it with `Engine.dispose`; do not use an engine across a fork.

    Raises:
        StoreError: the URL is malformed, its driver is missing, the database cannot be used, or a newer version made it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("the database URL is malformed; an example is sqlite:////var/lib/cameo/cameo.sqlite3") from None
    try:
        with store_errors():
            engine = _sqlite(parsed, busy_timeout_s) if parsed.get_backend_name() == "sqlite" else _server(parsed, busy_timeout_s)
            try:
                _migrate(engine)
            except BaseException:
                engine.dispose()
                raise
    except ModuleNotFoundError as error:
        raise StoreError(f"the driver for {parsed.drivername} is not installed: {error.name}") from None
    return engine


def writing(engine: Engine) -> Engine:
    """Return the engine for transactions that read, decide and then write: SQLite serializes them from the start.

    PostgreSQL locks the rows that are read for this, see `with_for_update` in the repositories.
    """
    return engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})


def scrub(engine: Engine) -> bool:
    """Truncate SQLite's write-ahead log, which still has pages from before a deletion; return whether that is done.

    False: another connection is reading; try again later. Other databases have their own ways (PostgreSQL: VACUUM).

    Raises:
        StoreError: the database failed.
    """
    answer = _alone(engine, "PRAGMA wal_checkpoint(TRUNCATE)")
    return answer is not None and not (answer and answer[0])


def rewrite(engine: Engine, mark: int) -> bool:
    """Remove what was deleted or overwritten up to an event, the `mark`, from the database's pages; return whether that is done.

    False: another connection is active; try again later.

    SQLite's file is rewritten and its log truncated: when a full page is rearranged, a copy of a row can stay in its unused part,
    which overwriting does not reach. Writers wait meanwhile. PostgreSQL keeps a deleted row, and the old version of a changed
    one, until `VACUUM` removes it from its page: that is done here, and blocks nobody. Its log is the operator's responsibility.

    Raises:
        StoreError: the database failed.
    """
    if engine.dialect.name == "postgresql":
        with store_errors(), engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM"))
        return True
    if _alone(engine, "VACUUM") is None or not scrub(engine):
        return False
    return _alone(engine, f"PRAGMA user_version = {mark % _MARKS}") is not None


def is_rewritten(engine: Engine, mark: int) -> bool:
    """Return whether the file was rewritten at that event, by this server or another; only SQLite records it.

    Raises:
        StoreError: the database failed.
    """
    return _alone(engine, "PRAGMA user_version") == (mark % _MARKS,)


def _alone(engine: Engine, statement: str) -> tuple[Any, ...] | None:
    """Run an SQLite statement that cannot be part of a transaction.

    Returns:
        its first row, empty if it has none or the database is another; None if another connection is active.
    """
    if engine.dialect.name != "sqlite":
        return ()
    with store_errors():
        connection = engine.raw_connection()
        try:
            return tuple(connection.cursor().execute(statement).fetchone() or ())
        except sqlite3.OperationalError:
            return None
        finally:
            connection.close()


def _server(url: URL, busy_timeout_s: float) -> Engine:
    # Set here, whatever the server's default: the repositories lock the rows they decide by, and read them as of then.
    engine = create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_size=_KEPT_OPEN,
        max_overflow=_CONNECTIONS - _KEPT_OPEN,
    )

    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = {round(busy_timeout_s * 1000)}")
        cursor.close()
        connection.commit()

    if url.get_backend_name() == "postgresql":
        event.listen(engine, "connect", prepare)
    return engine


def _sqlite(url: URL, busy_timeout_s: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("each connection would see a database in memory of its own: name a file, as in sqlite:///cameo.sqlite3")
    file = Path(url.database)
    try:
        owner_only.make_folder(file.parent)
        _close_to_others(file)
        # SQLite gives its log and shared-memory file the mode that the database has when they are made.
        if (made := owner_only.make_file(file)) is not None:
            os.close(made)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder of the database, {file.parent}, or {file.name} in it: {error.strerror}"
        ) from None
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": busy_timeout_s},
        pool_size=_KEPT_OPEN,
        max_overflow=_CONNECTIONS - _KEPT_OPEN,
    )

    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        assert isinstance(connection, sqlite3.Connection)  # noqa: S101 - the driver of this dialect, for the type checker
        # Transactions begin in `begin` below, not where the driver guesses; otherwise DDL would not be transactional.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        # With the default of WAL, NORMAL, a power cut could undo a spent challenge.
        connection.execute("PRAGMA synchronous = FULL")
        # Pages, of 4 kB, before a checkpoint: pages changed by many transactions are written back once.
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA foreign_keys = ON")
        # Deleted data is overwritten, not only unlinked.
        connection.execute("PRAGMA secure_delete = ON")

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def _close_to_others(file: Path) -> None:
    """Close an existing database to others, with its log and shared-memory file, and log that it was open to them.

    Refusing it would stop a site whose copy was put back under another umask; what others read before, they have either way.
    """
    opened = []
    for path in (file, *(file.with_name(f"{file.name}{beside}") for beside in ("-wal", "-shm"))):
        with suppress(FileNotFoundError):
            if owner_only.close_to_others(path):
                opened.append(path.name)
    if opened:
        log.warning("others could access the database %s: closed to them now: %s", file, ", ".join(opened))


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == _head():
            return
    config = _alembic()
    with engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"}).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise StoreError("the database was made by a newer version of this service: run that version") from None


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(_alembic()).get_current_head()


def _alembic() -> Config:
    config = Config()
    folder = str(resources.files("cameo_verifier.store.db") / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    return config
