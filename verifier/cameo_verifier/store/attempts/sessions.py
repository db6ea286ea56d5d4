"""Live sessions: created by an app, captured once, and then an attempt.

A session waits until it is captured. Until the first prompt nothing is spent, and a capture that breaks off gives it back. With
the first prompt it gets its attempt, in the transaction that spends the challenge; from then on the attempt says how it ended.
The end of a session is an event, in the transaction that ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cameo_credential.errors import CameoError
from cameo_verifier.cameo.model import EventKind
from cameo_verifier.errors import NotFoundError, StoreError
from cameo_verifier.store.attempts.states import AttemptState
from cameo_verifier.store.cameos import events
from cameo_verifier.store.db import documents, tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from cameo_verifier.cameo.verification_options import VerificationOptions
    from cameo_verifier.store.attempts.rate_limits import RateLimits

_TABLE = tables.sessions
_EXPIRED_AT_ONCE = 500


class SessionState(StrEnum):
    """The state of a session; the names are those of `cameo.v1.SessionState`."""

    WAITING = "WAITING"
    PREPARING = "PREPARING"
    PROMPTING = "PROMPTING"
    JUDGING = "JUDGING"
    JUDGED = "JUDGED"
    ENDED = "ENDED"
    EXPIRED = "EXPIRED"


_EXPIRED = SessionState.EXPIRED.value


class NotWaitingError(CameoError):
    """A session cannot be captured; `state` says why."""

    def __init__(self, state: SessionState) -> None:
        """Keep the state."""
        super().__init__(f"the session is {state.value.lower()}")
        self.state = state


@dataclass(frozen=True, slots=True)
class Session:
    """One session.

    Attributes:
        id: opaque, unguessable.
        subject: the account.
        audience: whom its receipt is for.
        request_id: the app's id of the request that created it.
        language: BCP 47 tag of its prompts.
        needs: what the person cannot do, names of `cameo.v1.Need`.
        asked: what the app asks beside the verdict.
        created_at, expires_at: times in UTC.
        state: its state.
        attempt_id: its attempt, empty before the first prompt.
        ended_by: why it ended without a verdict, empty otherwise.
        hello: what the capturing client said about itself, None before; under `misfits` what of its recording does not fit.
    """

    id: str
    subject: str
    audience: str
    request_id: str
    language: str
    needs: tuple[str, ...]
    asked: VerificationOptions
    created_at: datetime
    expires_at: datetime
    state: SessionState = SessionState.WAITING
    attempt_id: str = ""
    ended_by: str = ""
    hello: Mapping[str, Any] | None = None


class SessionStore:
    """Sessions in the database behind `engine`; those that are captured here belong to the server `server_id`."""

    def __init__(self, engine: Engine, *, server_id: str, rate_limits: RateLimits | None = None) -> None:
        """Use the database behind `engine`; `rate_limits` are those of one person, None for none."""
        self._engine, self._server_id, self._rate_limits = engine, server_id, rate_limits

    def add(self, session: Session) -> Session:
        """Store a new session; a second call with the same subject and request id returns the first one.

        Raises:
            TooManyAttemptsError: this person has too many that are unused.
            StoreError: the database failed.
        """
        same = (_TABLE.c.subject == session.subject) & (_TABLE.c.request_id == session.request_id)
        row = {
            "id": session.id,
            "subject": session.subject,
            "audience": session.audience,
            "request_id": session.request_id,
            "language": session.language,
            "needs": list(session.needs),
            "asked": documents.asked_to_json(session.asked),
            "state": SessionState.WAITING.value,
            "ended_by": "",
            "server_id": "",
            "created_at": session.created_at,
            "expires_at": session.expires_at,
        }
        with store_errors():
            try:
                with writing(self._engine).begin() as connection:
                    if (first := connection.execute(select(_TABLE).where(same)).one_or_none()) is not None:
                        return _from_row(first)
                    if self._rate_limits is not None:
                        self._rate_limits.require_session(connection, session.subject, now=session.created_at)
                    connection.execute(insert(_TABLE).values(row))
            except IntegrityError:
                with self._engine.connect() as connection:
                    first = connection.execute(select(_TABLE).where(same)).one_or_none()
                if first is None:
                    raise StoreError("a session with this id is already kept") from None
                return _from_row(first)
        return session

    def get(self, identifier: str, *, now: datetime) -> Session:
        """Return a session with its current state.

        Raises:
            NotFoundError: no session has this id.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.connect() as connection:
            return _read(connection, identifier, now=now)

    def claim(self, identifier: str, *, hello: Mapping[str, Any], now: datetime) -> Session:
        """Begin a capture. Of concurrent calls of several servers exactly one succeeds; this server makes no two at once.

        Raises:
            NotFoundError: no session has this id.
            NotWaitingError: it is captured by another server, was captured before, or has expired.
            StoreError: the database failed.
        """
        mine = (_TABLE.c.server_id == self._server_id) | _TABLE.c.server_id.not_in(select(tables.servers.c.id))
        free = (
            (_TABLE.c.id == identifier)
            & _TABLE.c.attempt_id.is_(None)
            & (_TABLE.c.expires_at > now)
            & mine
            & (_TABLE.c.state != _EXPIRED)
        )
        taken = (
            update(_TABLE).where(free).values(state=SessionState.PREPARING.value, server_id=self._server_id, hello=dict(hello))
        )
        with store_errors(), writing(self._engine).begin() as connection:
            won = connection.execute(taken).rowcount == 1
            session = _read(connection, identifier, now=now)
        if not won:
            raise NotWaitingError(session.state)
        return session

    def release(self, identifier: str) -> None:
        """Give back a session whose capture broke off before its first prompt.

        Raises:
            StoreError: the database failed.
        """
        mine = (_TABLE.c.id == identifier) & (_TABLE.c.server_id == self._server_id) & _TABLE.c.attempt_id.is_(None)
        self._set(mine, state=SessionState.WAITING.value, server_id="")

    def judging(self, identifier: str) -> None:
        """Note that the answer is complete.

        Raises:
            StoreError: the database failed.
        """
        self._set(_TABLE.c.id == identifier, state=SessionState.JUDGING.value)

    def note(self, identifier: str, hello: Mapping[str, Any]) -> None:
        """Replace what is known of the capturing client.

        Raises:
            StoreError: the database failed.
        """
        self._set(_TABLE.c.id == identifier, hello=dict(hello))

    def end(self, identifier: str, reason: str) -> None:
        """Note why a session ends without a verdict; its attempt is ended elsewhere.

        Raises:
            StoreError: the database failed.
        """
        self._set(_TABLE.c.id == identifier, ended_by=reason)

    def expire(self, *, now: datetime) -> bool:
        """Note a batch of sessions that nobody used in time, with an event each; return whether there may be more.

        Those that a living server prepares are left alone.

        Raises:
            StoreError: the database failed.
        """
        idle = (_TABLE.c.state == SessionState.WAITING.value) | _TABLE.c.server_id.not_in(select(tables.servers.c.id))
        over = _TABLE.c.attempt_id.is_(None) & (_TABLE.c.expires_at <= now) & (_TABLE.c.state != _EXPIRED) & idle
        query = select(_TABLE.c.id, _TABLE.c.subject).where(over).order_by(_TABLE.c.id).limit(_EXPIRED_AT_ONCE).with_for_update()
        with store_errors(), writing(self._engine).begin() as connection:
            found = connection.execute(query).all()
            connection.execute(update(_TABLE).where(_TABLE.c.id.in_([row.id for row in found])).values(state=_EXPIRED))
            events.append_of_sessions(
                connection, [(row.id, row.subject, "") for row in found], EventKind.SESSION_HAS_EXPIRED, now=now
            )
        return len(found) == _EXPIRED_AT_ONCE

    def drop_unused(self, *, expired_before: datetime) -> int:
        """Delete sessions that `expire` found, and that expired before a time; return their number.

        Raises:
            StoreError: the database failed.
        """
        unused = delete(_TABLE).where(_TABLE.c.state == _EXPIRED, _TABLE.c.expires_at < expired_before)
        with store_errors(), writing(self._engine).begin() as connection:
            return connection.execute(unused).rowcount

    def _set(self, condition: Any, **values: object) -> None:  # noqa: ANN401 - a condition of SQLAlchemy
        with store_errors(), writing(self._engine).begin() as connection:
            connection.execute(update(_TABLE).where(condition).values(values))


def prompting(connection: Connection, identifier: str, attempt_id: str, *, server_id: str) -> None:
    """Give a session that a server captures its attempt, inside the transaction that begins it.

    Raises:
        NotFoundError: the session was deleted with its person, or another server captures or captured it.
    """
    held = (_TABLE.c.id == identifier) & (_TABLE.c.server_id == server_id) & _TABLE.c.attempt_id.is_(None)
    values = {"attempt_id": attempt_id, "state": SessionState.PROMPTING.value}
    if connection.execute(update(_TABLE).where(held).values(values)).rowcount != 1:
        raise NotFoundError("the session was deleted, or is captured elsewhere")


def hello_of(engine: Engine, attempt_id: str) -> Mapping[str, Any] | None:
    """Return what the client that captured an attempt said about itself; None where the attempt is of no live session.

    Raises:
        StoreError: the database failed.
    """
    with store_errors(), engine.connect() as connection:
        found: Mapping[str, Any] | None = connection.execute(
            select(_TABLE.c.hello).where(_TABLE.c.attempt_id == attempt_id)
        ).scalar_one_or_none()
    return found


def ended(connection: Connection, attempt_ids: Sequence[str], kind: EventKind, *, now: datetime) -> None:
    """Add the event of each live session whose attempt ends, inside the transaction that ends the attempts."""
    query = select(_TABLE.c.id, _TABLE.c.subject, _TABLE.c.attempt_id).where(_TABLE.c.attempt_id.in_(attempt_ids))
    found = connection.execute(query.order_by(_TABLE.c.id)).all()
    events.append_of_sessions(connection, [(row.id, row.subject, row.attempt_id) for row in found], kind, now=now)


def _read(connection: Connection, identifier: str, *, now: datetime) -> Session:
    row = connection.execute(select(_TABLE).where(_TABLE.c.id == identifier)).one_or_none()
    if row is None:
        raise NotFoundError("no session has this id")
    session = _from_row(row)
    if session.attempt_id:
        return replace(session, **_by_attempt(connection, session))
    held = select(tables.servers.c.id).where(tables.servers.c.id == row.server_id)
    if session.state is SessionState.PREPARING and connection.execute(held).one_or_none() is None:
        session = replace(session, state=SessionState.WAITING)
    if session.state is SessionState.WAITING and session.expires_at <= now:
        return replace(session, state=SessionState.EXPIRED)
    return session


def _by_attempt(connection: Connection, session: Session) -> dict[str, Any]:
    state = connection.execute(select(tables.attempts.c.state).where(tables.attempts.c.id == session.attempt_id)).scalar_one()
    match AttemptState(state):
        case AttemptState.JUDGED:
            return {"state": SessionState.JUDGED, "ended_by": ""}
        case AttemptState.UNJUDGED:
            # Nobody noted why: its server is gone.
            return {"state": SessionState.ENDED, "ended_by": session.ended_by or "JUDGING_INTERRUPTED"}
    return {"ended_by": ""}


def _from_row(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        subject=row.subject,
        audience=row.audience,
        request_id=row.request_id,
        language=row.language,
        needs=tuple(row.needs),
        asked=documents.asked_from_json(row.asked),
        created_at=row.created_at,
        expires_at=row.expires_at,
        state=SessionState(row.state),
        attempt_id=row.attempt_id or "",
        ended_by=row.ended_by,
        hello=row.hello,
    )
