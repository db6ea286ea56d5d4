"""Public signature keys of other issuers, read from JWKs: each with the JWS algorithms it may verify (RFC 7517, RFC 7518).

A key is pinned to the algorithms of its kind, and to the one its `alg` names where it names one, so that no token chooses how it
is verified (RFC 8725 section 3.1). Secret keys are never read: a token signed with the client's secret verifies under none.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from cameo_credential.elliptic import import_ec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MIN_RSA_BITS = 2048
"""RFC 7518 sections 3.3 and 3.5."""

ED25519, P256, P384, P521, RSA = ("OKP", "Ed25519"), ("EC", "P-256"), ("EC", "P-384"), ("EC", "P-521"), ("RSA", None)
ALGORITHMS: Mapping[tuple[str, str | None], frozenset[str]] = {
    ED25519: frozenset({"Ed25519", "EdDSA"}),
    P256: frozenset({"ES256"}),
    P384: frozenset({"ES384"}),
    P521: frozenset({"ES512"}),
    RSA: frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
}
"""By `kty` and `crv`. "EdDSA" is what most issuers still write for Ed25519 (RFC 9864)."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key and the values of `alg` it may verify."""

    key: ECKey | OKPKey | RSAKey = field(repr=False)
    algorithms: frozenset[str]


def read_public_key(jwk: Mapping[str, Any], kinds: Collection[tuple[str, str | None]]) -> PublicKey:
    """Return the public half of a JWK of one of these kinds.

    Raises:
        ValueError: it is malformed, of another kind, too short, or not for signatures.
    """
    try:
        kind = (jwk["kty"], jwk.get("crv"))
        if kind not in kinds or jwk.get("use", "sig") != "sig":
            raise ValueError("a key of another kind")
        # Only the members of the public key reach the library; whatever else the document says cannot steer it.
        key: ECKey | OKPKey | RSAKey
        if kind == RSA:
            key = RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")})
            if key.public_key.key_size < MIN_RSA_BITS:
                raise ValueError(f"an RSA key of fewer than {MIN_RSA_BITS} bits")
        elif kind == ED25519:
            key = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x")})
        else:
            key = import_ec(jwk)
    except (AttributeError, JoseError, KeyError, TypeError) as error:
        raise ValueError(f"malformed: {error}") from None
    algorithms = ALGORITHMS[kind]
    named = jwk.get("alg", "Ed25519" if kind == ED25519 else None)
    if named is not None and named not in algorithms:
        raise ValueError("its `alg` is not one of its kind")
    return PublicKey(key, frozenset({named}) if kind == RSA and named else algorithms)


def read_public_keys(document: Mapping[str, Any], kinds: Collection[tuple[str, str | None]]) -> list[tuple[str, PublicKey]]:
    """Return the keys of a JWK set that `read_public_key` reads, each after its `kid` or an empty name; others are ignored.

    A set may hold keys of other uses, and of kinds that are not known here yet (RFC 7517 section 5).

    Raises:
        ValueError: it is no JWK set.
    """
    jwks = document.get("keys")
    if not isinstance(jwks, list):
        raise ValueError("'keys' is missing or no list")  # noqa: TRY004 - the document's fault, not a caller's wrong type
    keys: list[tuple[str, PublicKey]] = []
    for jwk in jwks:
        with suppress(ValueError):
            keys.append((str(jwk.get("kid", "")) if isinstance(jwk, dict) else "", read_public_key(jwk, kinds)))
    return keys
