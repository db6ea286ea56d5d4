"""How often one person may try: open challenges, attempts an hour, and rejections in a row, each counted in the database.

Whoever guesses, or tries one fake after the other, is slowed down; whoever is rejected by mistake can go on after a while. All
servers of a site count together. Two of them that ask at the same moment may, on PostgreSQL, each let one more through.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from verifier.errors import ChallengeError
from verifier.reasons import Reason
from verifier.store import tables
from verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

_HOUR = timedelta(hours=1)
_SETTLED = (Verdict.REJECTED.value, Verdict.ACCEPTED.value, Verdict.REVIEW.value)
"""Verdicts that say something of the person; RETRY says something of the recording, and neither counts nor ends a row."""


class TooManyAttemptsError(ChallengeError):
    """Somebody tries too often; `limit` names the setting that says so, `retry_after_s` when they may again."""

    def __init__(self, limit: str, message: str, retry_after: timedelta) -> None:
        """Keep the parts beside the message, to which the delay is added."""
        self.limit = limit
        self.retry_after_s = max(retry_after.total_seconds(), 1.0)
        super().__init__(Reason.TOO_MANY_ATTEMPTS, f"{message}; try again in {self.retry_after_s:.0f} s")


@dataclass(frozen=True, slots=True)
class Pace:
    """What one person may do. wait: after `failures_in_a_row` rejections, from the last one, before each further attempt."""

    open_challenges: int
    attempts_an_hour: int
    failures_in_a_row: int
    wait: timedelta

    def require_challenge(self, connection: Connection, subject: str, *, now: datetime) -> None:
        """Refuse a further challenge, inside a transaction of the caller.

        Raises:
            TooManyAttemptsError: as many as may be are open, or an attempt would be refused; of several limits the one that holds
                longest.
        """
        _raise_longest((*self._open(connection, subject, now), *self._attempts(connection, subject, now)))

    def require_attempt(self, connection: Connection, subject: str, *, now: datetime) -> None:
        """Refuse a further attempt, inside a transaction of the caller.

        Raises:
            TooManyAttemptsError: there were too many within the hour, or too many rejections in a row.
        """
        _raise_longest(tuple(self._attempts(connection, subject, now)))

    def _open(self, connection: Connection, subject: str, now: datetime) -> Iterator[TooManyAttemptsError]:
        table, at_most = tables.challenges, self.open_challenges
        query = (
            select(table.c.expires_at)
            .where(table.c.subject == subject, table.c.spent_at.is_(None), table.c.expires_at > now)
            .order_by(table.c.expires_at.desc())
            .limit(at_most)
        )
        ends = connection.execute(query).scalars().all()
        if len(ends) == at_most:
            told = f"{at_most} challenges of this person are open: answer one"
            yield TooManyAttemptsError("open_challenges", told, ends[-1] - now)

    def _attempts(self, connection: Connection, subject: str, now: datetime) -> Iterator[TooManyAttemptsError]:
        table, at_most, in_a_row = tables.attempts, self.attempts_an_hour, self.failures_in_a_row
        theirs = select(table.c.created_at, table.c.finished_at, table.c.verdict).where(table.c.subject == subject)
        newest_first = theirs.order_by(table.c.created_at.desc())
        recent = connection.execute(newest_first.where(table.c.created_at > now - _HOUR).limit(at_most)).all()
        if len(recent) == at_most:
            told = f"this person made {at_most} attempts within an hour"
            yield TooManyAttemptsError("attempts_an_hour", told, recent[-1].created_at + _HOUR - now)
        settled = connection.execute(newest_first.where(table.c.verdict.in_(_SETTLED)).limit(in_a_row)).all()
        if len(settled) == in_a_row and all(row.verdict == Verdict.REJECTED.value for row in settled):
            left = settled[0].finished_at + self.wait - now
            if left > timedelta(0):
                told = f"{in_a_row} attempts of this person in a row were rejected"
                yield TooManyAttemptsError("failures_in_a_row", told, left)


def _raise_longest(refusals: Sequence[TooManyAttemptsError]) -> None:
    if refusals:
        raise max(refusals, key=lambda refusal: refusal.retry_after_s)
