"""Sessions: the person of each cookie, its expiry, and the attempts whose face it revealed.

Kept in memory under the hash of the cookie: a restart signs everyone out, and a leaked memory image contains no usable cookie. A
visitor has a cookie before signing in too, so that every form carries a token bound to one; signing in issues another.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cameo_verifier.console.people import Person

_TOKEN_BYTES = 32
REVEAL_LASTS = timedelta(minutes=15)
"""Time after which a revealed face is hidden again."""


@dataclass(slots=True)
class _Session:
    person: Person
    until: datetime
    token_id: str
    revealed: dict[str, datetime] = field(default_factory=dict)


class Sessions:
    """Sessions of one running console."""

    def __init__(
        self,
        *,
        lasts: timedelta,
        clock: Callable[[], datetime],
        random_token: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._lasts, self._clock, self._random_token = lasts, clock, random_token
        self._key = random_token(_TOKEN_BYTES).encode()
        self._open: dict[bytes, _Session] = {}

    def new_cookie(self) -> str:
        """Return a new cookie, without a session."""
        return self._random_token(_TOKEN_BYTES)

    def csrf_token(self, cookie: str) -> str:
        """Return the CSRF token that every form sent with that cookie must carry."""
        return hmac.digest(self._key, cookie.encode(), "sha256").hex()

    def csrf_holds(self, cookie: str, token: str) -> bool:
        """Return whether a form came from a page of ours that was made for that cookie."""
        return bool(cookie) and hmac.compare_digest(self.csrf_token(cookie).encode(), token.encode())

    def sign_in(self, person: Person, *, token_id: str = "") -> str:
        """Return the cookie of a new session; token_id: the sign-in token that it depends on, empty if none."""
        now = self._clock()
        self._open = {key: session for key, session in self._open.items() if session.until > now}
        cookie = self.new_cookie()
        self._open[_key(cookie)] = _Session(person, now + self._lasts, token_id)
        return cookie

    def sign_out(self, cookie: str) -> None:
        """End a session, if there is one."""
        self._open.pop(_key(cookie), None)

    def person(self, cookie: str) -> Person | None:
        """Return the person of the cookie; None without a session, or after it expired."""
        session = self._find(cookie)
        return None if session is None else session.person

    def token_id(self, cookie: str) -> str:
        """Return the sign-in token that the session depends on; empty if none, or without a session."""
        session = self._find(cookie)
        return "" if session is None else session.token_id

    def reveal(self, cookie: str, attempt_id: str) -> None:
        """Permit the holder of the cookie to see an attempt's recording for `REVEAL_LASTS`."""
        session = self._find(cookie)
        if session is not None:
            session.revealed[attempt_id] = self._clock() + REVEAL_LASTS

    def may_see(self, cookie: str, attempt_id: str) -> bool:
        """Return whether the holder of the cookie revealed the attempt less than `REVEAL_LASTS` ago."""
        session = self._find(cookie)
        return session is not None and attempt_id in session.revealed and session.revealed[attempt_id] > self._clock()

    def _find(self, cookie: str) -> _Session | None:
        session = self._open.get(_key(cookie))
        return session if session is not None and session.until > self._clock() else None


def _key(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
