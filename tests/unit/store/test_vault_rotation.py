"""Rotation of the vault key without interruption; interrupted ones are in `tests/faults/test_vault_rotation_cut.py`."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from cameo_credential.errors import KeyFileError
from cameo_verifier.cli import app
from cameo_verifier.review import vault_file
from cameo_verifier.review.vault_rotation import rotate
from cameo_verifier.store.cameos import likenesses, vault_key
from cameo_verifier.store.cameos.vault import Vault, VaultError
from cameo_verifier.store.cameos.vault_key import VaultKeyRotatedError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.evidence import rewrapping
from cameo_verifier.store.evidence.errors import VaultKeyLostError
from cameo_verifier.store.evidence.subject_keys import SubjectKeys
from tests.patience import PATIENCE_S
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import PIECES, READER
from tests.unit.store.vault_site import VaultSite, vault_site

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

KEYS = 5


@pytest.fixture
def kept(engine: Engine, tmp_path: Path) -> VaultSite:
    """A site with data keys of each kind."""
    made = vault_site(engine, tmp_path)
    made.fill()
    return made


def test_a_rotation_wraps_every_data_key_anew_and_destroys_the_former_key(
    kept: VaultSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All opens as before, nothing opens under the former key, and only one key file is left; a server needs no restart."""
    monkeypatch.setattr(rewrapping, "AT_ONCE", 1)
    before, key, former = kept.wrapped(), kept.path.read_bytes(), kept.vault.id
    only = vault_file.read(kept.path)
    old = Vault(lambda: only)
    told: list[int] = []
    rotated = rotate(kept.site.engine, kept.path, done=lambda each: told.append(each.changed))
    assert (rotated.data_keys, rotated.changed, rotated.unreadable) == (KEYS, KEYS, 0)
    assert sum(told) == KEYS
    assert kept.wrapped().isdisjoint(before)
    assert kept.vault.id == rotated.vault_key_id != former
    kept.check()
    assert kept.path.read_bytes() != key
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in kept.path.parent.iterdir()) == [".vault.jwk.lock", "audit.jwk", "epoch.jwk", "vault.jwk"]
    with kept.site.engine.connect() as connection, pytest.raises(VaultError):
        old.open(likenesses.of(connection, "cameo-0"))


def test_a_second_rotation_is_as_good_as_the_first(kept: VaultSite) -> None:
    """And a process that was idle meanwhile has the key of now when it is asked."""
    rotated = [rotate(kept.site.engine, kept.path) for _ in range(2)]
    assert [each.changed for each in rotated] == [KEYS, KEYS]
    kept.check()
    kept.site.room.vault.keep(kept.site.judged("later", "cyn"), "cyn", PIECES, now=NOW)
    assert kept.site.read("later")


def test_what_the_former_key_wrapped_is_not_kept_any_more(kept: VaultSite, engine: Engine) -> None:
    """A likeness or a subject's key that was wrapped before a rotation and comes after it is refused: nothing opens it."""
    only = vault_file.read(kept.path)
    stale = Vault(lambda: only)
    sealed = stale.seal("cameo-x", b"face")
    rotate(engine, kept.path)
    for keep in (likenesses.add, likenesses.wait):
        with pytest.raises(VaultKeyRotatedError, match="bring this server the key files"), writing(engine).begin() as connection:
            keep(connection, "r0", sealed, now=NOW)
    with pytest.raises(VaultKeyRotatedError):
        SubjectKeys(engine, stale).of("dan", now=NOW)
    with pytest.raises(VaultKeyLostError):
        SubjectKeys(engine, stale).of("ann", now=NOW)
    kept.check()


def test_a_subject_s_key_that_meets_a_rotation_is_wrapped_again(kept: VaultSite, engine: Engine) -> None:
    """Between its wrapping and its writing the key is replaced: the second try has the new one."""
    former, asked = vault_file.read(kept.path), iter([True])
    rotate(engine, kept.path)
    keys = SubjectKeys(engine, Vault(lambda: former if next(asked, False) else vault_file.read(kept.path)))
    made = keys.of("eve", now=NOW)
    assert kept.site.room.keys.open(made.id) == made


def test_a_rotation_waits_for_who_keeps_a_data_key(kept: VaultSite, engine: Engine) -> None:
    """A transaction that holds the vault key ends before the rotation looks through what is there."""
    rotating = threading.Thread(target=rotate, args=(engine, kept.path))
    with writing(engine).begin() as connection:
        vault_key.hold(connection, kept.vault.id)
        likeness = kept.vault.seal("cameo-y", b"face y")
        rotating.start()
        connection.execute(
            update(tables.likenesses)
            .where(tables.likenesses.c.cameo_id == "cameo-0")
            .values(cameo_id="cameo-y", wrapped_key=likeness.wrapped_key, sealed=likeness.sealed)
        )
    rotating.join(PATIENCE_S)
    assert not rotating.is_alive()
    with engine.connect() as connection:
        assert kept.vault.open(likenesses.of(connection, "cameo-y")) == b"face y"


def test_a_likeness_that_is_approved_meanwhile_is_not_missed(kept: VaultSite, engine: Engine) -> None:
    """Moved between its table's turn and the other's, it was wrapped anew before."""

    def approve(_: rewrapping.Rewrapped) -> None:
        with writing(engine).begin() as connection:
            if (found := likenesses.waiting(connection, "w")) is not None:
                likenesses.add(connection, "w", found, now=NOW)
                likenesses.stop_waiting(connection, "w")

    rotate(engine, kept.path, done=approve)
    kept.check()


def test_a_data_key_that_nothing_opens_is_left_and_counted(kept: VaultSite, engine: Engine) -> None:
    """What was damaged stays for whoever can mend it, and holds nothing else up."""
    with writing(engine).begin() as connection:
        damaged = likenesses.of(connection, "cameo-0").wrapped_key[::-1]
        connection.execute(update(tables.likenesses).where(tables.likenesses.c.cameo_id == "cameo-0").values(wrapped_key=damaged))
    rotated = rotate(engine, kept.path)
    assert (rotated.changed, rotated.unreadable) == (KEYS - 1, 1)
    assert damaged in kept.wrapped()


def test_a_destroyed_data_key_stays_destroyed(kept: VaultSite, engine: Engine) -> None:
    """What is left of a deleted subject has nothing to be wrapped."""
    kept.site.room.vault.forget("bob", reader=READER, now=NOW)
    assert rotate(engine, kept.path).changed == KEYS - 1
    with engine.connect() as connection:
        assert connection.execute(
            select(tables.subject_keys.c.wrapped_key).where(tables.subject_keys.c.subject.is_(None))
        ).all() == [(None,)]


def test_a_missing_key_is_not_made_by_a_rotation(kept: VaultSite, engine: Engine) -> None:
    """It would open nothing."""
    kept.path.unlink()
    with pytest.raises(KeyFileError, match="no key file"):
        rotate(engine, kept.path)
    assert not kept.path.exists()


def test_the_command_says_what_it_did(kept: VaultSite, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For people and for programs; exit code 1 where a data key opens under neither key."""
    monkeypatch.setenv("CAMEO_DATABASE_URL", url)
    ran = CliRunner().invoke(app, ["vault", "rotate", "--data", str(tmp_path), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout) == {
        "vault_key": kept.vault.id,
        "data_keys": KEYS,
        "changed": KEYS,
        "unreadable": 0,
        "scrubbed": True,
    }
    with writing(kept.site.engine).begin() as connection:
        connection.execute(update(tables.subject_keys).where(tables.subject_keys.c.subject == "ann").values(wrapped_key=b"x"))
    ran = CliRunner().invoke(app, ["vault", "rotate", "--data", str(tmp_path)])
    assert ran.exit_code == 1
    assert f"vault key {kept.vault.id}: 4 of 5 data keys wrapped anew" in ran.stdout
    assert "1 data keys open under neither key" in ran.stderr
