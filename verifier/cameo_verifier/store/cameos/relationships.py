"""Follows between people, for sites whose app has no graph of its own to query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select

from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection


def set_follow(connection: Connection, follower: str, followee: str, *, follows: bool) -> None:
    """Set or delete a follow, inside a transaction of the caller."""
    table = tables.follows
    mine = (table.c.follower == follower) & (table.c.followee == followee)
    connection.execute(delete(table).where(mine))
    if follows:
        connection.execute(insert(table).values(follower=follower, followee=followee))


def mutual(connection: Connection, one: str, other: str) -> bool:
    """Return whether each follows the other."""
    table = tables.follows
    there = (table.c.follower == one) & (table.c.followee == other)
    back = (table.c.follower == other) & (table.c.followee == one)
    return connection.execute(select(func.count()).select_from(table).where(there | back)).scalar_one() == 2
