"""The present wrapping key, recorded in the database: a fence between writers of wrapped data keys and a key rotation.

A writer wraps before its transaction. Within it, it locks the row and compares; a rotation changes the row and so waits for all
who lock it. Afterwards no data key can be stored that the former vault key wrapped, whatever a server still has in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from cameo_verifier.errors import StoreError
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection


class VaultKeyRotatedError(StoreError):
    """The wrapping vault key was replaced; the data key can be stored once it is wrapped by the present one."""


def hold(connection: Connection, vault_key_id: str) -> None:
    """Lock the recorded vault key until the end of the caller's transaction, and compare it.

    Args:
        connection: of the transaction, which writes.
        vault_key_id: of the key that wrapped; empty if stored data is moved.

    Raises:
        VaultKeyRotatedError: another key wraps now.
    """
    current = connection.execute(select(tables.vault_key.c.id).with_for_update(read=True)).scalar_one()
    if vault_key_id and current and vault_key_id != current:
        raise VaultKeyRotatedError(
            f"the vault key was rotated: {vault_key_id} wrapped this, {current} wraps now; bring this server the key files of now"
        )


def recorded(connection: Connection) -> str:
    """Return the id of the recorded wrapping key, empty if none is, locked until the end of the caller's transaction."""
    return str(connection.execute(select(tables.vault_key.c.id).with_for_update()).scalar_one())


def change(connection: Connection, vault_key_id: str) -> None:
    """Record the wrapping key, inside a transaction of the caller, which writes."""
    connection.execute(update(tables.vault_key).values(id=vault_key_id))
