"""Days (UTC) of stored times, as expressions of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, type_coerce

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

DAY_US = 24 * 60 * 60 * 1_000_000
"""Microseconds of a day."""


def start_of_day(column: ColumnElement[datetime]) -> ColumnElement[int]:
    """Return the start of a time's day, in microseconds since 1970 in UTC; null for null."""
    time = type_coerce(column, BigInteger)
    return time - time % DAY_US
