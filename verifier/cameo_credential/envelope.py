"""The envelope: encryption of a signed token to its audience, and decryption: a compact JWE with A256GCM.

Its `alg` is that of the audience's key and no other: ECDH-ES+A256KW on X25519, ECDH-ES on P-256.

The header is protected, and is checked member by member before it reaches the library: an attacker's header selects no algorithm
and no key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from joserfc import jwe
from joserfc.errors import JoseError

from cameo_credential.audience_keys import KEY_ALGORITHMS, P256, X25519, AudienceKey
from cameo_credential.encoding import check_base64url, from_base64url, from_json, without_newline
from cameo_credential.errors import CredentialError
from cameo_credential.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTENT_ALGORITHM = "A256GCM"
CONTENT_TYPE = "JWT"
"""`cty` of a nested token (RFC 7519 section 5.2)."""

MAX_TOKEN_CHARS = 131072
"""A credential has about 7,600 characters, and 97,000 with the longest words of an owner and the largest embeddings that are
accepted; an attacker cannot make us decode megabytes."""

_REGISTRY = jwe.JWERegistry(algorithms=[*KEY_ALGORITHMS.values(), CONTENT_ALGORITHM])
_REGISTRY.max_ciphertext_length = MAX_TOKEN_CHARS
"""The library's own limit, 65,536, is shorter than ours."""
_HEADER = {"alg", "enc", "cty", "kid", "epk"}
_LENGTHS = {X25519: (40, 12, 16), P256: (0, 12, 16)}
"""By curve, bytes of the wrapped key (RFC 3394 over 32; none where the agreed key is the content's), the initialisation vector
and the tag (RFC 7518 section 5.3)."""
_EPHEMERAL = {X25519: ("OKP", ("x",)), P256: ("EC", ("x", "y"))}
_COORDINATE_BYTES = 32


def encrypt(token: str, *, audience_key: AudienceKey) -> str:
    """Return `token` encrypted to the audience's public key.

    Raises:
        RuntimeError: a bug of ours: the result is longer than readers take.
    """
    header = {"alg": audience_key.algorithm, "enc": CONTENT_ALGORITHM, "cty": CONTENT_TYPE, "kid": audience_key.kid}
    public = audience_key.public() if audience_key.is_private else audience_key
    sealed = jwe.encrypt_compact(header, token, public.key, registry=_REGISTRY)
    if len(sealed) > MAX_TOKEN_CHARS:
        raise RuntimeError(f"a credential of {len(sealed)} characters, more than the {MAX_TOKEN_CHARS} that readers take")
    return sealed


def decrypt(token: str, *, audience_key: AudienceKey | Sequence[AudienceKey]) -> str:
    """Return the decrypted token; the line break that a file ends with may follow the encrypted one.

    audience_key: the audience's private key; during a rotation its keys, at least one, of which the header names one.

    Raises:
        CredentialError: `malformed`, `wrong_type`, `unsupported_algorithm`, `not_for_this_key` or `tampered`.
        KeyFileError: what holds the key cannot be used now.
    """
    token = without_newline(token)
    header, lengths = _parse(token)
    keys = (audience_key,) if isinstance(audience_key, AudienceKey) else tuple(audience_key)
    audience_key = next((key for key in keys if key.kid == header.get("kid")), keys[0])
    _check_header(header, audience_key)
    if lengths != _LENGTHS[audience_key.curve]:
        raise CredentialError(Refusal.MALFORMED, "a part of the envelope has the wrong length")
    try:
        opened = jwe.decrypt_compact(token, audience_key.key, registry=_REGISTRY)
    except (JoseError, ValueError):
        # Every failure inside, of key agreement, unwrapping or the tag, is one answer: an attacker learns nothing from which.
        raise CredentialError(Refusal.TAMPERED, "the credential was altered, or was not encrypted to this key") from None
    try:
        return (opened.plaintext or b"").decode("ascii")
    except UnicodeDecodeError:
        raise CredentialError(Refusal.MALFORMED, "the envelope does not hold a token") from None


def _parse(token: str) -> tuple[dict[str, Any], tuple[int, int, int]]:
    if len(token) > MAX_TOKEN_CHARS:
        raise CredentialError(Refusal.MALFORMED, f"a credential has at most {MAX_TOKEN_CHARS} characters, this has {len(token)}")
    segments = token.split(".")
    if len(segments) == 3:
        raise CredentialError(Refusal.WRONG_TYPE, "this is a signed token, such as a receipt, not an encrypted credential")
    if len(segments) != 5:
        raise CredentialError(Refusal.MALFORMED, f"a credential has 5 parts between dots, this has {len(segments)}")
    try:
        first, *middle, ciphertext, last = segments
        check_base64url(ciphertext)  # the library decodes it
        header, wrapped_key, iv, tag = (from_base64url(segment) for segment in (first, *middle, last))
        return from_json(header), (len(wrapped_key), len(iv), len(tag))
    except ValueError as error:
        raise CredentialError(Refusal.MALFORMED, f"the envelope cannot be read: {error}") from None


def _check_header(header: dict[str, Any], audience_key: AudienceKey) -> None:
    if (header.get("alg"), header.get("enc")) != (audience_key.algorithm, CONTENT_ALGORITHM):
        raise CredentialError(
            Refusal.UNSUPPORTED_ALGORITHM,
            f"to a key on {audience_key.curve} it is encrypted with {audience_key.algorithm} and {CONTENT_ALGORITHM} only",
        )
    if set(header) != _HEADER or not _is_ephemeral_key(header["epk"], audience_key.curve):
        raise CredentialError(Refusal.MALFORMED, "the envelope's header has unknown or missing members")
    if header["cty"] != CONTENT_TYPE:
        raise CredentialError(Refusal.WRONG_TYPE, "the envelope does not say that it holds a token")
    if header["kid"] != audience_key.kid:
        raise CredentialError(Refusal.NOT_FOR_THIS_KEY, f"the credential is encrypted to another key than {audience_key.kid}")


def _is_ephemeral_key(epk: object, curve: str) -> bool:
    kty, coordinates = _EPHEMERAL[curve]
    if not isinstance(epk, dict) or set(epk) != {"kty", "crv", *coordinates} or (epk["kty"], epk["crv"]) != (kty, curve):
        return False
    try:
        return all(len(from_base64url(epk[each])) == _COORDINATE_BYTES for each in coordinates)
    except (AttributeError, ValueError):
        return False
