"""Databases of the store's tests: SQLite in a file, or a PostgreSQL server (`CAMEO_TEST_DATABASE`, a URL).

On a server every test has a database of its own, made and dropped under the role of the URL, which must be allowed to.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, event, make_url, text

from cameo_verifier.store.db import engine as opening
from cameo_verifier.store.db.engine import open_database, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

SERVER = os.environ.get("CAMEO_TEST_DATABASE", "")
"""URL of a server's database, to be connected to for making others; empty for SQLite."""

LASTING = ExitStack()
"""Ends what lasts longer than a test, when the session does."""

only_sqlite = pytest.mark.skipif(bool(SERVER), reason="about SQLite's file; the tests run on a server")
"""Marks a test of what only a file has."""


@contextmanager
def migrated_once() -> Iterator[None]:
    """Run the migrations for the first new SQLite database of this process, and give later ones the schema that they led to.

    A process that a test starts migrates for itself.
    """
    migrate, statements = opening._migrate, list[str]()

    def migrated(engine: Engine) -> None:
        if engine.dialect.name != "sqlite":
            migrate(engine)
            return
        with writing(engine).begin() as connection:
            new = not connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar()
            if new:
                for statement in statements:
                    connection.exec_driver_sql(statement)
        migrate(engine)
        if new and not statements:
            with engine.connect() as connection:
                dumped: Any = connection.connection.driver_connection
                statements.extend(each for each in dumped.iterdump() if each not in {"BEGIN TRANSACTION;", "COMMIT;"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_migrate", migrated)
        yield


@contextmanager
def fresh(folder: Path) -> Iterator[str]:
    """Yield the URL of an empty database: in that folder, or on the server, where it is dropped at the end."""
    if not SERVER:
        yield f"sqlite:///{folder / 'cameo.sqlite3'}"
        return
    name = f"cameo_test_{secrets.token_hex(8)}"
    _on_server(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    finally:
        _on_server(f'DROP DATABASE "{name}" WITH (FORCE)')


def lasting(name: str) -> Engine:
    """Open a database for all examples of a module, each with rows of its own; durability is not tested there."""
    folder = LASTING.enter_context(tempfile.TemporaryDirectory(prefix=f"cameo-{name}-"))
    engine = open_database(LASTING.enter_context(fresh(Path(folder))))
    LASTING.callback(engine.dispose)
    if not SERVER:
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
        engine.dispose()
    return engine


def _on_server(statement: str) -> None:
    engine = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
