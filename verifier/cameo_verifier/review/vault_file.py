"""The vault key file, and during a rotation the file of the former key beside it.

Each step changes one file atomically, so that an interrupted rotation leaves a state that the next one recognises:

1. `vault.old.jwk` is a second name of `vault.jwk`.
2. `vault.jwk` is replaced by a new key; `vault.old.jwk` has the former one.
3. `vault.old.jwk` is renamed to `.vault.old.jwk.gone`, overwritten and removed.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from cameo_credential import key_files
from cameo_credential.encoding import to_base64url
from cameo_credential.errors import KeyFileError
from cameo_credential.watched_file import WatchedFile
from cameo_verifier.store.cameos.vault import KEY_BYTES, Vault, VaultKey

if TYPE_CHECKING:
    from pathlib import Path

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def open_vault(path: Path) -> Vault:
    """Return the vault of a key file, which is created on first use and reloaded when it changes.

    It decrypts by every key that the file had: also what was read from the database right before a rotation ended.

    Raises:
        KeyFileError: the file is malformed, open to others, or cannot be written.
    """
    key_files.open_secret(path, KEY_BYTES, VaultKey, kind="vault key")

    had: dict[str, VaultKey] = {}

    def read_again(changed: Path) -> tuple[VaultKey, ...]:
        now = read(changed)
        had.update((key.id, key) for key in now)
        return (now[0], *(key for key in had.values() if key.id != now[0].id))

    def report(error: KeyFileError) -> None:
        log.error("the changed vault key cannot be used; the one before stays in use", error=str(error))

    return Vault(WatchedFile(path, read_again, report=report).current)


def read(path: Path) -> tuple[VaultKey, ...]:
    """Return the keys that decrypt: that of the file first, then the former one while there is one.

    Raises:
        KeyFileError: a file is missing, malformed or open to others.
    """
    keys = [key_files.read_secret(path, VaultKey, kind="vault key")]
    with suppress(FileNotFoundError):
        former_path(path).stat()
        keys.append(key_files.read_secret(former_path(path), VaultKey, kind="vault key"))
    return tuple(keys)


def former_path(path: Path) -> Path:
    """Return the path of the former key during a rotation."""
    return path.with_name(f"{path.stem}.old{path.suffix}")


def begin(path: Path) -> tuple[VaultKey, ...]:
    """Replace the key and keep the former one beside it, or continue an interrupted rotation; return the new and the former key.

    The caller must hold the file's lock.

    Raises:
        KeyFileError: there is no key, or the folder cannot be written; then the key is unchanged.
    """
    (current, *former), old = read(path), former_path(path)
    if not former:
        try:
            os.link(path, old)
            key_files.flush_folder(path.parent)
        except OSError as error:
            raise KeyFileError(f"cannot keep the vault key as {old}: {error.strerror}") from None
    if not former or former[0].id == current.id:
        key_files.replace_json(path, {"kty": "oct", "k": to_base64url(secrets.token_bytes(KEY_BYTES))})
    return read(path)


def destroy_former(path: Path) -> bool:
    """Destroy the former key, also after an interrupted destruction; return whether there was one.

    The file is overwritten before it is removed. Copies in a copy-on-write file system, a snapshot or a backup are out of reach.

    Raises:
        KeyFileError: the folder cannot be written.
    """
    old = former_path(path)
    gone = old.with_name(f".{old.name}.gone")
    try:
        with suppress(FileNotFoundError):
            old.rename(gone)
            key_files.flush_folder(path.parent)
        if not gone.exists():
            return False
        with gone.open("r+b") as file:
            file.write(secrets.token_bytes(gone.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        gone.unlink()
        key_files.flush_folder(path.parent)
    except OSError as error:
        raise KeyFileError(f"cannot destroy the former vault key {old}: {error.strerror}") from None
    return True


def is_being_destroyed(path: Path) -> bool:
    """Return whether a rotation was interrupted while it destroyed the former key, with everything else done."""
    old = former_path(path)
    return old.with_name(f".{old.name}.gone").exists() and not old.exists()
