"""Sign: claims in, compact JWS out, with the issuer's Ed25519 key.

What kind of token it is stands in `typ`, so that one kind never passes for another (RFC 8725 section 3.11).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from joserfc import jws

from verifier.credential.encoding import to_json
from verifier.credential.issuer_keys import SIGNATURE_ALGORITHM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verifier.credential.issuer_keys import SigningKey


class TokenType(StrEnum):
    """`typ` of what this issuer signs; one kind never passes for the other."""

    CREDENTIAL = "cameo-credential+jwt"
    RECEIPT = "cameo-receipt+jwt"
    GRANT = "cameo-grant+jwt"


def sign(claims: Mapping[str, Any], *, key: SigningKey, typ: TokenType) -> str:
    """Return the compact JWS of `claims` under `key`."""
    header = {"alg": SIGNATURE_ALGORITHM, "typ": typ.value, "kid": key.kid}
    return jws.serialize_compact(header, to_json(dict(claims)), key.key, algorithms=[SIGNATURE_ALGORITHM])
