from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwe, jws
from joserfc.jwk import OctKey

from cameo_credential import sd_jwt
from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import NAMESPACE, compose
from cameo_credential.encoding import from_base64url, to_base64url
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.receipt import VCT
from cameo_credential.signer import TokenType, sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import World

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


def _refused(call: Callable[[], object]) -> str:
    with pytest.raises(CredentialError) as refused:
        call()
    return str(refused.value.reason)


def _envelope(world: World, inner: str, **header: str) -> str:
    protected = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "cty": "JWT", "kid": world.audience_key.kid, **header}
    allowed = [protected["alg"], protected["enc"], *ALGORITHMS]
    return jwe.encrypt_compact(protected, inner, world.audience_key.public().key, algorithms=allowed)


def _inside(world: World, token: str) -> str:
    plain = jwe.decrypt_compact(token, world.audience_key.key, algorithms=ALGORITHMS).plaintext
    assert plain is not None
    return plain.decode()


def _claims(world: World) -> dict[str, Any]:
    return json.loads(from_base64url(_inside(world, world.issue().credential).split(".")[1]))


def _signed(world: World, claims: dict[str, Any]) -> str:
    return _envelope(world, sign(claims, key=world.keys.active, typ=TokenType.CREDENTIAL))


def _unsigned(header: dict[str, Any], payload: str, signature: bytes = b"") -> str:
    return f"{to_base64url(json.dumps(header).encode())}.{payload}.{to_base64url(signature)}"


@pytest.mark.parametrize("token", ["", "x", "....", "a.b.c.d.e", "é", "ey\x00", "a" * 70_000, "." * 5_000])
def test_what_is_no_token_is_malformed(world: World, token: str) -> None:
    """Whatever is not five base64url parts is refused as such, without an error of another kind."""
    assert _refused(lambda: world.open(token)) == "malformed"


def test_time_decides_to_the_second(world: World) -> None:
    """Valid from 30 s before `nbf` on and until just before `exp`; the leeway moves both ends."""
    issued = world.issue()
    token, receipt = issued.credential, world.receipt()
    start, end = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 4, 12, tzinfo=UTC)
    tick, minute, apart = timedelta(microseconds=1), timedelta(minutes=1), timedelta(seconds=30)

    assert world.open(token, now=start).jti == "jti-1"
    assert world.open(token, now=end - tick).jti == "jti-1"
    assert _refused(lambda: world.open(token, now=end)) == "expired"
    assert world.open(token, now=start - apart).jti == "jti-1"
    assert _refused(lambda: world.open(token, now=start - apart - tick)) == "not_yet_valid"
    assert _refused(lambda: world.open_receipt(receipt, now=start - apart - tick)) == "not_yet_valid"
    assert world.open_receipt(receipt, now=start - apart).jti == "jti-1"
    assert world.open(token, now=end + minute - tick, leeway=minute).jti == "jti-1"
    assert world.open(token, now=start - minute, leeway=minute).jti == "jti-1"
    assert _refused(lambda: world.open(token, now=start - minute - tick, leeway=minute)) == "not_yet_valid"
    assert _refused(lambda: world.open(token, now=end + minute, leeway=minute)) == "expired"


def test_a_token_ends_with_its_key_whatever_it_says(world: World) -> None:
    """A token whose `exp` lies beyond the end of its signing key is refused from the end of the key on."""
    keys = IssuerKeys(SigningKey.generate(now=NOW, lifetime=timedelta(days=1)))
    claims = _claims(world)
    token = _envelope(world, sign(claims, key=keys.active, typ=TokenType.CREDENTIAL))

    assert world.open(token, issuer_keys=keys.public()).expires_at == keys.active.expires_at
    assert _refused(lambda: world.open(token, issuer_keys=keys.public(), now=NOW + timedelta(days=2))) == "expired"


def test_expectations_are_held(world: World) -> None:
    """Another audience, issuer or key than expected is refused, each with its own reason."""
    token = world.issue().credential
    stranger = AudienceKey.generate("https://generator.example")

    assert _refused(lambda: world.open(token, expected_audience="https://other.example")) == "wrong_audience"
    assert _refused(lambda: world.open(token, expected_issuer="https://other.example")) == "wrong_issuer"
    assert _refused(lambda: world.open(token, audience_key=stranger)) == "not_for_this_key"
    assert _refused(lambda: world.open(token, issuer_keys=IssuerKeys(SigningKey.generate(now=NOW)).public())) == "unknown_key"


def test_a_credential_passed_on_to_another_audience_is_refused(world: World) -> None:
    """An audience that decrypts a credential and encrypts it to a second one gets `wrong_audience` there."""
    second = AudienceKey.generate("https://second.example")
    inner = _inside(world, world.issue().credential)
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "cty": "JWT", "kid": second.kid}
    forwarded = jwe.encrypt_compact(header, inner, second.public().key, algorithms=ALGORITHMS)

    reason = _refused(lambda: world.open(forwarded, audience_key=second, expected_audience="https://second.example"))

    assert reason == "wrong_audience"


def test_the_header_picks_no_algorithm(world: World) -> None:
    """`none`, HMAC under the public key, other curves' names and no name at all are `unsupported_algorithm`."""
    inner = _inside(world, world.issue().credential)
    _, payload, signature = inner.split(".")
    kid, typ = world.keys.active.kid, "cameo-credential+jwt"
    public = from_base64url(str(world.keys.active.key.as_dict(private=False)["x"]))

    forged = [_unsigned({"alg": alg, "typ": typ, "kid": kid}, payload) for alg in ("none", "None", "", "EdDSA", "ed25519")]
    forged.append(_unsigned({"typ": typ, "kid": kid}, payload))
    forged.append(_unsigned({"alg": ["Ed25519"], "typ": typ, "kid": kid}, payload))
    for secret in (public, base64.b64encode(public), json.dumps(world.keys.public().to_jwks()).encode()):
        signing_input = f"{to_base64url(json.dumps({'alg': 'HS256', 'typ': typ, 'kid': kid}).encode())}.{payload}"
        tag = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
        forged.append(f"{signing_input}.{to_base64url(tag)}")
    forged.append(
        jws.serialize_compact({"alg": "HS256", "typ": typ, "kid": kid}, from_base64url(payload), OctKey.import_key(public))
    )
    assert len(signature) == 86

    for token in forged:
        assert _refused(lambda token=token: world.open(_envelope(world, token))) == "unsupported_algorithm"


@pytest.mark.parametrize(("alg", "enc"), [("ECDH-ES", "A256GCM"), ("ECDH-ES+A128KW", "A256GCM"), ("ECDH-ES+A256KW", "A128GCM")])
def test_the_envelope_has_one_pair_of_algorithms(world: World, alg: str, enc: str) -> None:
    """A well-made envelope under another algorithm of the same family is `unsupported_algorithm`."""
    token = _envelope(world, _inside(world, world.issue().credential), alg=alg, enc=enc)

    assert _refused(lambda: world.open(token)) == "unsupported_algorithm"


def test_compression_and_other_header_members_are_refused(world: World) -> None:
    """A member we never write, such as `zip` (a decompression bomb) or `jku`, makes the envelope `malformed`."""
    inner = _inside(world, world.issue().credential)
    bomb = jwe.encrypt_compact(
        {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "cty": "JWT", "kid": world.audience_key.kid, "zip": "DEF"},
        inner,
        world.audience_key.public().key,
        algorithms=[*ALGORITHMS, "DEF"],
    )

    assert _refused(lambda: world.open(bomb)) == "malformed"
    assert _refused(lambda: world.open(_envelope(world, inner, jku="https://evil.example/jwks"))) == "malformed"
    assert _refused(lambda: world.open(_envelope(world, inner, cty="text/plain"))) == "wrong_type"


def test_a_swapped_kid_is_refused(world: World) -> None:
    """Another known key's name is `bad_signature`, an unknown one `unknown_key`; on the envelope it is `tampered`."""
    other = SigningKey.generate(now=NOW)
    both = IssuerKeys(world.keys.active, (other.public(),)).public()
    token = world.issue().credential
    _, payload, signature = _inside(world, token).split(".")
    header = {"alg": "Ed25519", "typ": "cameo-credential+jwt"}

    def renamed(kid: object) -> str:
        return _envelope(world, _unsigned({**header, "kid": kid}, payload, from_base64url(signature)))

    assert _refused(lambda: world.open(renamed(other.kid), issuer_keys=both)) == "bad_signature"
    assert _refused(lambda: world.open(renamed("nobody"), issuer_keys=both)) == "unknown_key"
    assert _refused(lambda: world.open(renamed(7), issuer_keys=both)) == "malformed"

    stranger = AudienceKey.generate("https://generator.example")
    first, *rest = token.split(".")
    outer = json.loads(from_base64url(first))
    outer["kid"] = stranger.kid
    swapped = ".".join([to_base64url(json.dumps(outer).encode()), *rest])
    assert _refused(lambda: world.open(swapped)) == "not_for_this_key"
    assert _refused(lambda: world.open(swapped, audience_key=stranger)) == "tampered"


def test_signed_nonsense_is_malformed(world: World) -> None:
    """Even our own key does not make claims acceptable that lack a part, have two audiences or a bent embedding."""

    def without(name: str) -> dict[str, Any]:
        return {key: value for key, value in _claims(world).items() if key != name}

    wrong = [without(name) for name in ("iss", "sub", "aud", "iat", "nbf", "exp", "jti", NAMESPACE)]
    wrong.append({**_claims(world), "aud": ["https://generator.example"]})
    wrong.append({**_claims(world), "exp": 10**30})
    wrong.append({**_claims(world), "exp": True})
    sizes = [{"dim": dim} for dim in (511, 0, -512, True, 512.0, "512", None, 10**9)]
    for change in (*sizes, {"dtype": "float32"}, {"data": "AAAA"}, {"data": "A" * 1366}, {"data": "!"}, {"model": 3}):
        bent = _claims(world)
        bent[NAMESPACE]["face"].update(change)
        wrong.append(bent)

    for claims in wrong:
        assert _refused(lambda claims=claims: world.open(_signed(world, claims))) == "malformed"


def test_a_receipt_with_an_embedding_is_refused(world: World) -> None:
    """A receipt can never carry an embedding, whoever signed it."""
    claims = _claims(world)
    identity = claims.pop(NAMESPACE)
    good = {**claims, "vct": VCT}
    assert world.open_receipt(world.sign_receipt(good)).jti == "jti-1"
    for smuggled in ({NAMESPACE: identity}, {"face": identity["face"]}, {"voice": identity["voice"]}):
        assert _refused(lambda more=smuggled: world.open_receipt(world.sign_receipt({**good, **more}))) == "malformed"
        digests, disclosures = sd_jwt.conceal(smuggled, new_salt=lambda: "salt")
        hidden = world.sign_receipt({**good, **digests}, *disclosures)
        assert _refused(lambda token=hidden: world.open_receipt(token)) == "malformed"


def test_composing_names_everyone(world: World) -> None:
    """A credential without a subject or an id is a bug of ours."""
    credential = world.open(world.issue().credential)
    with pytest.raises(RuntimeError, match="names its issuer"):
        compose(
            issuer="https://issuer.example",
            subject="",
            audience="https://generator.example",
            pairwise=world.pairwise,
            now=NOW,
            ttl=timedelta(days=1),
            not_after=world.keys.active.expires_at,
            jti="jti-1",
            provenance=world.provenance,
            face=credential.face,
            voice=credential.voice,
        )
