"""Which vault key wraps now, as the database says it: a fence between who keeps wrapped data keys and who rotates the vault key.

A writer wraps before its transaction. Within it, it holds the row and compares; a rotation changes the row and so waits for all
who hold it. Afterwards no data key can be kept that the former vault key wrapped, whatever a server still has in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from cameo_verifier.errors import StoreError
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection


class VaultKeyRotatedError(StoreError):
    """The vault key that wrapped is not the site's any more; wrapped again by the one of now, it can be kept."""


def hold(connection: Connection, vault_key_id: str) -> None:
    """Keep the vault key as it is until the end of a transaction of the caller, which writes.

    Args:
        connection: of the transaction.
        vault_key_id: of the key that wrapped; empty where what was kept already is moved.

    Raises:
        VaultKeyRotatedError: another key wraps now.
    """
    current = connection.execute(select(tables.vault_key.c.id).with_for_update(read=True)).scalar_one()
    if vault_key_id and current and vault_key_id != current:
        raise VaultKeyRotatedError(
            f"the vault key was rotated: {vault_key_id} wrapped this, {current} wraps now; bring this server the key files of now"
        )


def change(connection: Connection, vault_key_id: str) -> None:
    """Say which key wraps from now on, inside a transaction of the caller, which writes."""
    connection.execute(update(tables.vault_key).values(id=vault_key_id))
