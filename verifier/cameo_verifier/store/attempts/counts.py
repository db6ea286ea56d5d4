"""Counts of attempts by day, verdict and reasons."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Text, cast, func, select, type_coerce

from cameo_verifier.reasons import Reason
from cameo_verifier.store.attempts.states import AttemptState
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.days import DAY_US
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Count:
    """The number of attempts of one day (UTC) with this verdict and these reasons."""

    day: datetime
    verdict: Verdict
    reasons: tuple[Reason, ...]
    attempts: int


class AttemptCounts:
    """Counts attempts with a verdict in the database behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def by_day(self, condition: ColumnElement[bool]) -> list[Count]:
        """Return the counts of attempts that meet a condition on `tables.attempts`, oldest day first.

        Raises:
            StoreError: the database failed.
        """
        table = tables.attempts
        day = (type_coerce(table.c.created_at, BigInteger) // DAY_US).label("day")
        # PostgreSQL cannot group by JSON; its text is the same in every database, and is grouped before parsing.
        reasons = cast(table.c.reasons, Text).label("reasons")
        query = select(day, table.c.verdict, reasons, func.count().label("attempts"))
        query = query.where(condition, table.c.verdict.is_not(None)).group_by(day, table.c.verdict, reasons).order_by(day)
        with store_errors(), self._engine.connect() as connection:
            return [
                Count(
                    _EPOCH + timedelta(days=row.day),
                    Verdict(row.verdict),
                    tuple(map(Reason, json.loads(row.reasons))),
                    row.attempts,
                )
                for row in connection.execute(query)
            ]

    def mark(self) -> tuple[object, ...]:
        """Return a value that changes whenever counts may: an attempt is judged once, and labels are only added and withdrawn.

        Raises:
            StoreError: the database failed.
        """
        table, labels = tables.attempts, tables.labels
        judged = select(func.count(), func.max(table.c.created_at)).where(table.c.state == AttemptState.JUDGED.value)
        with store_errors(), self._engine.connect() as connection:
            given = select(func.count(), func.count(labels.c.withdrawn_at)).select_from(labels)
            return (*connection.execute(judged).one(), *connection.execute(given).one())
