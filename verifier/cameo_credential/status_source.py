"""Status check: asks a status list, fetched when needed and cached for its `ttl`, whether a credential is valid.

The rule fails closed:

1. A credential without a reference to a list is refused: `status_unknown`.
2. A list is used until its `ttl` after `iat`, or its `exp`, whichever comes first: this bounds how stale an answer can be. It
   is counted from `iat`, which is signed, not from the time the list arrived.
3. Without a usable list one is fetched and verified with the issuer's keys. If that fails, or the fetched list is too old:
   `status_unknown`.
4. The list decides: `revoked`, `suspended`, and `status_unknown` for an index beyond its end or an undefined status.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from cameo_credential.errors import CredentialError
from cameo_credential.fetching import FETCH_TIMEOUT_S, fetch
from cameo_credential.refusal import Refusal
from cameo_credential.single_flight import SingleFlight
from cameo_credential.status_list import StatusListToken, read_list
from cameo_credential.token_status import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_credential.claims import StatusReference
    from cameo_credential.issuer_keys import KnownKeys

MAX_LIST_BYTES = 8 * 1024 * 1024
"""Maximum size of a fetched list. Incompressible, one of 2**20 entries of two bits has 470,000 bytes, one of 2**24, the most a
site can set, 7,460,000."""

CLOCKS_APART = timedelta(seconds=30)
"""Tolerated clock skew: how far the issuer's clock may be ahead before a new token counts as issued in the future."""


class StatusCheck(Protocol):
    """A check of a credential's status, as opening a credential needs it."""

    def require_valid(self, reference: StatusReference | None, *, issuer_keys: KnownKeys) -> None:
        """Check that the credential of this reference is valid.

        Raises:
            CredentialError: `revoked`, `suspended` or `status_unknown`.
        """


@dataclass(frozen=True, slots=True)
class UnsafeNoStatusCheck:
    """No check: revoked and suspended credentials are accepted."""

    def require_valid(self, reference: StatusReference | None, *, issuer_keys: KnownKeys) -> None:
        """Accept any status."""


UNSAFE_NO_STATUS_CHECK = UnsafeNoStatusCheck()


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def fetch_list(uri: str, *, timeout_s: float = FETCH_TIMEOUT_S) -> str:
    """Return the signed list at an https URI (http on this machine only), without verifying it; redirects are not followed.

    Raises:
        OSError: it could not be fetched, or the answer is a redirect.
        ValueError: the URI has another scheme, or the response is too large or not ASCII.
    """
    kind = "application/statuslist+jwt"
    return fetch(uri, accept=kind, max_bytes=MAX_LIST_BYTES, what="a status list", timeout_s=timeout_s).decode("ascii").strip()


class StatusSource:
    """A status check with a cache of lists; thread-safe.

    Of the threads that need one list one fetches it, and all are answered by that. A failed fetch is remembered for
    `FAILURE_REMEMBERED`, in which nobody waits for another one.
    """

    def __init__(
        self,
        fetch: Callable[[str], str] = fetch_list,
        *,
        clock: Callable[[], datetime] = utc_now,
        ahead: timedelta = CLOCKS_APART,
    ) -> None:
        """Keep the dependencies.

        Args:
            fetch: returns the signed list at a URI; any exception means that there is none.
            clock: the time in UTC, by which lists are judged.
            ahead: how far the issuer's clock may be ahead.
        """
        self._fetch = fetch
        self._clock = clock
        self._ahead = ahead
        self._lists: dict[tuple[str, frozenset[str]], StatusListToken] = {}
        self._flights = SingleFlight[StatusListToken](clock)

    def require_valid(self, reference: StatusReference | None, *, issuer_keys: KnownKeys) -> None:
        """Check that the credential of this reference is valid by a fresh list; see the module for the rule.

        Raises:
            CredentialError: `revoked`, `suspended` or `status_unknown`.
        """
        if reference is None:
            raise CredentialError(Refusal.STATUS_UNKNOWN, "the token names no place in a status list")  # step 1
        statuses = self._fresh(reference.uri, issuer_keys).statuses
        if reference.index >= len(statuses):
            raise CredentialError(Refusal.STATUS_UNKNOWN, "the status list ends before the place that the token names")
        match statuses[reference.index]:  # step 4
            case Status.VALID:
                return
            case Status.INVALID:
                raise CredentialError(Refusal.REVOKED, "the token was revoked")
            case Status.SUSPENDED:
                raise CredentialError(Refusal.SUSPENDED, "the token is suspended; it may hold again later")
            case other:
                raise CredentialError(Refusal.STATUS_UNKNOWN, f"the status list says {other}, which has no meaning here")

    def _fresh(self, uri: str, issuer_keys: KnownKeys) -> StatusListToken:
        # Cached per set of keys: two issuers may name one list, and only one of them signs it.
        place = (uri, frozenset(issuer_keys.current().keys))
        kept = self._lists.get(place)
        if kept is not None and self._is_fresh(kept):
            return kept
        return self._flights.get(place, lambda: self._fetched(place, issuer_keys))

    def _fetched(self, place: tuple[str, frozenset[str]], issuer_keys: KnownKeys) -> StatusListToken:
        kept = self._lists.get(place)
        if kept is not None and self._is_fresh(kept):  # another thread was just done with it
            return kept
        uri, _ = place
        try:
            token = self._fetch(uri)
        except Exception as error:  # noqa: BLE001 - the caller's own function: whatever it raises, there is no list
            raise CredentialError(
                Refusal.STATUS_UNKNOWN, f"no status list could be had from {uri}: {type(error).__name__}"
            ) from None
        try:
            read = read_list(token, issuer_keys=issuer_keys, expected_uri=uri, now=self._clock(), leeway=self._ahead)
        except CredentialError as error:
            raise CredentialError(
                Refusal.STATUS_UNKNOWN, f"what came from {uri} is not believed: {error.reason}: {error}"
            ) from None
        if not self._is_fresh(read):
            raise CredentialError(Refusal.STATUS_UNKNOWN, f"the status list at {uri} is too old")
        self._lists = {other: kept for other, kept in self._lists.items() if self._is_fresh(kept)} | {place: read}
        return read

    def _is_fresh(self, kept: StatusListToken) -> bool:
        return self._clock() < min(kept.issued_at + kept.ttl, kept.expires_at)  # step 2
