"""Signing: claims in, compact JWS out, with a key of the issuer's (RFC 7515 section 5.1), wherever that is held.

The header `typ` names the kind of token, so that one kind never passes for another (RFC 8725 section 3.11).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cameo_credential.encoding import to_base64url, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_credential.issuer_keys import SigningKey


class TokenType(StrEnum):
    """The header `typ` of a token; one kind never passes for another."""

    CREDENTIAL = "cameo-credential+jwt"
    RECEIPT = "dc+sd-jwt"
    STATUS_LIST = "statuslist+jwt"
    GRANT = "cameo-grant+jwt"
    LIKENESS = "cameo-likeness+jwt"
    CONSENT = "cameo-consent+jwt"
    EXPORT = "cameo-export+jwt"
    CAPTURE = "cameo-capture+jwt"


def sign(claims: Mapping[str, Any], *, key: SigningKey, typ: TokenType) -> str:
    """Return the compact JWS of `claims` under `key`."""
    header = {"alg": key.algorithm, "typ": typ.value, "kid": key.kid}
    signing_input = f"{to_base64url(to_json(header))}.{to_base64url(to_json(dict(claims)))}"
    return f"{signing_input}.{to_base64url(key.backend.sign(signing_input.encode('ascii')))}"
