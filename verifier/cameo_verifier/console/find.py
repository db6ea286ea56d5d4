"""Search of attempts by an id: of the attempt, its challenge or its subject; whole or in part, case-insensitive.

A whole id in its original case is found by its index, at any age. Anything else is searched for among the latest attempts only:
no index helps there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, union_all

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.store.attempts.states import AttemptState
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

LEAST, MOST = 3, 128
"""Allowed length of a part, in characters."""
LATEST = 100_000
"""Number of attempts that are searched for a part."""
AT_MOST = 1000
"""Maximum number of matches of a part, the latest."""
_IDS = ("id", "challenge_id", "subject")


def by_id(text: str) -> ColumnElement[bool]:
    """Return the condition on `tables.attempts` that an id equals or contains the text.

    Raises:
        InvalidRequestError: the text is longer than any id.
    """
    if len(text) > MOST:
        raise InvalidRequestError(f"an id has at most {MOST} characters")
    table = tables.attempts
    # One branch each: a condition over three columns would use no index.
    found = [select(table.c.id).where(table.c[name] == text) for name in _IDS]
    if len(text) >= LEAST:
        judged = select(*(table.c[name] for name in (*_IDS, "created_at"))).where(table.c.state == AttemptState.JUDGED.value)
        latest = judged.order_by(table.c.created_at.desc()).limit(LATEST).subquery()
        escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
        alike = or_(*(func.lower(latest.c[name]).like(func.lower(f"%{escaped}%"), escape="/") for name in _IDS))
        parts = select(latest.c.id).where(alike).order_by(latest.c.created_at.desc()).limit(AT_MOST).subquery()
        found.append(select(parts.c.id))
    return table.c.id.in_(union_all(*found))
