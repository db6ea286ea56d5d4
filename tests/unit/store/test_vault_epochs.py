"""Epochs of the vault key: what was deleted before one began does not open in an older copy of the database any more."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from cameo_credential.errors import CameoError, KeyFileError
from cameo_verifier.cli import app
from cameo_verifier.review import vault_file, wrapping_key_cache
from cameo_verifier.review.vault_rotation import rotate, turn_epoch
from cameo_verifier.review.wrapping_key_cache import WrappingKeyCache
from cameo_verifier.store.cameos import likenesses
from cameo_verifier.store.cameos.vault import SealedLikeness, VaultError, VaultKey
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import READER
from tests.unit.store.vault_site import of_folder, vault_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.unit.store.vault_site import VaultSite

WEEK = timedelta(days=7)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[VaultSite]:
    """A site with data keys of each kind, whose epoch began now."""
    made = of_folder(tmp_path / "site")
    _begin(made, NOW)
    made.fill()
    yield made
    made.site.engine.dispose()


def _begin(site: VaultSite, now: datetime) -> None:
    epoch = vault_file.epoch_path(site.path)
    document = json.loads(epoch.read_text())
    epoch.write_text(json.dumps({**document, "iat": int(now.timestamp())}))


def _delete_ann(site: VaultSite) -> None:
    site.site.room.vault.forget("ann", reader=READER, now=NOW)
    with writing(site.site.engine).begin() as connection:
        likenesses.destroy(connection, "cameo-0")


def _opened(site: VaultSite) -> set[str]:
    """Return what of the two people the keys of this folder open: likenesses and evidence."""
    found = set()
    with site.site.engine.connect() as connection:
        rows = [
            row for table in (tables.likenesses, tables.waiting_likenesses) for row in connection.execute(select(table)).all()
        ]
    for row in rows:
        try:
            site.vault.open(SealedLikeness(row.cameo_id, row.wrapped_key, row.sealed))
        except VaultError:
            continue
        found.add(row.cameo_id)
    for attempt_id in ("r0", "r1"):
        try:
            site.site.room.vault.read(attempt_id, Kind.TRACKS, reader=READER, now=NOW)
        except CameoError:
            continue
        found.add(attempt_id)
    return found


def _restored(site: VaultSite, copy: Path, to: Path) -> VaultSite:
    """Return a folder of the copied database and evidence with the site's keys of now, as an attacker with all of that has it."""
    shutil.copytree(copy, to)
    shutil.rmtree(to / "keys")
    shutil.copytree(site.path.parent, to / "keys")
    return of_folder(to)


def test_an_old_copy_opens_nothing_that_was_deleted_before_the_epoch_began(kept: VaultSite, tmp_path: Path) -> None:
    """Database and evidence are copied, a person is deleted, and an epoch later the live keys open nothing in the copy."""
    kept.site.engine.dispose()
    shutil.copytree(tmp_path / "site", tmp_path / "copy")
    _delete_ann(kept)
    assert _opened(kept) == {"cameo-1", "r1"}

    engine = kept.site.engine
    assert turn_epoch(engine, kept.path, lasts=WEEK, now=NOW + WEEK - timedelta(seconds=1)) is None
    early = _restored(kept, tmp_path / "copy", tmp_path / "early")
    assert _opened(early) == {"cameo-0", "cameo-1", "cameo-w", "r0", "r1"}  # not final before the epoch is over

    turned = turn_epoch(engine, kept.path, lasts=WEEK, now=NOW + WEEK)
    assert turned is not None
    assert (turned.data_keys, turned.changed, turned.unreadable) == (2, 2, 0)
    late = _restored(kept, tmp_path / "copy", tmp_path / "late")
    assert _opened(late) == set()
    assert _opened(kept) == {"cameo-1", "r1"}
    for site in (early, late):
        site.site.engine.dispose()


def test_a_rotation_and_an_epoch_go_together(kept: VaultSite) -> None:
    """Each replaces its own file, whatever the other did; one that was begun is ended by the other."""
    engine, epoch = kept.site.engine, vault_file.epoch_path(kept.path)
    before = kept.path.read_bytes(), epoch.read_bytes()
    assert turn_epoch(engine, kept.path, lasts=WEEK, now=NOW + WEEK) is not None
    assert (kept.path.read_bytes() == before[0], epoch.read_bytes() == before[1]) == (True, False)
    rotate(engine, kept.path)
    kept.check()
    vault_file.begin(kept.path)  # and killed
    assert len(vault_file.read(kept.path)) == 2
    assert turn_epoch(engine, kept.path, lasts=WEEK, now=NOW + 2 * WEEK) is not None
    assert len(vault_file.read(kept.path)) == 1
    kept.check()


def test_an_epoch_of_another_clock_is_over(kept: VaultSite) -> None:
    """One that began in the future does not last until then."""
    _begin(kept, NOW + timedelta(days=400))
    assert turn_epoch(kept.site.engine, kept.path, lasts=WEEK, now=NOW) is not None
    assert turn_epoch(kept.site.engine, kept.path, lasts=WEEK, now=NOW) is None
    kept.check()


def test_a_site_of_before_there_were_epochs_gets_one(tmp_path: Path) -> None:
    """Its vault key wraps by itself until then, opens what it wrapped, and afterwards opens nothing by itself."""
    site = of_folder(tmp_path)
    vault_file.epoch_path(site.path).unlink()
    site.fill()
    alone = VaultKey(vault_file._secret(site.path))
    assert vault_file.read(site.path)[0].id == alone.id == site.vault.id
    turned = turn_epoch(site.site.engine, site.path, lasts=WEEK, now=NOW)
    assert turned is not None
    assert turned.changed == turned.data_keys
    assert alone.id not in {key.id for key in vault_file.read(site.path)}
    site.check()
    site.site.engine.dispose()


@pytest.mark.parametrize("name", ["epoch.jwk", "vault.jwk"])
def test_no_epoch_begins_while_a_file_is_missing_or_another_s(kept: VaultSite, name: str) -> None:
    """It would have to leave all data keys unreadable; put back, the file opens them as before."""
    assert turn_epoch(kept.site.engine, kept.path, lasts=WEEK, now=NOW) is None  # records the key
    file = kept.path.with_name(name)
    held = file.read_bytes()
    file.unlink()
    if name == "vault.jwk":
        vault_file.key_files.open_secret(file, 32, bytes, kind="vault key")
    with pytest.raises(KeyFileError, match="put back the vault"):
        turn_epoch(kept.site.engine, kept.path, lasts=WEEK, now=NOW + WEEK)
    file.unlink(missing_ok=True)
    file.write_bytes(held)
    file.chmod(0o600)
    kept.check()


def test_a_running_process_forgets_a_former_key() -> None:
    """It unwraps for a minute after it was missed, for what was read before, and is gone after that."""
    first, second = (VaultKey(bytes([number]) * 32) for number in range(2))
    now, current = 0.0, (first,)
    keys = WrappingKeyCache(lambda: current, monotonic=lambda: now)
    assert keys() == (first,)
    now, current = 1e6, (second,)
    assert keys() == (second, first)
    now += wrapping_key_cache.KEPT_S - 1
    assert keys() == (second, first)
    now += 1
    assert keys() == (second,)
    current = (first, second)
    assert keys() == (first, second)


def test_the_command_begins_an_epoch(engine: Engine, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any time, as the periodic task does when it is due."""
    site = vault_site(engine, tmp_path)
    site.fill()
    before = site.vault.id
    monkeypatch.setenv("CAMEO_DATABASE_URL", url)
    ran = CliRunner().invoke(app, ["vault", "epoch", "--data", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert f"vault key {site.vault.id}: 5 of 5 data keys wrapped anew" in ran.stdout
    assert site.vault.id != before
    site.check()
