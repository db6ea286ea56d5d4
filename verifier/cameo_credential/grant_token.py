"""Grant tokens: what a generator may use in one job, signed by the issuer of credentials.

Opening one is steps 4 to 8 of `cameo_credential.validator`, for the type of grants. A token states what was granted; only
`SpendGrant` tells that it was neither spent nor revoked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import SIGNATURE_ALGORITHM
from cameo_credential.refusal import Refusal
from cameo_credential.registered import Expected, check_times, read_for
from cameo_credential.signature import verified_claims
from cameo_credential.signer import TokenType, sign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cameo_credential.issuer_keys import IssuerKeys, KnownKeys

MAX_TOKEN_CHARS = 2**20
"""A grant has about 700 characters, and some 1,036,000 for a job of 32 cameos with the longest words that are accepted."""
_NAMESPACE = "urn:cameo:grant:1"


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """The verified facts of a grant. restrictions: for each cameo, the owner's words and the excluded categories."""

    id: str
    audience: str
    requester: str
    job_id: str
    restrictions: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    expires_at: datetime


def sign_grant(claims: Mapping[str, Any], *, keys: IssuerKeys, algorithm: str = SIGNATURE_ALGORITHM) -> str:
    """Return the token with these claims, see `cameo_verifier.cameo.grants.compose`, signed as its audience asks.

    Raises:
        RuntimeError: a bug of ours: the token is longer than readers take.
        KeyFileError: no key may sign by the algorithm.
    """
    token = sign(claims, key=keys.by(algorithm), typ=TokenType.GRANT)
    if len(token) > MAX_TOKEN_CHARS:
        raise RuntimeError(f"a grant of {len(token)} characters, more than the {MAX_TOKEN_CHARS} that readers take")
    return token


def open_grant(
    token: str,
    *,
    issuer_keys: KnownKeys,
    expected_audience: str,
    expected_issuer: str,
    now: datetime,
    by_its_own_times: bool = True,
) -> GrantFacts:
    """Verify a grant.

    Args:
        token: the compact JWS.
        issuer_keys: the issuer's public keys.
        expected_audience: what `aud` must be.
        expected_issuer: what `iss` must be.
        now: the time at which validity is judged.
        by_its_own_times: False leaves `nbf` and `exp` to the caller, which has the grant itself, as `SpendGrant` does. The expiry
            of the signing key counts in any case.

    Raises:
        CredentialError: with one of the reasons of `Refusal`.
    """
    if len(token) > MAX_TOKEN_CHARS:
        raise CredentialError(Refusal.MALFORMED, f"a grant has at most {MAX_TOKEN_CHARS} characters")
    key, claims = verified_claims(token, issuer_keys, TokenType.GRANT)
    expected = Expected(expected_issuer, expected_audience, now)
    registered = read_for(claims, expected)
    try:
        ours = claims[_NAMESPACE]
        restrictions = {each["id"]: (tuple(each["words"]), tuple(each["categories"])) for each in ours["cameos"]}
        job_id = str(ours["job"])
    except (KeyError, TypeError, ValueError):
        raise CredentialError(Refusal.MALFORMED, "the grant's claims cannot be read") from None
    timed = registered if by_its_own_times else replace(registered, not_before=now, expires_at=key.expires_at)
    expires_at = min(registered.expires_at, check_times(timed, key, expected))
    return GrantFacts(registered.jti, registered.audience, registered.subject, job_id, restrictions, expires_at)
