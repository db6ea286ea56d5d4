"""The files of the wrapping key: `vault.jwk`, the vault key, and `epoch.jwk`, the secret of its epoch.

Both are needed to unwrap. The vault key is kept in backups; the epoch's secret is replaced every few days and kept nowhere else,
so what was deleted before does not open in any copy of the database, see `cameo_verifier.review.vault_rotation`. A site of before
there were epochs has no `epoch.jwk`, and its vault key wraps by itself until the first epoch begins.

Each step that replaces a file changes one file atomically, so that an interrupted replacement leaves a state that the next one
recognises; of `vault.jwk`, and of `epoch.jwk` in the same way:

1. `vault.old.jwk` is a second name of `vault.jwk`.
2. `vault.jwk` is replaced by a new key; `vault.old.jwk` has the former one.
3. `vault.old.jwk` is renamed to `.vault.old.jwk.gone`, overwritten and removed.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from cameo_credential import key_files
from cameo_credential.encoding import to_base64url
from cameo_credential.errors import KeyFileError
from cameo_credential.watched_file import WatchedFile
from cameo_verifier.review.wrapping_key_cache import WrappingKeyCache
from cameo_verifier.store.cameos.vault import KEY_BYTES, Vault, VaultKey

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_NO_EPOCH = b""


def open_vault(path: Path, *, now: datetime | None = None) -> Vault:
    """Return the vault of a key file, which is created on first use, with an epoch, and reloaded when a file of it changes.

    Args:
        path: the vault key file.
        now: the time at which the first epoch begins; that of the system's clock by default.

    Raises:
        KeyFileError: a file is malformed, open to others, or cannot be written.
    """
    if not path.exists():
        # The epoch first: a vault key without one is that of a site of before there were epochs.
        key_files.create_json(epoch_path(path), _fresh_epoch(now or datetime.now(UTC)), secret=True)
    key_files.open_secret(path, KEY_BYTES, VaultKey, kind="vault key")

    def report(error: KeyFileError) -> None:
        log.error("the changed vault key cannot be used; the one before stays in use", error=str(error))

    beside = (former_path(path), epoch_path(path), former_path(epoch_path(path)))
    return Vault(WrappingKeyCache(WatchedFile(path, read, report=report, beside=beside).current))


def read(path: Path) -> tuple[VaultKey, ...]:
    """Return the keys that decrypt, of vault keys and epochs: that of the present ones first, then those with former ones.

    Raises:
        KeyFileError: a file is missing, malformed or open to others.
    """
    keys, epochs = [_secret(path), *_former(path)], [_epoch(path), *_former(epoch_path(path))]
    made = [_wrapping_key(path, key, epoch) for epoch in epochs for key in keys]
    return tuple({key.id: key for key in made}.values())


def former_path(path: Path) -> Path:
    """Return the path of the former key while it is replaced."""
    return path.with_name(f"{path.stem}.old{path.suffix}")


def epoch_path(path: Path) -> Path:
    """Return the path of the epoch's secret, beside the vault key."""
    return path.with_name("epoch.jwk")


def begin(path: Path) -> tuple[VaultKey, ...]:
    """Replace the vault key and keep the former one beside it, or continue an interrupted replacement; return all keys.

    The caller must hold the file's lock.

    Raises:
        KeyFileError: there is no key, or the folder cannot be written; then the key is unchanged.
    """
    read(path)
    if _must_be_replaced(path, _secret(path)):
        key_files.replace_json(path, {"kty": "oct", "k": to_base64url(secrets.token_bytes(KEY_BYTES))})
    return read(path)


def begin_epoch(path: Path, *, now: datetime) -> tuple[VaultKey, ...]:
    """Begin an epoch and keep the former one's secret beside it, as `begin` does with the vault key at `path`."""
    read(path)
    epoch = epoch_path(path)
    if _must_be_replaced(epoch, _epoch(path)):
        key_files.replace_json(epoch, _fresh_epoch(now))
    return read(path)


def epoch_is_over(path: Path, *, lasts: timedelta, now: datetime) -> bool:
    """Return whether a new epoch is due: the present one expired, begins in the future, or was interrupted at its start.

    Raises:
        KeyFileError: the epoch's file is malformed or open to others.
    """
    epoch = epoch_path(path)
    if former_path(epoch).exists() or is_being_destroyed(epoch) or not epoch.exists():
        return True
    began = key_files.read_json(epoch, secret=True).get("iat")
    return type(began) is not int or not began <= now.timestamp() < began + lasts.total_seconds()


def destroy_former(path: Path) -> bool:
    """Destroy the former file of a replaced one, also after an interrupted destruction; return whether there was one.

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
    """Return whether a replacement was interrupted while it destroyed the former file, with everything else done."""
    old = former_path(path)
    return old.with_name(f".{old.name}.gone").exists() and not old.exists()


def _must_be_replaced(path: Path, current: bytes) -> bool:
    """Keep the present file as the former one, unless one is kept already; return whether the present one is still the same."""
    former = _former(path)
    if former:
        return former[0] == current
    old = former_path(path)
    try:
        if path.exists():
            os.link(path, old)
            key_files.flush_folder(path.parent)
        else:
            key_files.create_json(old, {"kty": "oct", "k": to_base64url(_NO_EPOCH)}, secret=True)
    except OSError as error:
        raise KeyFileError(f"cannot keep the vault key as {old}: {error.strerror}") from None
    return True


def _fresh_epoch(now: datetime) -> dict[str, Any]:
    return {"kty": "oct", "k": to_base64url(secrets.token_bytes(KEY_BYTES)), "iat": int(now.timestamp())}


def _secret(path: Path) -> bytes:
    return key_files.read_secret(path, bytes, kind="vault key")


def _epoch(path: Path) -> bytes:
    epoch = epoch_path(path)
    return _secret(epoch) if epoch.exists() else _NO_EPOCH


def _former(path: Path) -> list[bytes]:
    old = former_path(path)
    try:
        return [_secret(old)] if old.exists() else []
    except KeyFileError:
        if old.exists():
            raise
        return []  # destroyed since


def _wrapping_key(path: Path, key: bytes, epoch: bytes) -> VaultKey:
    try:
        return VaultKey.of_epoch(key, epoch)
    except ValueError as error:
        raise KeyFileError(f"{path} is not a vault key: {error}") from None
