"""Validation of credentials: a refusal with one stable reason, or verified facts.

`open_credential` checks, in this order:

1. The token is five base64url parts in canonical form (`malformed`); three parts are a signed token (`wrong_type`).
2. The envelope names the two algorithms we use (`unsupported_algorithm`), a nested token (`wrong_type`) and this
   audience's key (`not_for_this_key`).
3. It decrypts and authenticates (`tampered`).
4. Inside is a JWS in canonical form (`malformed`) of the type asked for (`wrong_type`), which names a key of the issuer
   (`unknown_key`) and that key's algorithm (`unsupported_algorithm`); see `signature`.
5. The signature verifies under that key (`bad_signature`). Before this step nothing in the token is trusted.
6. Issuer (`wrong_issuer`) and audience (`wrong_audience`) are the expected ones: an audience that decrypts a credential and
   encrypts it to another is stopped here.
7. Now is within its validity, with leeway for `nbf` (`not_yet_valid`, `expired`), which ends no later than its signing key's.
8. The private claim has the layout this version knows (`malformed`).
9. A fresh status list says that it is valid (`status_unknown`, `revoked`, `suspended`); see `status_source`. Skipping this step
   takes an argument that is named unsafe.

`validate_issued` is what the issuer checks of its own output. `receipt` opens receipts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cameo_credential import claims as claim
from cameo_credential import envelope
from cameo_credential.errors import CredentialError
from cameo_credential.refusal import Refusal
from cameo_credential.registered import NO_LEEWAY, Expected, check_registered
from cameo_credential.signature import verified_claims
from cameo_credential.signer import TokenType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from cameo_credential.audience_keys import AudienceKey
    from cameo_credential.claims import Embedding, OwnerTerms, Provenance, StatusReference
    from cameo_credential.issuer_keys import KnownKeys
    from cameo_credential.status_source import StatusCheck


@dataclass(frozen=True, slots=True)
class OpenedCredential:
    """The verified facts of a credential.

    Attributes:
        issuer: `iss`.
        subject: the pseudonym.
        audience: `aud`.
        jti: its id.
        kid: the signing key.
        issued_at, expires_at: times in UTC.
        provenance: how the identity was established.
        status: location of its status, None if there is no list.
        terms: the owner's terms.
        face: the face embedding, (D,) float32 of unit length.
        voice: the voice embedding, None of a person who was not asked to speak.
    """

    issuer: str
    subject: str
    audience: str
    jti: str
    kid: str
    issued_at: datetime
    expires_at: datetime
    provenance: Provenance
    status: StatusReference | None
    terms: OwnerTerms
    face: Embedding
    voice: Embedding | None


def open_credential(
    token: str,
    *,
    audience_key: AudienceKey | Sequence[AudienceKey],
    issuer_keys: KnownKeys,
    expected_audience: str,
    expected_issuer: str,
    status: StatusCheck,
    now: datetime,
    leeway: timedelta = NO_LEEWAY,
) -> OpenedCredential:
    """Decrypt and verify a credential.

    Args:
        token: the compact JWE.
        audience_key: the audience's private key, or both during a rotation.
        issuer_keys: the issuer's public keys, obtained from the issuer and not from the token.
        expected_audience: what `aud` must be.
        expected_issuer: what `iss` must be.
        status: a `StatusSource`, reused between calls for its cache, or `UNSAFE_NO_STATUS_CHECK`.
        now: the time at which validity is judged.
        leeway: tolerated clock skew at both ends; at the beginning (`nbf`) it is never less than `CLOCKS_APART`.

    Raises:
        CredentialError: with one of the reasons of `Refusal`, by the steps above.
    """
    signed = envelope.decrypt(token, audience_key=audience_key)  # steps 1 to 3
    key, claims = verified_claims(signed, issuer_keys, TokenType.CREDENTIAL)  # steps 4 and 5
    registered = check_registered(claims, key, Expected(expected_issuer, expected_audience, now, leeway))  # steps 6 and 7
    try:
        opened = OpenedCredential(
            issuer=registered.issuer,
            subject=registered.subject,
            audience=registered.audience,
            jti=registered.jti,
            kid=key.kid,
            issued_at=registered.issued_at,
            expires_at=registered.expires_at,
            provenance=claim.read_provenance(claims),
            status=registered.status,
            terms=claim.read_terms(claims),
            face=claim.read_embedding(claims, "face"),
            voice=claim.read_voice(claims),
        )
    except ValueError as error:  # step 8
        raise CredentialError(Refusal.MALFORMED, f"the credential's claims cannot be read: {error}") from None
    status.require_valid(opened.status, issuer_keys=issuer_keys)  # step 9
    return opened


def validate_issued(signed: str, claims: Mapping[str, Any], *, issuer_keys: KnownKeys) -> None:
    """Verify a credential that was just signed: its signature, that its claims equal `claims`, and that its key outlives it.

    Raises:
        RuntimeError: a bug of ours; the token must not be used.
    """
    try:
        key, verified = verified_claims(signed, issuer_keys, TokenType.CREDENTIAL)
        registered = claim.read_registered(verified)
        claim.read_provenance(verified)
        claim.read_terms(verified)
        claim.read_embedding(verified, "face")
        claim.read_voice(verified)
    except (CredentialError, ValueError) as error:
        raise RuntimeError(f"a token that was just signed is not valid: {error}") from error
    if verified != claims:
        raise RuntimeError("a token that was just signed says something else than what was composed")
    if not registered.not_before < registered.expires_at <= key.expires_at:
        raise RuntimeError("a token that was just signed has no validity or outlives its key")
