from __future__ import annotations

import multiprocessing
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_mock_engine, text
from sqlalchemy.dialects import postgresql

from cameo_verifier.errors import StoreError
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.db.tables import metadata
from tests import databases
from tests.databases import only_sqlite

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def test_the_migrations_lead_to_the_tables(engine: Engine) -> None:
    """A migrated database has nothing more, less or other than the tables the code uses."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


@only_sqlite
def test_every_connection_is_durable_and_strict(engine: Engine) -> None:
    """Write-ahead log, a flush per commit, foreign keys and a wait for other writers are on, on each connection."""
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 10_000}
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas} == pragmas


def test_opening_again_changes_nothing(url: str, engine: Engine) -> None:
    """A second opening finds the schema in place and the rows untouched."""
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO challenges VALUES ('c1', 's', NULL, '{}', 1, 2, NULL)"))
    again = open_database(url)
    with again.connect() as connection:
        assert connection.execute(text("SELECT id FROM challenges")).scalars().all() == ["c1"]
    again.dispose()


def _open(url: str) -> list[str]:
    engine = open_database(url)
    with engine.connect() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    engine.dispose()
    return list(versions)


def test_servers_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    """Four processes that open the same new databases at the same time all find them migrated once."""
    with ExitStack() as stack, multiprocessing.get_context("spawn").Pool(4) as pool:
        fresh = [stack.enter_context(databases.fresh(tmp_path / str(number))) for number in range(10)]
        urls = [url for url in fresh for _ in range(4)]
        assert pool.map(_open, urls, chunksize=1) == [["0032"]] * len(urls)


def test_a_newer_database_is_left_alone(url: str, engine: Engine) -> None:
    """A schema this version does not know is refused, not touched."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version"):
        open_database(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("cameo", "malformed"),
        ("nosuch://host/db", "no driver"),
        ("postgresql+pg8000://host/db", "is not installed: pg8000"),
        ("sqlite://", "name a file"),
        ("sqlite:////proc/nowhere/cameo.sqlite3", "cannot make the folder"),
    ],
)
def test_an_unusable_url_says_why(url: str, message: str) -> None:
    """Each way a URL can be wrong has its own message."""
    with pytest.raises(StoreError, match=message):
        open_database(url)


def test_the_tables_are_portable() -> None:
    """PostgreSQL's dialect can spell every table and index."""
    statements: list[str] = []
    engine = create_mock_engine(
        "postgresql+psycopg://", lambda sql, *_, **__: statements.append(str(sql.compile(dialect=postgresql.dialect())))
    )
    metadata.create_all(engine, checkfirst=False)
    assert sum("CREATE TABLE" in statement for statement in statements) == len(metadata.tables) == 37
    assert sum("BIGINT" in statement for statement in statements) == 33
