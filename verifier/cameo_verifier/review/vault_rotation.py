"""Rotation of the vault key: a new key, all data keys rewrapped with it, the former key destroyed.

Servers may run meanwhile. An interruption at any moment loses nothing: until the last step both keys exist, and the next rotation
continues.

1. The key file is replaced; the former key stays beside it (`cameo_verifier.review.vault_file`).
2. The database records the new key as the wrapping key: from then on it accepts no data key wrapped by the former one.
3. All data keys are rewrapped, repeatedly until none is left.
4. The database's log is cleared of the former wrappings, and the former key destroyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_credential import key_files
from cameo_verifier.review import vault_file
from cameo_verifier.store.cameos import vault_key
from cameo_verifier.store.cameos.vault import Vault
from cameo_verifier.store.db.engine import scrub, writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence import rewrapping

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

    from cameo_verifier.store.evidence.rewrapping import Rewrapped


@dataclass(frozen=True, slots=True)
class Rotated:
    """The result of a rotation.

    Attributes:
        vault_key_id: id of the new key.
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
        keys = vault_file.read(path) if finishing else vault_file.begin(path)
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
        vault_file.destroy_former(path)
        return Rotated(vault.id, seen, changed, unreadable, scrubbed)


def _told(engine: Engine, vault: Vault, done: Callable[[Rewrapped], None]) -> list[Rewrapped]:
    found = []
    for each in rewrapping.rewrap_all(engine, vault):
        done(each)
        found.append(each)
    return found
