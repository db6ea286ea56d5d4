"""Key rotation: replaces the vault key, or its epoch's secret, which wrap data keys; the former one is destroyed.

Servers may run meanwhile. An interruption at any moment loses nothing: until the last step both exist, and the next replacement,
of either, continues.

1. The file is replaced; the former one stays beside it (`cameo_verifier.review.vault_file`).
2. The database records the new wrapping key: from then on it accepts no data key wrapped by a former one.
3. All data keys are rewrapped, repeatedly until none is left.
4. The database's log is cleared of the former wrappings, and what was replaced is destroyed.

A data key that was destroyed before an epoch began is rewrapped nowhere: from step 4 on no copy of the database has it under a
key that still exists, so a deletion is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_credential import key_files
from cameo_credential.errors import KeyFileError
from cameo_verifier.review import vault_file
from cameo_verifier.store.cameos import vault_key
from cameo_verifier.store.cameos.vault import Vault
from cameo_verifier.store.db.engine import scrub, writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence import rewrapping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from sqlalchemy import Engine

    from cameo_verifier.store.cameos.vault import VaultKey
    from cameo_verifier.store.evidence.rewrapping import Rewrapped


@dataclass(frozen=True, slots=True)
class Rotated:
    """The result of a rotation, or of the beginning of an epoch.

    Attributes:
        vault_key_id: id of the new wrapping key.
        data_keys: number of data keys.
        changed: number of data keys rewrapped by this call.
        unreadable: number that neither key opens, damaged or of a key that was lost before; they are left unchanged.
        scrubbed: True if the database's log was cleared; False if a reader kept it, and the server does it later.
    """

    vault_key_id: str
    data_keys: int
    changed: int
    unreadable: int
    scrubbed: bool


def rotate(engine: Engine, path: Path, *, done: Callable[[Rewrapped], None] = lambda _: None) -> Rotated:
    """Rotate the vault key of a site, or finish an interrupted rotation.

    Args:
        engine: the site's database.
        path: the site's vault key file.
        done: called for each transaction after its commit.

    Raises:
        KeyFileError: there is no key, it is malformed, or its folder cannot be written.
        StoreError: the database failed; rotate again to continue.
    """
    with key_files.locked(path):
        # Another rotation was interrupted after its last transaction: what remains is to destroy the former key.
        finishing = vault_file.is_being_destroyed(path)
        return _replaced(engine, path, vault_file.read(path) if finishing else vault_file.begin(path), done)


def new_epoch(engine: Engine, path: Path, *, now: datetime, done: Callable[[Rewrapped], None] = lambda _: None) -> Rotated:
    """Begin an epoch of the vault key, or finish one that was begun; arguments and errors as for `rotate`.

    Raises:
        KeyFileError: also if the database records a wrapping key that no file yields.
    """
    with key_files.locked(path):
        return _new_epoch(engine, path, now, done)


def turn_epoch(
    engine: Engine, path: Path, *, lasts: timedelta, now: datetime, done: Callable[[Rewrapped], None] = lambda _: None
) -> Rotated | None:
    """Begin an epoch as `new_epoch` does if one is due, else return None; of several servers exactly one begins it."""
    with key_files.locked(path):
        _require_recorded(engine, vault_file.read(path))
        return _new_epoch(engine, path, now, done) if vault_file.epoch_is_over(path, lasts=lasts, now=now) else None


def _new_epoch(engine: Engine, path: Path, now: datetime, done: Callable[[Rewrapped], None]) -> Rotated:
    _require_recorded(engine, vault_file.read(path))
    finishing = vault_file.is_being_destroyed(vault_file.epoch_path(path))
    return _replaced(engine, path, vault_file.read(path) if finishing else vault_file.begin_epoch(path, now=now), done)


def _require_recorded(engine: Engine, keys: Sequence[VaultKey]) -> None:
    """Check that the database's wrapping key is one of these, and record the present one if none is recorded yet."""
    with store_errors(), writing(engine).begin() as connection:
        recorded = vault_key.recorded(connection)
        if not recorded:
            vault_key.change(connection, keys[0].id)
        elif recorded not in {key.id for key in keys}:
            raise KeyFileError(
                f"the key files yield {keys[0].id}, but {recorded} wraps in this database: put back the vault.jwk and epoch.jwk "
                "that belong to it; if they are lost, run `cameo vault rotate`"
            )


def _replaced(engine: Engine, path: Path, keys: tuple[VaultKey, ...], done: Callable[[Rewrapped], None]) -> Rotated:
    vault = Vault(lambda: keys)
    with store_errors(), writing(engine).begin() as connection:
        vault_key.change(connection, vault.id)
    changed, seen, unreadable = 0, 0, 0
    while True:
        now = _told(engine, vault, done)
        seen, unreadable = sum(each.seen for each in now), sum(each.unreadable for each in now)
        if not (again := sum(each.changed for each in now)):
            break
        changed += again
    scrubbed = scrub(engine)
    for file in (path, vault_file.epoch_path(path)):
        vault_file.destroy_former(file)
    return Rotated(vault.id, seen, changed, unreadable, scrubbed)


def _told(engine: Engine, vault: Vault, done: Callable[[Rewrapped], None]) -> list[Rewrapped]:
    found = []
    for each in rewrapping.rewrap_all(engine, vault):
        done(each)
        found.append(each)
    return found
