"""Rewrapping of data keys: of likenesses in manual review, of likenesses, and of subjects, in this order and in batches.

Likenesses in manual review come first: one that is approved meanwhile moves to the others, which come after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from cameo_verifier.store.cameos.vault import VaultError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import ColumnElement, Connection, Engine, Table

    from cameo_verifier.store.cameos.vault import Vault

AT_ONCE = 200
"""Rows per transaction: a few milliseconds, so that servers can write between."""


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """The counts of one transaction: data keys read, rewrapped, and those that no key unwraps."""

    seen: int
    changed: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """A table of data keys: its primary key, the column its wrapping is bound to, and whether they are likenesses' keys."""

    table: Table
    key: ColumnElement[str]
    name: ColumnElement[str]
    of_likenesses: bool


_LIKENESSES, _WAITING, _SUBJECTS = tables.likenesses, tables.waiting_likenesses, tables.subject_keys
_ALL = (
    _Kept(_WAITING, _WAITING.c.attempt_id, _WAITING.c.cameo_id, of_likenesses=True),
    _Kept(_LIKENESSES, _LIKENESSES.c.cameo_id, _LIKENESSES.c.cameo_id, of_likenesses=True),
    _Kept(_SUBJECTS, _SUBJECTS.c.id, _SUBJECTS.c.id, of_likenesses=False),
)


def count(engine: Engine) -> int:
    """Return the number of data keys that the vault key wraps.

    Raises:
        StoreError: the database failed.
    """
    with store_errors(), engine.connect() as connection:
        return sum(
            connection.execute(
                select(func.count()).select_from(kept.table).where(kept.table.c.wrapped_key.is_not(None))
            ).scalar_one()
            for kept in _ALL
        )


def rewrap_all(engine: Engine, vault: Vault) -> Iterator[Rewrapped]:
    """Rewrap all data keys once, and yield the counts of each transaction, after its commit.

    Raises:
        StoreError: the database failed; what was yielded is done.
    """
    for kept in _ALL:
        last = ""
        while True:
            with store_errors(), writing(engine).begin() as connection:
                last, done = _some(connection, kept, vault, last)
            if not done.seen:
                break
            yield done


def _some(connection: Connection, kept: _Kept, vault: Vault, last: str) -> tuple[str, Rewrapped]:
    """Rewrap the next keys, those after the primary key `last`; return the last of them."""
    wrapped = kept.table.c.wrapped_key
    query = select(kept.key.label("key"), kept.name.label("name"), wrapped).where(kept.key > last, wrapped.is_not(None))
    rows = connection.execute(query.order_by(kept.key).limit(AT_ONCE).with_for_update()).all()
    rewrap: Callable[[bytes, str], bytes | None] = vault.rewrap_likeness if kept.of_likenesses else vault.rewrap
    changed = unreadable = 0
    for row in rows:
        try:
            anew = rewrap(row.wrapped_key, row.name)
        except VaultError:
            unreadable += 1
            continue
        if anew is not None:
            values = {"wrapped_key": anew} if kept.of_likenesses else {"wrapped_key": anew, "vault_key_id": vault.id}
            connection.execute(update(kept.table).where(kept.key == row.key).values(values))
            changed += 1
    return (rows[-1].key if rows else last), Rewrapped(len(rows), changed, unreadable)
