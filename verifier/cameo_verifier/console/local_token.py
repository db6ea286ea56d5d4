"""The local token: a secret printed at start, by which whoever started the console signs in once."""

from __future__ import annotations

import hmac
import secrets
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN_BYTES = 24


class LocalToken:
    """A single-use token."""

    def __init__(self, random_token: Callable[[int], str] = secrets.token_urlsafe) -> None:
        self.value = random_token(_TOKEN_BYTES)
        self._lock, self._spent = Lock(), False

    def spend(self, given: str) -> bool:
        """Spend the token; return True only for the right token, and only once."""
        with self._lock:
            holds = not self._spent and hmac.compare_digest(self.value.encode(), given.encode())
            self._spent = self._spent or holds
            return holds
