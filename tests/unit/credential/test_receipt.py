"""Receipts: what their holder shows and withholds, what nobody can add, and whose device shows them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from cameo_credential import sd_jwt
from cameo_credential.claims import StatusReference
from cameo_credential.encoding import from_base64url, to_base64url, to_json
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.key_binding import LONGEST_AGE, MAX_KEY_CHARS, KeyBinding, read_device_key
from cameo_credential.receipt import WITHHELD, Verification

if TYPE_CHECKING:
    from conftest import World

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
READER = KeyBinding("https://reader.example", "nonce-1")
DEVICE = ECKey.generate_key("P-256")
JWK = {name: str(value) for name, value in DEVICE.as_dict(private=False).items()}


def refused(world: World, token: str, **changes: object) -> str:
    """Return why a receipt is refused."""
    with pytest.raises(CredentialError) as error:
        world.open_receipt(token, **changes)
    return str(error.value.reason)


def signed_claims(token: str) -> dict[str, Any]:
    """Return the claims of the JWS, the digests among them."""
    claims: dict[str, Any] = json.loads(from_base64url(token.split(".")[1]))
    return claims


def disclosed(*parts: object) -> str:
    """Return a disclosure of anything."""
    return to_base64url(to_json(list(parts)))


def bound(token: str, key: ECKey | OKPKey = DEVICE, *, typ: str = "kb+jwt", **changes: object) -> str:
    """Return a receipt as its holder shows it to `READER`, signed with a device's key."""
    alg = "ES256" if isinstance(key, ECKey) else "Ed25519"
    claims = {
        "iat": int(NOW.timestamp()),
        "aud": READER.audience,
        "nonce": READER.nonce,
        "sd_hash": sd_jwt.digest(token),
        **changes,
    }
    text = f"{to_base64url(to_json({'alg': alg, 'typ': typ}))}.{to_base64url(to_json(claims))}"
    return f"{token}{text}.{to_base64url(JWSRegistry.algorithms[alg].sign(text.encode(), key))}"


def test_a_reader_learns_what_the_issuer_said(world: World) -> None:
    """Every fact that went in comes out; the account's name is nowhere, and neither is the cameo's id."""
    token = world.receipt(status=StatusReference(17, "https://issuer.example/status/1"), device_key=JWK)
    read = world.open_receipt(token)

    assert (read.issuer, read.audience, read.jti) == ("https://issuer.example", "https://generator.example", "jti-1")
    assert read.subject == world.pairwise.pseudonym("account-7", "https://generator.example")
    assert (read.issued_at, read.expires_at) == (datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 4, 12, tzinfo=UTC))
    assert (read.kid, read.status) == (world.keys.active.kid, StatusReference(17, "https://issuer.example/status/1"))
    assert (read.device_key, read.minor_safeguards, read.profile) == (JWK, True, ("default", "ab" * 32))
    models = {"face-model": f"{1:064x}", "voice-model": f"{2:064x}"}
    attempt, challenge = (world.pairwise.alias(each, read.audience) for each in ("attempt-1", "challenge-1"))
    evidence = world.pairwise.digest("cd" * 32, read.audience)
    assert read.verification == Verification(attempt, challenge, models, evidence, ("phrase", "movements"))
    plain = token + "".join(from_base64url(each).decode() for each in token.split("~")[1:-1])
    assert "account-7" not in plain
    for known in ("attempt-1", "challenge-1", "cameo-1", "cd" * 32):
        assert known not in plain


def test_what_is_signed_is_laid_out_as_documented(world: World) -> None:
    """An SD-JWT VC in its header, the registered names in sight, and of what can be withheld digests in no telling order."""
    token = world.receipt(device_key=JWK)
    assert json.loads(from_base64url(token.split(".")[0]))["typ"] == "dc+sd-jwt"
    claims = signed_claims(token)
    assert list(claims) == ["iss", "sub", "aud", "iat", "nbf", "exp", "jti", "vct", "cnf", "_sd", "_sd_alg"]
    assert (claims["vct"], claims["cnf"], claims["_sd_alg"]) == ("urn:cameo:receipt:1", {"jwk": JWK}, "sha-256")
    assert claims["_sd"] == sorted(claims["_sd"])
    assert len(claims["_sd"]) == len(WITHHELD)
    again = signed_claims(world.receipt(device_key=JWK))
    assert not set(again["_sd"]) & set(claims["_sd"]), "the same claims under new salts have other digests"


@pytest.mark.parametrize("names", [(), ("profile",), ("minor_safeguards", "verification"), WITHHELD])
def test_the_holder_withholds_what_the_reader_need_not_know(world: World, names: tuple[str, ...]) -> None:
    """Any choice of the three is a receipt; what is withheld is not there, and cannot be had from the token."""
    token = sd_jwt.shown(world.receipt(), names)
    read = world.open_receipt(token)
    assert {name for name in WITHHELD if getattr(read, name) is not None} == set(names)
    if "verification" not in names:
        assert "attempt-1" not in "".join(from_base64url(each).decode() for each in token.split("~")[1:-1])


def test_nobody_adds_changes_or_repeats_a_disclosure(world: World) -> None:
    """A forged one, one with another salt, name or value, another receipt's, one shown twice, and what is none."""
    token = world.receipt()
    signed, *shown, _ = token.split("~")
    salt, name, value = json.loads(from_base64url(shown[0]))
    assert name == "minor_safeguards"
    assert value is True
    other = next(each for each in world.receipt().split("~")[1:] if each)
    forged = [
        disclosed(salt, name, False),  # noqa: FBT003 - the value of a claim
        disclosed(salt, "profile", value),
        disclosed("another", name, value),
        disclosed(salt, name, value, "more"),
        disclosed(salt, value),
        disclosed(1, name, value),
        disclosed(salt, 1, value),
        to_base64url(to_json({"salt": salt})),
        f"{shown[0]}A",
        "",
        "é",
        other,
    ]
    for bad in forged:
        assert refused(world, sd_jwt.join(signed, [bad])) == "malformed", bad
        assert refused(world, sd_jwt.join(signed, [*shown, bad])) == "malformed", bad
    assert refused(world, sd_jwt.join(signed, [shown[0], shown[0]])) == "malformed"
    assert refused(world, sd_jwt.join(signed, [*shown, *["AAAA"] * 20])) == "malformed"
    assert world.open_receipt(sd_jwt.join(signed, shown[::-1])).minor_safeguards is True


def test_not_even_the_issuer_signs_digests_that_can_be_read_two_ways(world: World) -> None:
    """Digests there twice, another hash, names that are taken or never withheld, and parts within parts: signed, yet refused."""
    claims = {name: value for name, value in signed_claims(world.receipt()).items() if not name.startswith("_sd")}
    minor, profile = disclosed("s", "minor_safeguards", True), disclosed("t", "profile", {"name": "d", "sha256": "e"})  # noqa: FBT003
    digests = [sd_jwt.digest(minor), sd_jwt.digest(profile)]

    def said(*shown: str, **more: object) -> str:
        return world.sign_receipt({**claims, "_sd": digests, **more}, *shown)

    assert world.open_receipt(said(minor, profile)).profile == ("d", "e")
    for bad in (
        said(_sd=[*digests, digests[0]]),
        said(minor, _sd=[*digests, digests[0]]),
        said(_sd_alg="sha-512"),
        said(_sd_alg=None),
        said(_sd="x"),
        said(_sd=[1]),
        said(minor, minor_safeguards=False),
        said(profile=[{"...": digests[0]}]),
        said(verification={"_sd": digests[:1]}),
        said(verification={"attempt": [{"a": {"_sd": []}}]}),
    ):
        assert refused(world, bad) == "malformed", bad
    for name in ("iss", "nbf", "exp", "cnf", "vct", "status", "_sd", "_sd_alg", "..."):
        hidden = disclosed("s", name, "x")
        left = {key: value for key, value in claims.items() if key != name}
        token = world.sign_receipt({**left, "_sd": [sd_jwt.digest(hidden)]}, hidden)
        assert refused(world, token) == ("wrong_type" if name == "vct" else "malformed"), name


def test_another_credential_of_the_issuer_is_no_receipt(world: World) -> None:
    """Another `vct` is `wrong_type`; a JWS without its tilde, claims of another layout and a text too long are `malformed`."""
    token = world.receipt()
    claims = {name: value for name, value in signed_claims(token).items() if not name.startswith("_sd")}
    assert refused(world, world.sign_receipt({**claims, "vct": "urn:cameo:receipt:2"})) == "wrong_type"
    assert refused(world, world.sign_receipt({name: value for name, value in claims.items() if name != "vct"})) == "wrong_type"
    assert refused(world, token.partition("~")[0]) == "malformed"
    assert refused(world, token + "~" * 2**15) == "malformed"
    for bent in (
        {"minor_safeguards": 1},
        {"minor_safeguards": None},
        {"profile": "default"},
        {"profile": {"name": "default"}},
        {"verification": []},
        {"verification": {"attempt": "a"}},
        {"cnf": {"kid": "k"}},
        {"cnf": {"jwk": DEVICE.as_dict(private=True)}},
        {"name": "Ada"},
    ):
        assert refused(world, world.sign_receipt({**claims, **bent})) == "malformed", bent


def test_a_receipt_has_no_longer_life_than_its_key(world: World) -> None:
    """Its validity is cut short where the signing key ends, and none is issued after that."""
    keys = IssuerKeys(SigningKey.generate(now=NOW, lifetime=timedelta(days=1)))
    read = world.open_receipt(world.receipt(keys=keys), issuer_keys=keys.public())
    assert read.expires_at == keys.active.expires_at
    with pytest.raises(RuntimeError, match="signing key has ended"):
        world.receipt(keys=keys, now=NOW + timedelta(days=1))


def test_what_was_composed_is_what_leaves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receipt that says something else than what was composed is a bug, and does not leave."""
    conceal = sd_jwt.conceal
    monkeypatch.setattr(sd_jwt, "conceal", lambda members, **how: conceal({**members, "minor_safeguards": False}, **how))
    with pytest.raises(RuntimeError, match="something else than what was composed"):
        world.receipt()


@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
def test_the_holder_proves_to_hold_the_device(world: World, kind: str) -> None:
    """Signed for this reader, this nonce and what is shown, now: whatever else is `not_bound`."""
    make = {"P-256": lambda: ECKey.generate_key("P-256"), "Ed25519": lambda: OKPKey.generate_key("Ed25519")}[kind]
    device: Any = make()
    jwk = read_device_key(json.dumps(device.as_dict(private=False)))
    token = sd_jwt.shown(world.receipt(device_key=jwk), ("profile",))
    at = int(NOW.timestamp())
    age_s = int(LONGEST_AGE.total_seconds())

    assert world.open_receipt(bound(token, device), key_binding=READER).device_key == jwk
    assert world.open_receipt(bound(token, device, iat=at - age_s + 1), key_binding=READER).device_key == jwk
    assert refused(world, bound(token, device)) == "malformed", "nobody asked for it, and nobody would verify it"
    whole = world.receipt(device_key=jwk)
    for bad in (
        token,
        bound(token, make()),
        bound(token, device, aud="https://other.example"),
        bound(token, device, nonce="nonce-2"),
        bound(token, device, iat=at - age_s),
        bound(token, device, iat=at + 31),
        bound(token, device, iat="now"),
        bound(token, device, iat=10**30),
        bound(token, device, sd_hash=sd_jwt.digest(whole)),
        bound(token, device, typ="JWT"),
        f"{bound(token, device)[:-4]}AAAA",
        bound(token, device).replace(token, whole),
        f"{token}x",
        bound(world.receipt(), device),
    ):
        assert refused(world, bad, key_binding=READER) == "not_bound"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        json.dumps(DEVICE.as_dict(private=True)),
        json.dumps(RSAKey.generate_key(2048).as_dict(private=False)),
        json.dumps(ECKey.generate_key("P-384").as_dict(private=False)),
        json.dumps(OKPKey.generate_key("X25519").as_dict(private=False)),
        json.dumps({**JWK, "use": "enc"}),
        json.dumps({**JWK, "x": JWK["y"]}),
        json.dumps({**JWK, "x": f"{JWK['x']}="}),
        json.dumps({**JWK, "x": 1}),
        json.dumps({"kty": "EC", "crv": "P-256", "x": JWK["x"]}),
        json.dumps({"kty": "oct", "k": "AAAA"}),
        json.dumps(JWK)[:-1] + ', "kty": "EC"}',
        json.dumps({**JWK, "note": "n" * MAX_KEY_CHARS}),
    ],
    ids=count(1),
)
def test_what_is_no_devices_public_key_is_refused(text: str) -> None:
    """Private halves, other kinds, points off the curve, other spellings and names that are there twice."""
    with pytest.raises(ValueError):  # noqa: PT011 - of a library of which some messages are empty
        read_device_key(text)


def test_of_a_device_key_the_key_alone_is_kept() -> None:
    """Members that could steer a reader, or say more of the device, are left out."""
    assert read_device_key(json.dumps({**JWK, "kid": "phone", "x5u": "https://evil.example", "alg": "ES256"})) == JWK
