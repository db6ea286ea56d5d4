"""Rate limits per person: open challenges, unused sessions, attempts per hour, and rejections in a row, as the database counts.

They slow down whoever guesses, or tries one fake after another; a person rejected by mistake can go on after a while. All servers
of a site count together. On PostgreSQL two concurrent requests may each let one more through.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import select

from cameo_verifier.errors import ChallengeError
from cameo_verifier.reasons import Reason
from cameo_verifier.store.db import tables
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from cameo_verifier.settings import Settings

_HOUR = timedelta(hours=1)
_SETTLED = (Verdict.REJECTED.value, Verdict.ACCEPTED.value, Verdict.REVIEW.value)
"""Verdicts about the person; RETRY is about the recording, and neither counts nor ends a series of rejections."""


class TooManyAttemptsError(ChallengeError):
    """The rate limit of a person is exceeded; `limit` names the setting, `retry_after_s` is the retry delay."""

    def __init__(self, limit: str, message: str, retry_after: timedelta) -> None:
        """Keep the parts with the message, to which the delay is appended."""
        self.limit = limit
        self.retry_after_s = max(retry_after.total_seconds(), 1.0)
        super().__init__(Reason.TOO_MANY_ATTEMPTS, f"{message}; try again in {self.retry_after_s:.0f} s")


@dataclass(frozen=True, slots=True)
class Tried:
    """A person's counts: open challenges, attempts within the hour, rejections since the last other verdict.

    refused: the limits exceeded now, each with its end; the counts stop at their limits.
    """

    open_challenges: int
    attempts: int
    failures: int
    refused: tuple[TooManyAttemptsError, ...]


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The limits for one person. wait: after `failures_in_a_row` rejections, from the last one, before each further attempt."""

    open_challenges: int
    attempts_an_hour: int
    failures_in_a_row: int
    wait: timedelta

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the limits of a site."""
        wait = timedelta(seconds=settings.failure_wait_s)
        return cls(settings.open_challenges, settings.attempts_an_hour, settings.failures_in_a_row, wait)

    def require_challenge(self, connection: Connection, subject: str, *, now: datetime) -> None:
        """Check that a person may have a further challenge, inside a transaction of the caller.

        Raises:
            TooManyAttemptsError: too many are open, or an attempt would be refused; of several limits the one that lasts
                longest.
        """
        _raise_longest((*self._open(connection, subject, now), *self._attempts(connection, subject, now)))

    def require_session(self, connection: Connection, subject: str, *, now: datetime) -> None:
        """Check that a person may have a further live session, inside a transaction of the caller.

        Raises:
            TooManyAttemptsError: as many as challenges may be open are unused.
        """
        table, at_most = tables.sessions, self.open_challenges
        unused = (table.c.subject == subject) & table.c.attempt_id.is_(None) & (table.c.expires_at > now)
        query = select(table.c.expires_at).where(unused).order_by(table.c.expires_at.desc()).limit(at_most)
        ends = connection.execute(query).scalars().all()
        if len(ends) == at_most:
            told = f"{at_most} live sessions of this person are unused: use one"
            raise TooManyAttemptsError("open_challenges", told, ends[-1] - now)

    def require_attempt(self, connection: Connection, subject: str, *, now: datetime) -> None:
        """Check that a person may make a further attempt, inside a transaction of the caller.

        Raises:
            TooManyAttemptsError: there were too many within the hour, or too many rejections in a row.
        """
        _raise_longest(tuple(self._attempts(connection, subject, now)))

    def tried(self, connection: Connection, subject: str, *, now: datetime) -> Tried:
        """Return a person's counts and the limits exceeded, inside a transaction of the caller."""
        ends, (recent, settled) = self._ends(connection, subject, now), self._latest(connection, subject, now)
        failures = [row.verdict == Verdict.REJECTED.value for row in settled]
        in_a_row = failures.index(False) if False in failures else len(failures)
        refused = (*self._open(connection, subject, now), *self._attempts(connection, subject, now))
        return Tried(len(ends), len(recent), in_a_row, refused)

    def _open(self, connection: Connection, subject: str, now: datetime) -> Iterator[TooManyAttemptsError]:
        ends, at_most = self._ends(connection, subject, now), self.open_challenges
        if len(ends) == at_most:
            told = f"{at_most} challenges of this person are open: answer one"
            yield TooManyAttemptsError("open_challenges", told, ends[-1] - now)

    def _attempts(self, connection: Connection, subject: str, now: datetime) -> Iterator[TooManyAttemptsError]:
        at_most, in_a_row = self.attempts_an_hour, self.failures_in_a_row
        recent, settled = self._latest(connection, subject, now)
        if len(recent) == at_most:
            told = f"this person made {at_most} attempts within an hour"
            yield TooManyAttemptsError("attempts_an_hour", told, recent[-1].created_at + _HOUR - now)
        if len(settled) == in_a_row and all(row.verdict == Verdict.REJECTED.value for row in settled):
            left = settled[0].finished_at + self.wait - now
            if left > timedelta(0):
                told = f"{in_a_row} attempts of this person in a row were rejected"
                yield TooManyAttemptsError("failures_in_a_row", told, left)

    def _ends(self, connection: Connection, subject: str, now: datetime) -> Sequence[datetime]:
        """Return the expiry times of a person's open challenges, the last one first."""
        table = tables.challenges
        query = (
            select(table.c.expires_at)
            .where(table.c.subject == subject, table.c.spent_at.is_(None), table.c.expires_at > now)
            .order_by(table.c.expires_at.desc())
            .limit(self.open_challenges)
        )
        return connection.execute(query).scalars().all()

    def _latest(self, connection: Connection, subject: str, now: datetime) -> tuple[Sequence[Any], Sequence[Any]]:
        """Return a person's attempts within the hour, and those with a verdict about the person, as rows, newest first."""
        table = tables.attempts
        theirs = select(table.c.created_at, table.c.finished_at, table.c.verdict).where(table.c.subject == subject)
        newest_first = theirs.order_by(table.c.created_at.desc())
        recent = newest_first.where(table.c.created_at > now - _HOUR).limit(self.attempts_an_hour)
        settled = newest_first.where(table.c.verdict.in_(_SETTLED)).limit(self.failures_in_a_row)
        return connection.execute(recent).all(), connection.execute(settled).all()


def _raise_longest(refusals: Sequence[TooManyAttemptsError]) -> None:
    if refusals:
        raise max(refusals, key=lambda refusal: refusal.retry_after_s)
