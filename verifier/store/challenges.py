"""Challenges that were issued, and the moment each was spent.

The rules are those of `challenges.ledger`: issued, then spent once or expired; the moment of expiry is already too late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from challenges.model import Challenge, from_json, to_json
from verifier.errors import ChallengeError, StoreError
from verifier.reasons import Reason
from verifier.store import tables
from verifier.store.faults import store_errors

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine


@dataclass(frozen=True, slots=True)
class StoredChallenge:
    """A challenge, whom it was issued to, and when it was spent, if it was."""

    challenge: Challenge
    subject: str
    spent_at: datetime | None


class ChallengeStore:
    """Challenges in the database behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, challenge: Challenge, *, subject: str, request_id: str = "") -> Challenge:
        """Keep a challenge that was just issued, and return the one to hand out.

        A second call with the same subject and a request id keeps nothing and returns the first call's challenge.

        Raises:
            StoreError: the database could not do it, or the id is taken.
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
                with self._engine.begin() as connection:
                    connection.execute(insert(tables.challenges).values(row))
            except IntegrityError:
                first = self._by_request_id(subject, request_id) if request_id else None
                if first is None:
                    raise StoreError("a challenge with this id is already kept") from None
                return first
        return challenge

    def get(self, identifier: str) -> StoredChallenge:
        """Return a challenge.

        Raises:
            ChallengeError: `CHALLENGE_UNKNOWN`.
            StoreError: the database could not do it.
        """
        with store_errors(), self._engine.connect() as connection:
            return read(connection, identifier)

    def spend(self, identifier: str, *, now: datetime) -> StoredChallenge:
        """Spend a challenge: of all who try, in whatever process, exactly one gets it.

        Raises:
            ChallengeError: `CHALLENGE_UNKNOWN`, `CHALLENGE_SPENT` or `CHALLENGE_EXPIRED`.
            StoreError: the database could not do it; nothing was spent.
        """
        with store_errors(), self._engine.begin() as connection:
            return spend(connection, identifier, now=now)

    def _by_request_id(self, subject: str, request_id: str) -> Challenge | None:
        table = tables.challenges
        query = select(table.c.document).where(table.c.subject == subject, table.c.request_id == request_id)
        with self._engine.connect() as connection:
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
    # One conditional statement: the database, not this process, decides who was first.
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
