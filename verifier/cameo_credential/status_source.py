"""Does a credential still hold? Asked of a status list that is fetched when needed and kept as long as it says.

The rule fails closed:

1. A credential that names no place in a list cannot be asked about: `status_unknown`.
2. A list is used until its `ttl` after it was made, or its `exp`, whichever comes first: that is how stale an answer can be. It
   is counted from `iat`, which is signed, and not from when the list arrived.
3. Without such a list one is fetched and verified with the issuer's keys. If that fails, or what comes is too old:
   `status_unknown`.
4. What the list says decides: `revoked`, `suspended`, and `status_unknown` for an index beyond its end or an undefined status.
"""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from cameo_credential.errors import CredentialError
from cameo_credential.refusal import Refusal
from cameo_credential.status_list import read_list
from cameo_credential.token_status import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_credential.claims import StatusReference
    from cameo_credential.issuer_keys import VerificationKeys
    from cameo_credential.status_list import StatusListToken

MAX_LIST_BYTES = 4 * 1024 * 1024
"""A list of 2**20 entries of two bits, none compressible, has about 350,000; more than this is not read."""

FETCH_TIMEOUT_S = 5.0
CLOCKS_APART = timedelta(seconds=30)
"""How far the issuer's clock may be ahead of ours before a list that was just made counts as of the future."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class StatusCheck(Protocol):
    """What opening a credential asks about its status."""

    def require_valid(self, reference: StatusReference | None, *, issuer_keys: VerificationKeys) -> None:
        """Return if the credential at this place is valid.

        Raises:
            CredentialError: `revoked`, `suspended` or `status_unknown`.
        """


@dataclass(frozen=True, slots=True)
class UnsafeNoStatusCheck:
    """Asks nothing: what was revoked or suspended is taken for valid."""

    def require_valid(self, reference: StatusReference | None, *, issuer_keys: VerificationKeys) -> None:
        """Return, whatever the status."""


UNSAFE_NO_STATUS_CHECK = UnsafeNoStatusCheck()


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def fetch_list(uri: str, *, timeout_s: float = FETCH_TIMEOUT_S) -> str:
    """Return the signed list at an https URI (http on this machine only), without verifying it.

    Raises:
        OSError: it could not be had.
        ValueError: the URI is of another kind, or what lies there is no list by its size or its characters.
    """
    parts = urlsplit(uri)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("a status list is fetched over https")
    request = urllib.request.Request(uri, headers={"Accept": "application/statuslist+jwt"})  # noqa: S310 - the scheme was checked
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - the same
        content: bytes = answer.read(MAX_LIST_BYTES + 1)
    if len(content) > MAX_LIST_BYTES:
        raise ValueError(f"a status list of more than {MAX_LIST_BYTES} bytes")
    return content.decode("ascii").strip()


class StatusSource:
    """Keeps the lists it was asked about; may be used by several threads at once, of which one fetches."""

    def __init__(
        self,
        fetch: Callable[[str], str] = fetch_list,
        *,
        clock: Callable[[], datetime] = utc_now,
        ahead: timedelta = CLOCKS_APART,
    ) -> None:
        """Keep the parts.

        Args:
            fetch: returns the signed list at a URI; whatever it raises means that there is none.
            clock: the time in UTC, that lists are judged by.
            ahead: how far the issuer's clock may be ahead.
        """
        self._fetch = fetch
        self._clock = clock
        self._ahead = ahead
        self._lists: dict[tuple[str, frozenset[str]], StatusListToken] = {}
        self._fetching = threading.Lock()

    def require_valid(self, reference: StatusReference | None, *, issuer_keys: VerificationKeys) -> None:
        """Return if the credential at this place is valid by a fresh list; see the module for the rule.

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

    def _fresh(self, uri: str, issuer_keys: VerificationKeys) -> StatusListToken:
        # Verified with these keys and no others: two issuers may name one list, and only one of them signs it.
        place = (uri, frozenset(issuer_keys.keys))
        kept = self._lists.get(place)
        if kept is not None and self._is_fresh(kept):
            return kept
        with self._fetching:
            kept = self._lists.get(place)
            if kept is None or not self._is_fresh(kept):
                kept = self._fetched(uri, issuer_keys)
                self._lists[place] = kept
            return kept

    def _fetched(self, uri: str, issuer_keys: VerificationKeys) -> StatusListToken:
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
        return read

    def _is_fresh(self, kept: StatusListToken) -> bool:
        return self._clock() < min(kept.issued_at + kept.ttl, kept.expires_at)  # step 2
