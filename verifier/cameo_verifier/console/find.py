"""Finding attempts by an id: of the attempt, its challenge or its subject; whole or in part, in capitals or not.

A whole id is found by its index, however old it is, where its letters are as they were given. Anything else is looked for in the
latest attempts alone: no index helps there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, union_all

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.store.attempts.attempts import AttemptState
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

LEAST, MOST = 3, 128
"""Characters of a part."""
LATEST = 100_000
"""Attempts that are looked through for a part."""
AT_MOST = 1000
"""Attempts that a part finds, the latest of them."""
_IDS = ("id", "challenge_id", "subject")


def by_id(text: str) -> ColumnElement[bool]:
    """Return the condition on `tables.attempts` that an id is this, or has it in it.

    Raises:
        InvalidRequestError: the text is longer than any id.
    """
    if len(text) > MOST:
        raise InvalidRequestError(f"an id has at most {MOST} characters")
    table = tables.attempts
    # A branch for each: one condition over three columns would use no index.
    found = [select(table.c.id).where(table.c[name] == text) for name in _IDS]
    if len(text) >= LEAST:
        judged = select(*(table.c[name] for name in (*_IDS, "created_at"))).where(table.c.state == AttemptState.JUDGED.value)
        latest = judged.order_by(table.c.created_at.desc()).limit(LATEST).subquery()
        escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
        alike = or_(*(func.lower(latest.c[name]).like(func.lower(f"%{escaped}%"), escape="/") for name in _IDS))
        parts = select(latest.c.id).where(alike).order_by(latest.c.created_at.desc()).limit(AT_MOST).subquery()
        found.append(select(parts.c.id))
    return table.c.id.in_(union_all(*found))
