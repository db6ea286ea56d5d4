"""What is PostgreSQL's own: how it fails, what it cannot keep, and where deleted rows stay."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, insert, text, update

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cameo.model import Terms, WhoMayUse
from cameo_verifier.errors import StoreConflictError, StoreError
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.cameos import cameos, likenesses
from cameo_verifier.store.cameos.likenesses import LikenessStore
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database, rewrite
from cameo_verifier.store.db.faults import store_errors
from tests.enrolled import START, enrol
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from cameo_challenges.model import Challenge


def _follow(connection: Connection, name: str) -> None:
    connection.execute(insert(tables.follows).values(follower=name, followee="x"))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("40P01", "busy"),
        ("40001", "busy"),
        ("55P03", "busy"),
        ("25006", "standby"),
        ("42501", "owner of the tables"),
        ("53100", "disk of the database is full"),
        ("53300", "max_connections"),
        ("57P03", "starting"),
        ("58030", "check the disk"),
        ("XX002", "restore it from a backup"),
        ("XX000", "refused: InternalError"),
    ],
)
def test_each_trouble_says_what_to_do(engine: Engine, state: str, message: str) -> None:
    """Whatever the server says is a `StoreError` with advice; who lost a race may try again; no statement is in its text."""
    with pytest.raises(StoreError, match=message) as failed, store_errors(), engine.begin() as connection:
        connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '{state}'; END $$"))
    assert "secret" not in str(failed.value)
    assert isinstance(failed.value, StoreConflictError) is state.startswith("40")


def test_a_server_that_is_not_there_says_so() -> None:
    """An address where nobody listens is the URL's fault, and its password is not told."""
    with pytest.raises(StoreError, match="cannot be reached") as failed:
        open_database("postgresql+psycopg://cameo:secret@127.0.0.1:1/cameo")
    assert "secret" not in str(failed.value)


def test_who_waits_too_long_is_told_so(url: str, engine: Engine) -> None:
    """A row that somebody holds for longer than the time allowed is `StoreError`, and can be written afterwards."""
    impatient = open_database(url, busy_timeout_s=0.1)
    counting = update(tables.event_counter).values(last=1)
    with engine.begin() as holder:
        holder.execute(counting)
        with pytest.raises(StoreError, match="busy"), store_errors(), impatient.begin() as connection:
            connection.execute(counting)
    with impatient.begin() as connection:
        connection.execute(counting)
    impatient.dispose()


def test_a_connection_that_is_lost_takes_nothing_with_it(engine: Engine) -> None:
    """What was written on it is not there, and the next transaction has a connection that works."""

    def lose() -> None:
        with store_errors(), engine.begin() as connection:
            _follow(connection, "lost")
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StoreError, match="try again"):
        lose()
    with engine.begin() as connection:
        _follow(connection, "kept")
        assert connection.execute(text("SELECT follower FROM follows")).scalars().all() == ["kept"]


def test_transactions_are_ours_whatever_the_site_s_default(url: str, engine: Engine) -> None:
    """In a database whose transactions are serializable, they are as the repositories need them."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"))
    other = open_database(url)
    with other.begin() as connection:
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
    other.dispose()


def test_a_text_that_cannot_be_kept_is_the_caller_s_fault(engine: Engine, issued: Callable[[str], Challenge]) -> None:
    """A NUL, which PostgreSQL has in no text, and an id that is too long are refused as such, to be looked up and to be kept."""
    store = ChallengeStore(engine)
    with pytest.raises(InvalidRequestError, match="cannot be kept"):
        store.get("a\0b")
    for subject in ("a\0b", "a" * 129):
        with pytest.raises(InvalidRequestError, match="cannot be kept"):
            store.add(issued("c1"), subject=subject)
    assert store.add(issued("c1"), subject="a" * 128).id == "c1"


def test_a_deleted_row_is_taken_out_of_its_page(engine: Engine) -> None:
    """Rows that were deleted, and what others were before they changed, can be read from the pages until these are rewritten."""
    in_pages = text(
        "SELECT count(*) FROM generate_series(0, pg_relation_size('follows') / 8192 - 1) page, "
        "heap_page_items(get_raw_page('follows', page::int)) WHERE lp_len > 0"
    )
    table = tables.follows
    with engine.begin() as connection:
        connection.execute(text("CREATE EXTENSION pageinspect"))
        for name in map(str, range(100)):
            _follow(connection, name)
    with engine.begin() as connection:
        connection.execute(delete(table).where(table.c.follower < "3"))
        connection.execute(update(table).where(table.c.follower > "8").values(followee="y"))
    with engine.connect() as connection:
        assert connection.execute(in_pages).scalar_one() > 100
    assert rewrite(engine, 1)
    with engine.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM follows")).scalar_one()
        assert connection.execute(in_pages).scalar_one() == left < 100


def test_a_dump_holds_nothing_of_a_deleted_cameo(engine: Engine) -> None:
    """Sealed likeness, wrapped key and notes are in a dump, and after the deletion in none."""
    with engine.begin() as connection:
        cameo_id, subject = enrol(connection, 1)
        terms = Terms(who=WhoMayUse.SELECTED, selected=frozenset({"chosen-one"}), appearance_notes="never in a uniform")
        cameos.change(connection, cameo_id, lambda _: terms, subject=subject, version=1, now=START)
        likeness = likenesses.of(connection, cameo_id)
    secrets = [likeness.sealed.hex(), likeness.wrapped_key.hex(), "chosen-one", "never in a uniform"]

    def dumped() -> list[str]:
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        dump = subprocess.run(["pg_dump", url], check=True, capture_output=True, text=True).stdout  # noqa: S607 - see `server`
        assert cameo_id in dump
        return [secret for secret in secrets if secret in dump]

    assert dumped() == secrets
    with engine.begin() as connection:
        cameos.delete(connection, cameo_id, subject=subject, now=START)
    assert dumped() == []


def test_a_likeness_whose_time_is_over_stays_while_a_cameo_is_made_of_it(engine: Engine) -> None:
    """Upkeep waits for whoever makes the cameo, and then sees that it is claimed."""
    with engine.begin() as connection:
        enrol(connection, 1)
        connection.execute(delete(tables.events))
        connection.execute(delete(tables.cameos))
    later, consent = START + timedelta(days=8), {"text_version": "1", "locale": "en", "agreed_at": START}
    how: dict[str, Any] = {"subject": None, "request_id": "r", "now": later, **consent}
    with ThreadPoolExecutor(1) as thread:
        with engine.begin() as connection:
            cameos.create(connection, "a1", **how)
            dropping = thread.submit(LikenessStore(engine).drop_unclaimed, before=later)
            assert not wait([dropping], timeout=0.5).done
        assert dropping.result(timeout=PATIENCE_S) == 0
    with engine.connect() as connection:
        assert likenesses.of(connection, "cameo-1").sealed
