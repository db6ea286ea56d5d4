"""Permissions of a site's data: owner-only, whatever the umask is and whatever command came first."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.key_files import create_json
from cameo_credential.owner_only import make_folder
from cameo_verifier.server.app import utc_now
from cameo_verifier.server.lease import Lease
from cameo_verifier.store.attempts.servers import ServerStore
from cameo_verifier.store.db import engine
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.objects import LocalFolder
from tests.databases import only_sqlite
from tests.grpc.client import AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.grpc.server import OpenServer

pytestmark = only_sqlite


@pytest.fixture(params=[0o000, 0o022, 0o277, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Set a umask for this test."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Return the mode of everything in a folder and of itself."""
    return {str(path.relative_to(folder.parent)): stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}


def wrong(folder: Path) -> dict[str, int]:
    """Return what is not 0700, of folders, or 0600, of files; the keys of audiences are public."""
    return {
        name: mode
        for name, mode in modes(folder).items()
        if mode != (0o700 if (folder.parent / name).is_dir() else 0o644 if "/audiences/" in name else 0o600)
    }


async def test_a_served_site_is_its_owners_alone(serve: OpenServer, tmp_path: Path) -> None:
    """While it runs: folders 0700; database, log, index, keys, evidence and locks 0600; with the umask that hides nothing."""
    before = os.umask(0)
    try:
        async with serve() as client:
            await client.verify((await client.challenge()).id, b"reject")
            found = modes(tmp_path / "data")
            assert {"data/cameo.sqlite3", "data/cameo.sqlite3-wal", "data/cameo.sqlite3-shm"} <= found.keys()
            assert any(name.startswith("data/evidence/") and name.endswith("recording") for name in found)
            assert wrong(tmp_path / "data") == {}
    finally:
        os.umask(before)


@pytest.mark.parametrize("first", range(5))
def test_whatever_comes_first_the_folder_is_its_owners(tmp_path: Path, first: int) -> None:
    """The folder that a first key, database, object, lock or audience makes, and those above it, with the widest umask."""
    data = tmp_path / "above" / "data"
    audience = AudienceKey.generate(AUDIENCE)
    ids, store = count(), ServerStore(open_database(f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}"))
    makers: tuple[Callable[[], Any], ...] = (
        lambda: create_json(data / "keys" / "issuer.jwks", {}, secret=True),
        lambda: open_database(f"sqlite:///{data / 'cameo.sqlite3'}").dispose(),
        lambda: LocalFolder(data / "evidence").put("ab/abc/tracks", b"x"),
        lambda: Lease.take(store, data / "servers", server_id=str(next(ids)), lasts=timedelta(1), clock=utc_now),
        lambda: AudienceFolder(data / "audiences").add(audience),
    )
    before = os.umask(0)
    try:
        for make in (makers[first], *makers):
            make()
            assert wrong(data.parent) == {}
    finally:
        os.umask(before)


def test_a_command_makes_the_folder_its_owners(tmp_path: Path) -> None:
    """As `cameo serve` does on a machine where nothing was before, not even its models."""
    data = tmp_path / "above" / "data"
    command = [sys.executable, "-m", "cameo_verifier.cli", "serve", "--listen", "127.0.0.1:0"]
    shell = ["sh", "-c", 'umask 000 && exec "$@"', "sh", *command]
    subprocess.run(
        shell, env={**os.environ, "CAMEO_DATA": str(data), "CAMEO_MODELS": str(tmp_path)}, capture_output=True, check=False
    )
    assert data.is_dir()
    assert wrong(data.parent) == {}


def test_every_umask_leaves_the_owner_what_they_need(tmp_path: Path, umask: int) -> None:
    """The database with its log and index, and an object, also where the umask would take the owner's own rights."""
    opened = open_database(f"sqlite:///{tmp_path / 'data' / 'cameo.sqlite3'}")
    with opened.connect() as connection:
        connection.exec_driver_sql("SELECT 1 FROM challenges").all()
        LocalFolder(tmp_path / "data" / "evidence").put("ab/abc/tracks", b"x")
        found = modes(tmp_path / "data")
        assert len(found) == 8, umask
        assert wrong(tmp_path / "data") == {}
    opened.dispose()


def test_a_database_that_was_open_to_others_is_closed_to_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Made by hand or by an earlier version; with what lies beside it, and the log says so, once."""
    file = tmp_path / "cameo.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE kept (x)")
        for path in tmp_path.iterdir():
            path.chmod(0o666)
        for _ in range(2):
            open_database(f"sqlite:///{file}").dispose()
        [said] = [record.getMessage() for record in caplog.records if record.name == engine.__name__]
        assert said.endswith(f"{file}: closed to them now: cameo.sqlite3, cameo.sqlite3-wal, cameo.sqlite3-shm")
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    """Whoever made it knows why; a file in its place is an error."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o750)
    make_folder(tmp_path / "shared" / "data")
    assert modes(tmp_path / "shared") == {"shared": 0o750, "shared/data": 0o700}
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="exists"):
        make_folder(tmp_path / "file")
