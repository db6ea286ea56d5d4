"""Registered claims of the issuer's tokens, compared with what a reader expects: issuer, audience, times (RFC 7519 section 4.1).

Credentials, receipts, deliveries and grants are compared here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cameo_credential import claims as claim
from cameo_credential.errors import CredentialError
from cameo_credential.refusal import Refusal
from cameo_credential.status_source import CLOCKS_APART

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_credential.claims import Registered
    from cameo_credential.issuer_keys import VerificationKey

NO_LEEWAY = timedelta(0)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a reader expects: the issuer's and its own name, the time, and the tolerated clock skew."""

    issuer: str
    audience: str
    now: datetime
    leeway: timedelta = NO_LEEWAY


def check_registered(claims: Mapping[str, Any], key: VerificationKey, expected: Expected) -> Registered:
    """Return the registered claims, expired with their key, after `read_for` and `check_times`; errors as there."""
    registered = read_for(claims, expected)
    return replace(registered, expires_at=check_times(registered, key, expected))


def read_for(claims: Mapping[str, Any], expected: Expected) -> Registered:
    """Return the registered claims of a token of the issuer for the reader.

    Raises:
        CredentialError: `malformed`, `wrong_issuer` or `wrong_audience`.
    """
    try:
        registered = claim.read_registered(claims)
    except ValueError as error:
        raise CredentialError(Refusal.MALFORMED, f"the token's claims cannot be read: {error}") from None
    if registered.issuer != expected.issuer:
        raise CredentialError(Refusal.WRONG_ISSUER, f"the token was not issued by {expected.issuer!r}")
    if registered.audience != expected.audience:
        raise CredentialError(Refusal.WRONG_AUDIENCE, f"the token was not issued for {expected.audience!r}")
    return registered


def check_times(registered: Registered, key: VerificationKey, expected: Expected) -> datetime:
    """Return when a token that is valid now ends: no later than the key that signed it.

    Raises:
        CredentialError: `not_yet_valid` or `expired`.
    """
    if expected.now + max(expected.leeway, CLOCKS_APART) < registered.not_before:
        raise CredentialError(Refusal.NOT_YET_VALID, f"the token is valid from {registered.not_before.isoformat()}")
    expires_at = min(registered.expires_at, key.expires_at)
    if expected.now - expected.leeway >= expires_at:
        raise CredentialError(Refusal.EXPIRED, f"the token was valid until {expires_at.isoformat()}")
    return expires_at
