"""Verify: compact JWS in, claims out, under one of the issuer's Ed25519 keys (RFC 7515 section 5.2). `signer` is the other half.

Stricter than a library: one spelling of every part, one algorithm, one type, no header members but ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature

from cameo_credential.encoding import from_base64url, from_json
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import SIGNATURE_ALGORITHM
from cameo_credential.refusal import Refusal

if TYPE_CHECKING:
    from cameo_credential.issuer_keys import VerificationKey, VerificationKeys
    from cameo_credential.signer import TokenType


def verified_claims(signed: str, issuer_keys: VerificationKeys, typ: TokenType) -> tuple[VerificationKey, dict[str, Any]]:
    """Return what a signed token of one type says, and the key that signed it; neither times nor names are checked.

    Raises:
        CredentialError: `malformed`, `unsupported_algorithm`, `wrong_type`, `unknown_key` or `bad_signature`.
    """
    segments = signed.split(".")
    if len(segments) != 3:
        raise CredentialError(Refusal.MALFORMED, f"a signed token has 3 parts between dots, this has {len(segments)}")
    try:
        header_bytes, payload, signature = (from_base64url(segment) for segment in segments)
        header = from_json(header_bytes)
    except ValueError as error:
        raise CredentialError(Refusal.MALFORMED, f"the signed token cannot be read: {error}") from None
    if header.get("alg") != SIGNATURE_ALGORITHM:
        raise CredentialError(Refusal.UNSUPPORTED_ALGORITHM, f"a token is signed with {SIGNATURE_ALGORITHM} only")
    if set(header) != {"alg", "typ", "kid"} or not isinstance(header["kid"], str):
        raise CredentialError(Refusal.MALFORMED, "the signed token's header has unknown or missing members")
    if header["typ"] != typ.value:
        raise CredentialError(Refusal.WRONG_TYPE, f"this token is not of type {typ.value}")
    key = issuer_keys.keys.get(header["kid"])
    if key is None:
        raise CredentialError(Refusal.UNKNOWN_KEY, "the token is signed by a key that is not in the issuer's set")
    try:
        key.verify(signature, signed.rpartition(".")[0].encode("ascii"))
    except InvalidSignature:
        raise CredentialError(Refusal.BAD_SIGNATURE, "the signature does not verify under the key it names") from None
    try:
        return key, from_json(payload)
    except ValueError as error:
        raise CredentialError(Refusal.MALFORMED, f"the token's claims cannot be read: {error}") from None
