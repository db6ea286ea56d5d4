"""Issuing: compose, sign, validate what was just signed, encrypt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cameo_credential import envelope
from cameo_credential.claims import NO_TERMS, compose
from cameo_credential.signer import TokenType, sign
from cameo_credential.validator import validate_issued

if TYPE_CHECKING:
    from cameo_credential.audience_keys import AudienceKey
    from cameo_credential.claims import Embedding, OwnerTerms, Provenance, StatusReference
    from cameo_credential.issuer_keys import IssuerKeys
    from cameo_credential.pairwise import PairwiseKey


@dataclass(frozen=True, slots=True)
class Issued:
    """The result of issuing.

    Attributes:
        credential: compact JWE.
        jti: its id.
        subject: the pseudonym in it.
        audience: for whom it is.
        issued_at, expires_at: times in UTC.
    """

    credential: str
    jti: str
    subject: str
    audience: str
    issued_at: datetime
    expires_at: datetime


def issue(  # noqa: PLR0913 - everything is injected, by name
    *,
    issuer: str,
    subject: str,
    audience_key: AudienceKey,
    keys: IssuerKeys,
    pairwise: PairwiseKey,
    now: datetime,
    ttl: timedelta,
    jti: str,
    provenance: Provenance,
    face: Embedding,
    voice: Embedding | None,
    status: StatusReference | None = None,
    terms: OwnerTerms = NO_TERMS,
) -> Issued:
    """Issue a credential for the audience of `audience_key`; see `claims.compose` for the arguments.

    Raises:
        RuntimeError: a bug of ours, found before anything was returned, or a signing key that has expired.
        KeyFileError: no key may sign by the algorithm that the audience asks for.
    """
    key = keys.by(audience_key.signature)
    claims = compose(
        issuer=issuer,
        subject=subject,
        audience=audience_key.audience,
        pairwise=pairwise,
        now=now,
        ttl=ttl,
        not_after=key.expires_at,
        jti=jti,
        provenance=provenance,
        face=face,
        voice=voice,
        status=status,
        terms=terms,
    )
    signed = sign(claims, key=key, typ=TokenType.CREDENTIAL)
    validate_issued(signed, claims, issuer_keys=keys.public())
    return Issued(
        credential=envelope.encrypt(signed, audience_key=audience_key),
        jti=jti,
        subject=claims["sub"],
        audience=audience_key.audience,
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )
