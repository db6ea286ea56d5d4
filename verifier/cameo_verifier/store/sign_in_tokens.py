"""Sign-in tokens of named local people: each is good once, for a time, until it is taken back.

A token is 192 random bits, and only its SHA-256 is kept. That it was made, spent or taken back is in the audit log, in the same
transaction. What somebody who came in by a token may still do hangs on it: `stands` says no once it was taken back.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.errors import NotFoundError
from cameo_verifier.ids import new_id
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.audit import Entry, Reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Engine, Row

    from cameo_verifier.store.evidence.audit import AuditLog

MAX_LASTS = timedelta(days=7)
"""The longest time a token may be good for."""
_BYTES = 24
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
"""As accounts are named: no capitals, no other scripts and nothing invisible, by which two names could look the same."""
_OURS = frozenset({"local", "retention"})
"""What the audit log calls whoever came by the token that is printed at start, and what removes evidence."""
_LISTED_FOR = timedelta(days=90)
_TABLE = tables.sign_in_tokens


@dataclass(frozen=True, slots=True)
class SignInToken:
    """A token without what it says. role: `analyst` or `lead`; times in UTC, None where that did not happen."""

    id: str
    name: str
    role: str
    made_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """Return how it stands: `revoked`, `used`, `expired` or `waiting`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.spent_at is not None:
            return "used"
        return "expired" if self.expires_at <= now else "waiting"


class SignInTokenStore:
    """Tokens in the database behind `engine`; `audit` hears of each. Methods may be called from several threads and processes."""

    def __init__(self, engine: Engine, audit: AuditLog) -> None:
        self._engine, self._audit = writing(engine), audit

    def make(
        self,
        name: str,
        role: str,
        *,
        lasts: timedelta,
        reader: Reader,
        now: datetime,
        random_token: Callable[[int], str] = secrets.token_urlsafe,
    ) -> tuple[SignInToken, str]:
        """Make a token for a person, and forget those that were made long ago.

        Args:
            name: what the audit log is to call the person.
            role: `analyst` or `lead`.
            lasts: how long it is good, at most `MAX_LASTS`.
            reader: who makes it, and why.
            now: the time in UTC.
            random_token: returns that many random bytes as text.

        Returns:
            it, and its text, which nobody can read again.

        Raises:
            InvalidRequestError: the name could be taken for another one, or the time is too long.
            StoreError: the database could not do it.
        """
        _require_name(name)
        if not timedelta() < lasts <= MAX_LASTS:
            raise InvalidRequestError(f"a token is good for more than 0 and at most {MAX_LASTS // timedelta(hours=1)} hours")
        token, text = SignInToken(new_id(), name, role, now, now + lasts), random_token(_BYTES)
        row = {each: getattr(token, each) for each in SignInToken.__slots__} | {"digest": _digest(text)}
        with store_errors(), self._engine.begin() as connection:
            connection.execute(delete(_TABLE).where(_TABLE.c.made_at < now - _LISTED_FOR))
            connection.execute(insert(_TABLE).values(row))
            self._audit.append_within(connection, [Entry("admit", "", f"{name} as {role}")], reader=reader, now=now)
        return token, text

    def spend(self, text: str, *, now: datetime) -> SignInToken | None:
        """Return the token that this is, if it is good, which it then is no more; None where it is not.

        Raises:
            StoreError: the database could not do it.
        """
        good = (_TABLE.c.digest == _digest(text)) & _TABLE.c.spent_at.is_(None) & _TABLE.c.revoked_at.is_(None)
        spending = update(_TABLE).where(good, _TABLE.c.expires_at > now).values(spent_at=now)
        with store_errors(), self._engine.begin() as connection:
            row = connection.execute(spending.returning(*_columns())).one_or_none()
            if row is None:
                return None
            token = _token(row)
            entering = Reader(token.name, "signed in to the console by a token")
            self._audit.append_within(connection, [Entry("enter", "", f"as {token.role}")], reader=entering, now=now)
        return token

    def stands(self, token_id: str) -> bool:
        """Whether a token, by which somebody came in, was not taken back since.

        Raises:
            StoreError: the database could not do it.
        """
        query = select(_TABLE.c.id).where(_TABLE.c.id == token_id, _TABLE.c.revoked_at.is_(None))
        with store_errors(), self._engine.connect() as connection:
            return connection.execute(query).one_or_none() is not None

    def revoke(self, name: str, *, reader: Reader, now: datetime) -> int:
        """Take back all tokens of a person, used or not, and return how many those were.

        Raises:
            NotFoundError: this person has none that is not taken back already.
            StoreError: the database could not do it.
        """
        theirs = update(_TABLE).where(_TABLE.c.name == name, _TABLE.c.revoked_at.is_(None)).values(revoked_at=now)
        with store_errors(), self._engine.begin() as connection:
            count = connection.execute(theirs).rowcount
            if not count:
                raise NotFoundError(f"nobody called {name!r} has a token here: `cameo console tokens` lists them")
            self._audit.append_within(connection, [Entry("expel", "", name)], reader=reader, now=now)
        return count

    def listed(self) -> tuple[SignInToken, ...]:
        """Return the tokens of the last three months, newest first.

        Raises:
            StoreError: the database could not do it.
        """
        query = select(*_columns()).order_by(_TABLE.c.made_at.desc(), _TABLE.c.id)
        with store_errors(), self._engine.connect() as connection:
            return tuple(_token(row) for row in connection.execute(query))


def _require_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise InvalidRequestError(
            "a name has 1 to 64 of the characters a to z, 0 to 9, dot, dash, underline and @, and begins with a letter or a "
            "digit: with capitals or another script two names could look the same"
        )
    if name in _OURS:
        raise InvalidRequestError(f"{name!r} is what the audit log calls somebody else: take another name")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _columns() -> list[Any]:
    return [_TABLE.c[each] for each in SignInToken.__slots__]


def _token(row: Row[Any]) -> SignInToken:
    return SignInToken(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
