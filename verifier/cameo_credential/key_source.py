"""Key source: an issuer's published key set, fetched when needed and followed through its rotations.

1. A fetched set is used for `max_age` (an hour); then it is fetched again. A key that was distrusted is gone by then.
2. A token that names a key which is not in the set has it fetched at once, so that a key is known as soon as it signs; but no
   sooner than `MIN_INTERVAL` after the last fetch: made-up names cost the issuer a request in that time, and readers no wait.
3. If a set cannot be fetched, the last one is used for a day in all, since keys are published a day before they sign
   (`key_set.OVERLAP`); then every token is refused: `keys_unknown`. A failure is the answer for `MIN_INTERVAL`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cameo_credential.encoding import from_json
from cameo_credential.errors import CredentialError, KeyFileError
from cameo_credential.fetching import fetch, require_https
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.refusal import Refusal
from cameo_credential.single_flight import SingleFlight
from cameo_credential.status_source import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cameo_credential.issuer_keys import VerificationKey

MAX_KEYS_BYTES = 256 * 1024
"""Maximum size of a key set: some thousand keys."""
MAX_AGE = timedelta(hours=1)
MIN_INTERVAL = timedelta(seconds=30)
USABLE = timedelta(days=1)

_THUMBPRINT = re.compile(r"[\w-]{43}", re.ASCII)
"""Every `kid` of ours (RFC 7638, SHA-256 in base64url): another name is no reason to fetch."""


def fetch_keys(uri: str) -> bytes:
    """Return the JWK set at an https URI (http on this machine only), unread; redirects are not followed.

    Raises:
        OSError: it could not be fetched, or the answer is a redirect.
        ValueError: the URI has another scheme, or the response is too large.
    """
    return fetch(uri, accept="application/jwk-set+json", max_bytes=MAX_KEYS_BYTES, what="a key set")


@dataclass(frozen=True, slots=True)
class _Held:
    keys: VerificationKeys
    at: datetime


class KeySource:
    """The keys of one issuer, for `issuer_keys` of whatever opens tokens; thread-safe. Keep one while the program runs."""

    def __init__(
        self,
        uri: str,
        fetch: Callable[[str], bytes] = fetch_keys,
        *,
        clock: Callable[[], datetime] = utc_now,
        max_age: timedelta = MAX_AGE,
    ) -> None:
        """Keep the dependencies; nothing is fetched yet.

        Args:
            uri: where the issuer publishes its keys, such as ``"https://cameo.example/.well-known/jwks.json"``.
            fetch: returns the JWK set at a URI; any exception means that there is none.
            clock: the time in UTC, by which the age of a set is judged.
            max_age: how long a set is used before it is fetched again.

        Raises:
            ValueError: the URI is not https, nor http on this machine.
        """
        require_https(uri, "a key set")
        self._uri = uri
        self._fetch = fetch
        self._clock = clock
        self._max_age = max_age
        self._held: _Held | None = None
        self._flights = SingleFlight[VerificationKeys](clock, MIN_INTERVAL)

    def current(self) -> VerificationKeys:
        """Return the set as it was published at most `max_age` ago, or a day ago if it could not be fetched since.

        Raises:
            CredentialError: `keys_unknown`.
        """
        held = self._held
        if held is not None and self._is_younger(held, self._max_age):  # rule 1
            return held.keys
        try:
            return self._fetched(held)
        except CredentialError:
            if held is None or not self._is_younger(held, USABLE):  # rule 3
                raise
            return held.keys

    def find(self, kid: str) -> VerificationKey | None:
        """Return the key of this name, None if the issuer has none.

        Raises:
            CredentialError: `keys_unknown`.
        """
        found = self.current().find(kid)
        held = self._held
        if found is None and _THUMBPRINT.fullmatch(kid) and not (held and self._is_younger(held, MIN_INTERVAL)):
            found = self._fetched(held).find(kid)  # rule 2
        return found

    def _fetched(self, seen: _Held | None) -> VerificationKeys:
        """Return a set that was fetched after `seen`."""
        return self._flights.get(self._uri, lambda: self._fetch_after(seen))

    def _fetch_after(self, seen: _Held | None) -> VerificationKeys:
        held = self._held
        if held is not None and held is not seen:  # another thread was just done with it
            return held.keys
        try:
            content = self._fetch(self._uri)
        except Exception as error:  # noqa: BLE001 - the caller's own function: whatever it raises, there are no keys
            raise CredentialError(
                Refusal.KEYS_UNKNOWN, f"no keys could be had from {self._uri}: {type(error).__name__}"
            ) from None
        try:
            keys = VerificationKeys.from_jwks(from_json(content))
        except (KeyFileError, ValueError) as error:
            raise CredentialError(Refusal.KEYS_UNKNOWN, f"what came from {self._uri} is no key set: {error}") from None
        self._held = _Held(keys, self._clock())
        return keys

    def _is_younger(self, held: _Held, age: timedelta) -> bool:
        # A set from the future, after a clock was set back, is of no known age.
        return timedelta(0) <= self._clock() - held.at < age
