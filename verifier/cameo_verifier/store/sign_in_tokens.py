"""Sign-in tokens of named local people: each is single-use, expires, and can be revoked.

A token is 192 random bits, and only its SHA-256 is stored. Its creation, use and revocation are in the audit log, in the same
transaction. A session that began with a token depends on it: `stands` is False once it is revoked.
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
"""Maximum lifetime of a token."""
_BYTES = 24
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
"""Allowed names: no capitals, no other scripts and nothing invisible, so that no two names look the same."""
_OURS = frozenset({"local", "retention"})
"""Names in the audit log of whoever signs in by the token printed at start, and of the retention."""
_LISTED_FOR = timedelta(days=90)
_TABLE = tables.sign_in_tokens


@dataclass(frozen=True, slots=True)
class SignInToken:
    """A token without its secret.

    Attributes:
        id: the token's id.
        name: the person's name in the audit log.
        role: `analyst` or `lead`.
        made_at, expires_at: times in UTC.
        spent_at: when it was used, None if it was not.
        revoked_at: when it was revoked, None if it was not.
    """

    id: str
    name: str
    role: str
    made_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """Return its state: `revoked`, `used`, `expired` or `waiting`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.spent_at is not None:
            return "used"
        return "expired" if self.expires_at <= now else "waiting"


class SignInTokenStore:
    """Tokens in the database behind `engine`; every change is in the `audit` log. Safe across threads and processes."""

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
        """Create a token for a person, and delete old ones.

        Args:
            name: the person's name in the audit log.
            role: `analyst` or `lead`.
            lasts: lifetime, at most `MAX_LASTS`.
            reader: who creates it, and why.
            now: the time in UTC.
            random_token: returns this many random bytes as text.

        Returns:
            the token and its secret, which cannot be read again.

        Raises:
            InvalidRequestError: the name is not allowed, or the lifetime is too long.
            StoreError: the database failed.
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
        """Spend the token with this secret and return it; None if it is not valid.

        Raises:
            StoreError: the database failed.
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
        """Return whether a used token was not revoked since.

        Raises:
            StoreError: the database failed.
        """
        query = select(_TABLE.c.id).where(_TABLE.c.id == token_id, _TABLE.c.revoked_at.is_(None))
        with store_errors(), self._engine.connect() as connection:
            return connection.execute(query).one_or_none() is not None

    def revoke(self, name: str, *, reader: Reader, now: datetime) -> int:
        """Revoke all tokens of a person, used or not, and return their number.

        Raises:
            NotFoundError: this person has no token, or all are revoked already.
            StoreError: the database failed.
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
            StoreError: the database failed.
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
