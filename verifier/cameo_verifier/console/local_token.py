"""The token printed at start: whoever started the console proves with it, once, that they read its terminal."""

from __future__ import annotations

import hmac
import secrets
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN_BYTES = 24


class LocalToken:
    """A token that is good once."""

    def __init__(self, random_token: Callable[[int], str] = secrets.token_urlsafe) -> None:
        self.value = random_token(_TOKEN_BYTES)
        self._lock, self._spent = Lock(), False

    def spend(self, given: str) -> bool:
        """Whether this is the token, and the first time it is shown."""
        with self._lock:
            holds = not self._spent and hmac.compare_digest(self.value.encode(), given.encode())
            self._spent = self._spent or holds
            return holds
