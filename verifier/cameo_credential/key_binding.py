"""Key binding: proof that who shows a receipt holds the device key it names (RFC 9901 section 4.3, RFC 7800).

The holder signs the reader's name, a nonce that the reader chose, the time and the digest of what is shown, so that a receipt
that was copied, or shown to another reader or before, is refused (`not_bound`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cameo_credential.encoding import from_base64url, from_json
from cameo_credential.errors import CredentialError
from cameo_credential.public_keys import ED25519, P256, read_public_key
from cameo_credential.refusal import Refusal
from cameo_credential.sd_jwt import digest
from cameo_credential.signature import TokenKind, verify_jws
from cameo_credential.status_source import CLOCKS_APART

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_credential.sd_jwt import Presented

DEVICE_KEYS = (ED25519, P256)
"""Kinds of keys that phones make and keep: P-256 in a secure element, Ed25519 elsewhere."""
MAX_KEY_CHARS = 1024
COORDINATE_BYTES = 32
"""Of both kinds (RFC 7518 section 6.2.1.2, RFC 8037 section 2)."""
LONGEST_AGE = timedelta(minutes=5)
"""How long after it was signed a presentation may be shown."""
_KIND = TokenKind(frozenset({"kb+jwt"}), foreign=True)
_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """What a reader expects the holder to have signed: the reader's own name, and the nonce it chose for this presentation."""

    audience: str
    nonce: str


def read_device_key(text: str) -> dict[str, str]:
    """Return a person's device key, the members of its public JWK alone.

    Raises:
        ValueError: it is no JWK of a public key of one of `DEVICE_KEYS`, or it has a private half.
    """
    if len(text) > MAX_KEY_CHARS:
        raise ValueError(f"a key has at most {MAX_KEY_CHARS} characters")
    return check_device_key(from_json(text.encode()))


def check_device_key(jwk: Mapping[str, Any]) -> dict[str, str]:
    """Return the members of a device key's public JWK; errors as `read_device_key`."""
    if not _SECRET.isdisjoint(jwk):
        raise ValueError("it has a private half, which belongs to the device alone")
    read_public_key(jwk, DEVICE_KEYS)
    names = ("kty", "crv", "x") if jwk["kty"] == "OKP" else ("kty", "crv", "x", "y")
    members = {name: str(jwk[name]) for name in names}
    if any(len(from_base64url(members[name])) != COORDINATE_BYTES for name in names[2:]):
        raise ValueError("a coordinate has another length")
    return members


def require_bound(shown: Presented, device_key: Mapping[str, Any] | None, expected: KeyBinding, *, now: datetime) -> None:
    """Check that the holder of the device key signed this presentation for this reader, now.

    Raises:
        CredentialError: `not_bound`.
    """
    if device_key is None or not shown.key_binding:
        raise _not_bound("it names no device key, or is not signed by it")
    try:
        _, claims = verify_jws(shown.key_binding, {"": read_public_key(device_key, DEVICE_KEYS)}.get, _KIND)
        signed_at = datetime.fromtimestamp(claims["iat"], UTC)
    except (CredentialError, KeyError, OSError, OverflowError, TypeError, ValueError) as error:
        raise _not_bound(str(error)) from None
    if (claims.get("aud"), claims.get("nonce")) != (expected.audience, expected.nonce):
        raise _not_bound("it was shown to another reader, or for another nonce")
    if claims.get("sd_hash") != digest(shown.bound):
        raise _not_bound("something else was signed than is shown")
    if not now - LONGEST_AGE <= signed_at <= now + CLOCKS_APART:
        raise _not_bound("it was signed too long ago, or in the future")


def _not_bound(message: str) -> CredentialError:
    return CredentialError(Refusal.NOT_BOUND, f"the receipt is not bound to its device's key: {message}")
