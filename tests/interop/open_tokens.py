"""Opens tokens with a library that is not ours: a JSON document on standard input, what each token says on standard output."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import jwt
from joserfc import jwe, jws
from joserfc.jwk import JWKRegistry, KeySet
from jwcrypto import jwe as jwcrypto_jwe
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jws as jwcrypto_jws
from jwt.algorithms import OKPAlgorithm

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNATURES = ["Ed25519", "ES256"]
ENVELOPES = ["ECDH-ES+A256KW", "ECDH-ES", "A256GCM"]


def with_joserfc(token: str, jwks: dict[str, Any], key: dict[str, Any]) -> bytes:
    """Open a token with joserfc."""
    if token.count(".") == 4:
        token = (jwe.decrypt_compact(token, JWKRegistry.import_key(key), algorithms=ENVELOPES).plaintext or b"").decode()
    return jws.deserialize_compact(token, KeySet.import_key_set(jwks), algorithms=SIGNATURES).payload


def with_jwcrypto(token: str, jwks: dict[str, Any], key: dict[str, Any]) -> bytes:
    """Open a token with jwcrypto."""
    if token.count(".") == 4:
        opened = jwcrypto_jwe.JWE(algs=ENVELOPES)
        opened.deserialize(token, jwcrypto_jwk.JWK(**key))
        token = opened.payload.decode()
    signed = jwcrypto_jws.JWS()
    signed.allowed_algs = SIGNATURES
    signed.deserialize(token)
    kid = signed.jose_header["kid"]
    signed.verify(jwcrypto_jwk.JWKSet.from_json(json.dumps(jwks)).get_key(kid))
    payload: bytes = signed.payload
    return payload


def with_pyjwt(token: str, jwks: dict[str, Any], key: dict[str, Any]) -> bytes:  # noqa: ARG001 - it knows no encryption
    """Verify a signed token with PyJWT."""
    reader = jwt.PyJWS()
    if "Ed25519" not in reader.get_algorithms():
        reader.register_algorithm("Ed25519", OKPAlgorithm())
    kid = jwt.get_unverified_header(token)["kid"]
    payload: bytes = reader.decode(token, jwt.PyJWKSet.from_dict(jwks)[kid].key, algorithms=SIGNATURES)
    return payload


LIBRARIES: dict[str, Callable[[str, dict[str, Any], dict[str, Any]], bytes]] = {
    "joserfc": with_joserfc,
    "jwcrypto": with_jwcrypto,
    "PyJWT": with_pyjwt,
}


def opened(library: str, token: str, jwks: dict[str, Any], key: dict[str, Any]) -> Any:
    """Return what a token says, or why it is refused."""
    try:
        return json.loads(LIBRARIES[library](token, jwks, key))
    except Exception as error:  # noqa: BLE001 - whatever the library raises
        return {"refused": type(error).__name__}


given = json.load(sys.stdin)
json.dump([opened(sys.argv[1], token, given["jwks"], given["key"]) for token in given["tokens"]], sys.stdout)
