"""The issuer's second signature algorithm: ES256 for the audiences that ask for it, and no confusion with Ed25519."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.encoding import from_base64url, to_base64url, to_json
from cameo_credential.errors import CredentialError, InvalidRequestError, KeyFileError
from cameo_credential.issuer_keys import ES256, IssuerKeys, SigningKey, VerificationKeys, key_of_bytes
from cameo_credential.key_set import KeySet, new_key
from cameo_credential.webhook import open_webhook, sign_webhook

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import World

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (SEC 2 section 2.4.2)."""


@pytest.fixture
def keys(world: World) -> IssuerKeys:
    """Keys of both kinds."""
    return replace(world.keys, es256=SigningKey.generate(now=NOW, algorithm=ES256))


def header_of(token: str) -> dict[str, Any]:
    """Return the header of a token."""
    header: dict[str, Any] = json.loads(from_base64url(token.partition(".")[0]))
    return header


def test_each_audience_is_signed_for_as_it_asks(world: World, keys: IssuerKeys) -> None:
    """Credential and receipt of both kinds open with one set of keys; without a key on P-256 nothing is issued by ES256."""
    for wish, kid in (("Ed25519", keys.active.kid), (ES256, keys.by(ES256).kid)):
        audience = replace(world.audience_key, signature=wish)
        receipt = world.receipt(signature=wish, keys=keys)
        assert header_of(receipt) == {"alg": wish, "typ": "dc+sd-jwt", "kid": kid}
        assert len(from_base64url(receipt.partition("~")[0].rpartition(".")[2])) == 64
        assert world.open(world.issue(audience_key=audience, keys=keys).credential, issuer_keys=keys.public()).kid == kid
        assert world.open_receipt(receipt, issuer_keys=keys.public()).kid == kid
    with pytest.raises(KeyFileError, match="rotate --alg ES256"):
        world.issue(audience_key=replace(world.audience_key, signature=ES256))
    with pytest.raises(KeyFileError, match="rotate --alg ES256"):
        world.receipt(signature=ES256)


def test_no_key_verifies_by_the_others_algorithm(world: World, keys: IssuerKeys) -> None:
    """Under each of the two names of keys only its own algorithm is tried, whatever the header says."""
    public, es256 = keys.public(), keys.by(ES256)

    def refusal(by: SigningKey, **header: str) -> str:
        signed = f"{to_base64url(to_json({'typ': 'dc+sd-jwt', **header}))}.{to_base64url(b'{}')}"
        token = f"{signed}.{to_base64url(by.backend.sign(signed.encode()))}~"
        with pytest.raises(CredentialError) as refused:
            world.open_receipt(token, issuer_keys=public)
        return str(refused.value.reason)

    for by in (keys.active, es256):
        assert refusal(by, alg=ES256, kid=keys.active.kid) == "unsupported_algorithm"
        assert refusal(by, alg="Ed25519", kid=es256.kid) == "unsupported_algorithm"
    assert refusal(es256, alg="Ed25519", kid=keys.active.kid) == "bad_signature"
    assert refusal(keys.active, alg=ES256, kid=es256.kid) == "bad_signature"
    assert refusal(es256, alg=ES256, kid=es256.kid) == "wrong_type"  # it verifies, and has no `vct`


def test_a_signature_has_two_forms_and_ids_do_not_depend_on_it(world: World, keys: IssuerKeys) -> None:
    """The other S of ECDSA verifies too (RFC 7518 section 3.4 asks for none), and what it says is the same, by its `jti`."""
    receipt, _, disclosures = world.receipt(signature=ES256, keys=keys).partition("~")
    signed, _, signature = receipt.rpartition(".")
    raw = from_base64url(signature)
    other = raw[:32] + (ORDER - int.from_bytes(raw[32:])).to_bytes(32)
    both = (f"{signed}.{to_base64url(each)}~{disclosures}" for each in (raw, other))
    opened = [world.open_receipt(each, issuer_keys=keys.public()) for each in both]
    assert opened[0] == opened[1]


def test_both_kinds_are_published_and_rotate_apart() -> None:
    """Of each kind the newest that has begun signs; the last one of a kind stays; the file keeps both kinds."""
    first, later = SigningKey.generate(now=NOW), new_key(starts=NOW + DAY, now=NOW, algorithm=ES256)
    kept = KeySet((first,)).rotated(later, now=NOW)
    assert kept.at(NOW) == IssuerKeys(first, (later.public(),))
    assert kept.retired(later.kid, now=NOW).at(NOW + DAY).es256 is None
    assert kept.at(NOW + DAY) == IssuerKeys(first, (), later)
    assert KeySet.from_jwks(kept.to_jwks()).at(NOW + DAY) == kept.at(NOW + DAY)
    published = kept.at(NOW + DAY).public().to_jwks()
    assert [(key["kty"], key["crv"], "d" in key, "alg" in key) for key in published["keys"]] == [
        ("OKP", "Ed25519", False, False),
        ("EC", "P-256", False, False),
    ]
    assert VerificationKeys.from_jwks(published) == kept.at(NOW + DAY).public()
    for kid, algorithm in ((first.kid, "Ed25519"), (later.kid, ES256)):
        with pytest.raises(InvalidRequestError, match=f"rotate --alg {algorithm}"):
            kept.retired(kid, now=NOW + DAY)
    second = new_key(starts=NOW + DAY, now=NOW, algorithm=ES256)
    rotated = kept.rotated(second, now=NOW).retired(later.kid, now=NOW + DAY)
    assert rotated.at(NOW + DAY) == IssuerKeys(first, (later.public(),), second)


def test_keys_on_p256_are_read_strictly() -> None:
    """A coordinate of another length, a point elsewhere, half of another key and another use are no keys."""
    [good] = KeySet((SigningKey.generate(now=NOW, algorithm=ES256),)).to_jwks()["keys"]
    other = ECKey.generate_key("P-256").as_dict(private=True)
    assert KeySet.from_jwks({"keys": [good]}).keys[0].algorithm == ES256
    x, y = (from_base64url(good[name]) for name in "xy")
    for changed in (
        {"x": to_base64url(x[:-1])},
        {"y": to_base64url(b"\0" + y)},
        {"x": to_base64url(bytes(32))},
        {"y": other["y"]},
        {"d": other["d"]},
        {"d": to_base64url(bytes(32))},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"kty": "OKP"},
        {"alg": "EdDSA"},
        {"use": "enc"},
        {"kid": "mine"},
        {"x": 1},
    ):
        with pytest.raises(KeyFileError):
            KeySet.from_jwks({"keys": [{**good, **changed}]})
    point = b"\x04" + x + y
    assert key_of_bytes(point).thumbprint() == good["kid"]
    for bad in (point[:-1], point + b"\0", b"\x04" + x + x, b"\x02" + x + y, b""):
        with pytest.raises(ValueError):  # noqa: PT011 - the libraries beneath say each in their own words
            key_of_bytes(bad)


def test_webhooks_are_signed_by_ed25519_alone(keys: IssuerKeys) -> None:
    """`v1a` of Standard Webhooks is Ed25519: a signature by the other key is none, and that key in the set is passed over."""
    body = b'{"issuer":"i","audience":"a","type":"t","timestamp":"2026-03-01T12:00:00Z","data":{}}'
    expected: dict[str, Any] = {"expected_issuer": "i", "expected_audience": "a", "now": NOW}
    turned = IssuerKeys(keys.by(ES256), (keys.active.public(),)).public()
    headers = sign_webhook("w-1", body, key=keys.active, now=NOW)
    assert open_webhook(headers, body, issuer_keys=turned, **expected).id == "w-1"
    with pytest.raises(CredentialError) as refused:
        open_webhook(sign_webhook("w-1", body, key=keys.by(ES256), now=NOW), body, issuer_keys=turned, **expected)
    assert refused.value.reason == "bad_signature"


def test_a_registration_says_what_is_asked_for(tmp_path: Path) -> None:
    """The wish stands in the key file and comes back from the folder; one that is unknown is refused."""
    folder = AudienceFolder(tmp_path / "audiences")
    for name, wish in (("https://one.example", "Ed25519"), ("https://two.example", ES256)):
        folder.add(AudienceKey.generate(name, "P-256", wish))
        assert folder.get(name).signature == wish
    assert folder.signatures() == {"https://one.example": "Ed25519", "https://two.example": ES256}
    jwk = AudienceKey.generate("https://one.example").to_jwk()
    for wish in ("none", "HS256", "EdDSA", 1, None):
        with pytest.raises(KeyFileError, match="signature_alg"):
            AudienceKey.from_jwk({**jwk, "signature_alg": wish})
    with pytest.raises(InvalidRequestError, match="Ed25519 or ES256"):
        AudienceKey.generate("https://one.example", signature="RS256")
