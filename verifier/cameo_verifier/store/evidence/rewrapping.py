"""Wraps data keys anew: of likenesses that wait, of likenesses, and of subjects, in this order and some at a time.

Likenesses that wait come first: one that is approved meanwhile goes to the others, which come after.
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
"""Rows of one transaction: few milliseconds, so that servers get their turn."""


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What one transaction did: data keys looked at, those wrapped anew, those that no key opens."""

    seen: int
    changed: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where data keys are: their table, its primary key, the column their wrapping is bound to, and whose keys."""

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
    """Return how many data keys the vault key wraps.

    Raises:
        StoreError: the database could not do it.
    """
    with store_errors(), engine.connect() as connection:
        return sum(
            connection.execute(
                select(func.count()).select_from(kept.table).where(kept.table.c.wrapped_key.is_not(None))
            ).scalar_one()
            for kept in _ALL
        )


def rewrap_all(engine: Engine, vault: Vault) -> Iterator[Rewrapped]:
    """Go through all data keys once, and yield what each transaction did, after its commit.

    Raises:
        StoreError: the database could not do it; what was yielded is done.
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
    """Wrap the next keys anew, those after the primary key `last`; return the last of them."""
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
