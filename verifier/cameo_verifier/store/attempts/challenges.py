"""Issued challenges, and the time at which each was spent.

A challenge is issued, then either spent once, answered correctly or not, or expired; both are final. At its expiry it is already
expired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cameo_challenges.model import Challenge, from_json, to_json
from cameo_verifier.errors import ChallengeError, StoreError
from cameo_verifier.reasons import Reason
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from cameo_verifier.store.attempts.rate_limits import RateLimits

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class StoredChallenge:
    """A challenge, its subject, and the time at which it was spent, None if it was not."""

    challenge: Challenge
    subject: str
    spent_at: datetime | None


class ChallengeStore:
    """Challenges in the database behind `engine`."""

    def __init__(self, engine: Engine, *, rate_limits: RateLimits | None = None) -> None:
        """Use the database behind `engine`; `rate_limits` are those of one person, None for none."""
        self._engine, self._rate_limits = engine, rate_limits

    def add(self, challenge: Challenge, *, subject: str, request_id: str = "") -> Challenge:
        """Store an issued challenge, and return the one to give to the caller.

        A second call with the same subject and request id stores nothing and returns the first call's challenge.

        Raises:
            TooManyAttemptsError: this person may have no further challenge now.
            StoreError: the database failed, or the id is taken.
        """
        if not (challenge.id and challenge.issued_at and challenge.expires_at):
            raise RuntimeError("only an issued challenge, with an id and times, can be kept")
        row = {
            "id": challenge.id,
            "subject": subject,
            "request_id": request_id or None,
            "document": to_json(challenge),
            "issued_at": challenge.issued_at,
            "expires_at": challenge.expires_at,
        }
        with store_errors():
            try:
                with writing(self._engine).begin() as connection:
                    if request_id and (first := _by_request_id(connection, subject, request_id)) is not None:
                        return first
                    if self._rate_limits is not None:
                        self._rate_limits.require_challenge(connection, subject, now=challenge.issued_at)
                    connection.execute(insert(tables.challenges).values(row))
            except IntegrityError:
                with self._engine.connect() as connection:
                    first = _by_request_id(connection, subject, request_id) if request_id else None
                if first is None:
                    raise StoreError("a challenge with this id is already kept") from None
                return first
        return challenge

    def get(self, identifier: str) -> StoredChallenge:
        """Return a challenge.

        Raises:
            ChallengeError: `CHALLENGE_UNKNOWN`.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.connect() as connection:
            return read(connection, identifier)

    def spend(self, identifier: str, *, now: datetime) -> StoredChallenge:
        """Spend a challenge: of concurrent calls, in any process, exactly one succeeds.

        Raises:
            ChallengeError: `CHALLENGE_UNKNOWN`, `CHALLENGE_SPENT` or `CHALLENGE_EXPIRED`.
            StoreError: the database failed; nothing was spent.
        """
        with store_errors(), self._engine.begin() as connection:
            return spend(connection, identifier, now=now)

    def drop_unanswered(self, *, expired_before: datetime) -> int:
        """Delete unanswered challenges that expired before a time; return their number.

        An answered challenge stays with its attempt.

        Raises:
            StoreError: the database failed; some may be deleted.
        """
        table = tables.challenges
        over = select(table.c.id).where(table.c.spent_at.is_(None), table.c.expires_at < expired_before).limit(_AT_ONCE)
        count = 0
        while True:
            with store_errors(), writing(self._engine).begin() as connection:
                # Repeated: on PostgreSQL another server may spend one in between.
                gone = connection.execute(delete(table).where(table.c.id.in_(over), table.c.spent_at.is_(None))).rowcount
            count += gone
            if gone < _AT_ONCE:
                return count


def _by_request_id(connection: Connection, subject: str, request_id: str) -> Challenge | None:
    table = tables.challenges
    query = select(table.c.document).where(table.c.subject == subject, table.c.request_id == request_id)
    document = connection.execute(query).scalar_one_or_none()
    return None if document is None else from_json(document)


def read(connection: Connection, identifier: str) -> StoredChallenge:
    """Return a challenge, inside a transaction of the caller; errors as `ChallengeStore.get`."""
    table = tables.challenges
    query = select(table.c.document, table.c.subject, table.c.spent_at).where(table.c.id == identifier)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise ChallengeError(Reason.CHALLENGE_UNKNOWN, "no challenge has this id")
    return StoredChallenge(from_json(row.document), row.subject, row.spent_at)


def spend(connection: Connection, identifier: str, *, now: datetime) -> StoredChallenge:
    """Spend a challenge, inside a transaction of the caller; errors as `ChallengeStore.spend`."""
    table = tables.challenges
    # One conditional statement: the database, not this process, decides which call succeeds.
    statement = (
        update(table).where(table.c.id == identifier, table.c.spent_at.is_(None), table.c.expires_at > now).values(spent_at=now)
    )
    won = connection.execute(statement).rowcount == 1
    stored = read(connection, identifier)
    if won:
        return stored
    if stored.spent_at is not None:
        raise ChallengeError(Reason.CHALLENGE_SPENT, "this challenge was answered already")
    raise ChallengeError(Reason.CHALLENGE_EXPIRED, "this challenge has expired")
