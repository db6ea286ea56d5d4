from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from cameo_challenges.model import Challenge, Say
from cameo_verifier.errors import StoreError
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.db.engine import open_database
from tests.waiting import ended, heard

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from sqlalchemy import Engine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _challenge(identifier: str) -> Challenge:
    return Challenge((Say("one two"),), id=identifier, issued_at=NOW, expires_at=NOW + timedelta(seconds=180))


def _integrity(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.execute(text("PRAGMA integrity_check")).scalar_one())


def _write_for_ever(url: str, report: Connection) -> None:
    engine = open_database(url)
    number = 0
    while True:
        ChallengeStore(engine).add(_challenge(f"c{number}"), subject="account-7")
        AttemptStore(engine).begin(f"a{number}", challenge_id=f"c{number}", audience="a", request_id="r", now=NOW)
        report.send(number)
        number += 1


@pytest.mark.parametrize("delay_s", [0.01, 0.07, 0.15])
def test_a_killed_writer_leaves_whole_rows(tmp_path: Path, delay_s: float) -> None:
    """After kill -9 in mid-write the database holds all that was reported done, and no spent challenge lacks its attempt."""
    url = f"sqlite:///{tmp_path / 'cameo.sqlite3'}"
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    writer = context.Process(target=_write_for_ever, args=(url, send), daemon=True)
    writer.start()
    send.close()
    assert heard(receive) == 0
    time.sleep(delay_s)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    ended(writer)
    done = 0
    with contextlib.suppress(EOFError):
        while True:
            done = heard(receive)

    engine = open_database(url)
    with engine.connect() as connection:
        spent = set(connection.execute(text("SELECT id FROM challenges WHERE spent_at IS NOT NULL")).scalars())
        attempted = set(connection.execute(text("SELECT challenge_id FROM attempts")).scalars())
    assert _integrity(engine) == "ok"
    assert spent == attempted >= {f"c{number}" for number in range(done + 1)}
    ChallengeStore(engine).add(_challenge("after"), subject="account-7")
    engine.dispose()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """When no page can be added the error says so, nothing is half done, and writing goes on once there is room."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    store = ChallengeStore(engine)
    store.add(_challenge("c0"), subject="account-7")
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        # The same pooled connection comes back below, and with it its limit.
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    kept = ["c0"]

    def fill() -> None:
        for number in range(1, 1000):
            store.add(_challenge(f"c{number}"), subject="account-7")
            kept.append(f"c{number}")

    with pytest.raises(StoreError, match="disk of the database is full"):
        fill()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM challenges ORDER BY rowid")).scalars().all() == kept
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")

    store.add(_challenge("after"), subject="account-7")
    assert store.get("after").subject == "account-7"
    engine.dispose()


def test_a_locked_database_is_busy_not_broken(tmp_path: Path) -> None:
    """While another process holds the database a writer is told to try again, a reader reads on, and later writing works."""
    path = tmp_path / "cameo.sqlite3"
    engine = open_database(f"sqlite:///{path}", busy_timeout_s=0.1)
    store = ChallengeStore(engine)
    store.add(_challenge("c0"), subject="account-7")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="busy"):
        store.spend("c0", now=NOW)
    assert store.get("c0").spent_at is None

    holder.execute("ROLLBACK")
    holder.close()
    assert store.spend("c0", now=NOW).spent_at == NOW
    engine.dispose()


def _filled(path: Path) -> None:
    engine = open_database(f"sqlite:///{path}")
    for number in range(50):
        ChallengeStore(engine).add(_challenge(f"c{number}"), subject="account-7")
    engine.dispose()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


@pytest.mark.parametrize("damage", ["text", "half", "pages"])
def test_a_damaged_file_is_named_as_such(tmp_path: Path, damage: str) -> None:
    """Another kind of file, half a database and overwritten pages are all told to be restored from a backup."""
    path = tmp_path / "cameo.sqlite3"
    if damage == "text":
        path.write_text("not a database " * 1000)
    else:
        _filled(path)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if damage == "half" else whole[:4096] + b"\xa5" * (len(whole) - 4096))

    with pytest.raises(StoreError, match="restore it from a backup"):
        ChallengeStore(open_database(f"sqlite:///{path}")).get("c1")


def test_a_read_only_database_is_named_as_such(tmp_path: Path) -> None:
    """Where nothing may be written the error says whose mode to check."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="cannot be written"):
        ChallengeStore(engine).add(_challenge("c0"), subject="account-7")
    engine.dispose()


def test_no_error_text_shows_a_value(tmp_path: Path) -> None:
    """The statement and its values stay out of the error and of everything chained to it."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    store = ChallengeStore(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE challenges"))
    with pytest.raises(StoreError) as refused:
        store.add(_challenge("secret-id"), subject="secret-account")
    assert "secret" not in f"{refused.value} {refused.value.__cause__}"
    assert refused.value.__suppress_context__
    engine.dispose()
