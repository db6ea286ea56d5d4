"""Every place that reads a signed token, with a good token and the key to sign others: for tests that forge them."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np
from joserfc import jwe
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from cameo_credential.claims import StatusReference
from cameo_credential.encoding import from_base64url, to_base64url, to_json, without_newline
from cameo_credential.errors import CredentialError
from cameo_credential.grant_token import open_grant, sign_grant
from cameo_credential.issuer_keys import ES256, SIGNATURE_ALGORITHMS, IssuerKeys, SigningKey
from cameo_credential.status_list import StatusList, publish, read_list
from cameo_verifier.cameo.grants import compose
from cameo_verifier.cameo.model import Grant
from cameo_verifier.console.openid import OpenId, SignInError
from cameo_verifier.server.auth.caller import CallerTokens
from cameo_verifier.server.auth.issuer_tokens import CallerTokenError
from cameo_verifier.server.auth.requester import REQUESTER_TYPE, RequesterTokens
from cameo_verifier.settings import OpenIdProvider, Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.credential.conftest import World

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_URI, _GENERATOR, _ISSUER = "https://issuer.example/status/1", "https://generator.example", "https://issuer.example"
_ENVELOPE = ["ECDH-ES+A256KW", "A256GCM"]
_LASTS = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Reader:
    """A place that reads tokens, and what a good one has.

    Attributes:
        read: takes a token; raises what the place raises.
        sign: makes the signature of bytes with the good key.
        public: the good key, raw or DER and PEM, as an attacker would hash with it.
        second: a further `kid` the place knows, of the same kind of key.
    """

    header: dict[str, Any]
    claims: dict[str, Any]
    read: Callable[[str], object]
    sign: Callable[[bytes], bytes]
    public: tuple[bytes, ...]
    second: str

    def token(
        self,
        header: dict[str, Any] | bytes | None = None,
        claims: bytes | None = None,
        sign: Callable[[bytes], bytes] | None = None,
    ) -> str:
        """Return a token; what is not given is the good one's. Header members that are None are left out."""
        if not isinstance(header, bytes):
            members = {**self.header, **(header or {})}
            header = to_json({name: value for name, value in members.items() if value is not None})
        body = to_json(self.claims) if claims is None else claims
        signed = f"{to_base64url(header)}.{to_base64url(body)}"
        return f"{signed}.{to_base64url((sign or self.sign)(signed.encode()))}"

    def refusal(self, token: str) -> str:
        """Return why the place refuses a token; empty if it does not."""
        try:
            self.read(token)
        except CredentialError as error:
            return str(error.reason)
        except CallerTokenError as error:
            return str(error.refusal)
        except SignInError as error:
            return str(error).rpartition(" ")[2]
        return ""


def issuer_readers(world: World) -> dict[str, Reader]:
    """Return those that read what the issuer signs, by each of its algorithms; they know keys of both."""
    two = [SigningKey.generate(now=NOW, algorithm=algorithm) for algorithm in SIGNATURE_ALGORITHMS]
    both = replace(world.keys, es256=SigningKey.generate(now=NOW, algorithm=ES256), others=tuple(key.public() for key in two))
    plain, p256 = (
        _issuer_readers(world, both, algorithm, key.kid) for algorithm, key in zip(SIGNATURE_ALGORITHMS, two, strict=True)
    )
    return plain | {f"{name}, ES256": reader for name, reader in p256.items()}


def _issuer_readers(world: World, signing: IssuerKeys, algorithm: str, second: str) -> dict[str, Reader]:
    keys = signing.public()
    expected = {"issuer_keys": keys, "now": NOW}
    audience = replace(world.audience_key, signature=algorithm)
    issued = world.issue(status=StatusReference(0, _URI), keys=signing, audience_key=audience.public())
    granted = Grant("grant-1", _GENERATOR, "fan", "job-1", ("cameo-1",), frozenset(), NOW, NOW + _LASTS)
    statuses = StatusList.of(np.zeros(4, np.uint8))

    def open_credential(signed: str) -> object:
        header = {"alg": _ENVELOPE[0], "enc": _ENVELOPE[1], "cty": "JWT", "kid": world.audience_key.kid}
        sealed = jwe.encrypt_compact(header, signed, world.audience_key.public().key, algorithms=_ENVELOPE)
        return world.open(sealed, issuer_keys=keys)

    def reader(good: str, read: Callable[[str], object]) -> Reader:
        header, claims = (json.loads(from_base64url(part)) for part in good.split(".")[:2])
        backend = signing.by(algorithm).backend
        return Reader(header, claims, read, backend.sign, (backend.public_key(),), second)

    opened = jwe.decrypt_compact(issued.credential, world.audience_key.key, algorithms=_ENVELOPE).plaintext or b""
    grant = sign_grant(compose(granted, (), issuer=_ISSUER, pairwise=world.pairwise), keys=signing, algorithm=algorithm)
    listed = publish(statuses, uri=_URI, keys=signing, now=NOW, ttl=_LASTS, lifetime=_LASTS, algorithm=algorithm)
    return {
        "credential": reader(opened.decode(), open_credential),
        "receipt": reader(
            world.receipt(status=StatusReference(0, _URI), keys=signing, signature=algorithm).partition("~")[0],
            lambda token: world.open_receipt(_ended(token), issuer_keys=keys),
        ),
        "grant": reader(
            grant, lambda token: open_grant(token, expected_audience=_GENERATOR, expected_issuer=_ISSUER, **expected)
        ),
        "status list": reader(listed, lambda token: read_list(token, expected_uri=_URI, **expected)),
    }


def _ended(signed: str) -> str:
    """Return a signed token as the receipt that shows nothing of what can be withheld; a line break stays at its end."""
    bare = without_newline(signed)
    return f"{bare}~{signed.removeprefix(bare)}"


def caller_readers(folder: Path) -> dict[str, Reader]:
    """Return those that read callers' tokens, for both kinds of key."""
    keys: dict[str, Any] = {
        "Ed25519": (OKPKey.generate_key("Ed25519"), OKPKey.generate_key("Ed25519")),
        "ES256": (ECKey.generate_key("P-256"), ECKey.generate_key("P-256")),
    }
    jwks = folder / "callers.jwks"
    named = [
        {**key.as_dict(private=False), "kid": f"{alg}-{number}"} for alg, pair in keys.items() for number, key in enumerate(pair)
    ]
    jwks.write_text(json.dumps({"keys": named}))
    settings = Settings(caller_issuer="https://app.example", caller_keys=jwks)
    tokens = CallerTokens.open(settings, clock=lambda: NOW)
    assert tokens is not None
    at = int(NOW.timestamp())
    claims = {"iss": "https://app.example", "aud": settings.issuer, "nbf": at - 5, "exp": at + 60, "sub": "ana", "role": "owner"}
    vouched = {**claims, "azp": _GENERATOR, "job": "job-1"}
    readers: dict[str, tuple[dict[str, str], dict[str, Any], Callable[[str], object]]] = {
        "caller's": ({}, claims, tokens.verify),
        "requester's": ({"typ": REQUESTER_TYPE}, vouched, RequesterTokens(tokens.issuer).verify),
    }
    return {
        f"{name} token, {alg}": Reader({"alg": alg, "kid": f"{alg}-0", **header}, said, read, *_signing(alg, pair[0]), f"{alg}-1")
        for alg, pair in keys.items()
        for name, (header, said, read) in readers.items()
    }


@cache
def openid_readers() -> dict[str, Reader]:
    """Return those that read ID tokens, for each kind of key."""
    kinds: dict[str, Any] = {
        "RS256": RSAKey.generate_key(2048),
        "ES384": ECKey.generate_key("P-384"),
        "EdDSA": OKPKey.generate_key("Ed25519"),
    }
    seconds: dict[str, Any] = {
        "RS256": RSAKey.generate_key(2048),
        "ES384": ECKey.generate_key("P-384"),
        "EdDSA": OKPKey.generate_key("Ed25519"),
    }
    jwks = [{**key.as_dict(private=False), "kid": f"{alg}-0"} for alg, key in kinds.items()]
    jwks += [{**key.as_dict(private=False), "kid": f"{alg}-1"} for alg, key in seconds.items()]
    # What a real provider's set also holds: a key to encrypt to, a secret, and a kind nobody knows yet.
    jwks += [{**kinds["RS256"].as_dict(private=False), "kid": "enc", "use": "enc"}, {"kty": "oct", "k": "AAAA", "kid": "oct"}]
    jwks += [{"kty": "AKP", "alg": "ML-DSA-44", "kid": "new"}]
    at = int(NOW.timestamp())
    claims = {
        "iss": "https://idp.example",
        "aud": "console",
        "sub": "u1",
        "iat": at,
        "exp": at + 60,
        "nonce": "r" * 32,
        "role": "lead",
    }
    provider = OpenIdProvider(issuer="https://idp.example", client_id="console", role_claim="role", lead="lead")

    def read(token: str) -> object:
        def answer(request: httpx2.Request) -> httpx2.Response:
            pages = {name: f"https://idp.example/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
            said: dict[str, Any] = {"/token_endpoint": {"id_token": token}, "/jwks_uri": {"keys": jwks}}
            return httpx2.Response(200, json=said.get(request.url.path, {"issuer": "https://idp.example", **pages}))

        async def sign_in() -> object:
            async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
                openid = OpenId(
                    provider,
                    redirect_uri="http://127.0.0.1/back",
                    client=client,
                    clock=lambda: NOW,
                    random_token=lambda length: "r" * length,
                )
                await openid.begin("c")
                return await openid.finish(cookie="c", state="r" * 32, code="good")

        return asyncio.run(sign_in())

    return {
        f"ID token, {alg}": Reader({"alg": alg, "kid": f"{alg}-0", "typ": "JWT"}, claims, read, *_signing(alg, key), f"{alg}-1")
        for alg, key in kinds.items()
    }


def _signing(alg: str, key: Any) -> tuple[Callable[[bytes], bytes], tuple[bytes, ...]]:
    public = [key.as_pem(private=False), key.as_der(private=False)]
    with suppress(AttributeError):
        public.append(key.public_key.public_bytes_raw())
    return lambda message: JWSRegistry.algorithms[alg].sign(message, key), tuple(public)


def another_key(reader: Reader) -> Reader:
    """Return the same place with somebody else's key of the same kind to sign with."""
    alg = reader.header["alg"]
    key: Any = {"RS256": lambda: RSAKey.generate_key(2048), "ES256": lambda: ECKey.generate_key("P-256")}.get(
        alg, lambda: ECKey.generate_key("P-384") if alg == "ES384" else OKPKey.generate_key("Ed25519")
    )()
    sign, public = _signing(alg, key)
    return replace(reader, sign=sign, public=public)
