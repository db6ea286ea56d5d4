"""Forged tokens with one defect each, of all four kinds: refused for that defect's reason."""

from __future__ import annotations

import hashlib
import hmac
import json
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from joserfc import jwe

from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import StatusReference
from cameo_credential.encoding import from_base64url, to_base64url, to_json
from cameo_credential.errors import CredentialError
from cameo_credential.grant_token import open_grant, sign_grant
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.signature import verified_claims
from cameo_credential.signer import TokenType, sign
from cameo_credential.status_list import StatusList, publish, read_list
from cameo_verifier.cameo.grants import compose
from cameo_verifier.cameo.model import Grant

if TYPE_CHECKING:
    from conftest import World

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URI = "https://issuer.example/status/1"
ALPHABET = string.ascii_letters + string.digits + "-_"
ENVELOPES = ["ECDH-ES+A256KW", "A256GCM"]
GENERATOR, ISSUER = "https://generator.example", "https://issuer.example"
KINDS = {
    "credential": TokenType.CREDENTIAL,
    "receipt": TokenType.RECEIPT,
    "grant": TokenType.GRANT,
    "list": TokenType.STATUS_LIST,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of token: a good one's signed part, and how whoever reads it gets what is signed."""

    world: World
    typ: TokenType
    signed: str

    def read(self, signed: str, **changes: Any) -> None:
        """Read a signed part as its reader would, a credential's in an envelope for the audience."""
        if self.typ is TokenType.CREDENTIAL:
            key = changes.pop("audience_key", self.world.audience_key)
            header = {"alg": ENVELOPES[0], "enc": ENVELOPES[1], "cty": "JWT", "kid": key.kid}
            token = jwe.encrypt_compact(header, signed, key.public().key, algorithms=ENVELOPES)
            self.world.open(token, audience_key=key, **changes)
        elif self.typ is TokenType.RECEIPT:
            self.world.open_receipt(f"{signed}~", **changes)
        elif self.typ is TokenType.GRANT:
            expectations = {"expected_audience": GENERATOR, "expected_issuer": ISSUER, "now": NOW}
            open_grant(signed, **{"issuer_keys": self.world.keys.public(), **expectations, **changes})
        else:
            expected = {"issuer_keys": self.world.keys.public(), "expected_uri": URI, "now": NOW}
            read_list(signed, **{**expected, **changes})  # type: ignore[arg-type]

    def reason(self, signed: str, **changes: Any) -> str:
        """Return why it is refused."""
        with pytest.raises(CredentialError) as refused:
            self.read(signed, **changes)
        return str(refused.value.reason)

    def header(self, **changes: object) -> str:
        """Return the good token with another header."""
        first, payload, signature = self.signed.split(".")
        return f"{to_base64url(to_json({**json.loads(from_base64url(first)), **changes}))}.{payload}.{signature}"

    def claims(self) -> dict[str, Any]:
        """Return what the good token says."""
        claims: dict[str, Any] = json.loads(from_base64url(self.signed.split(".")[1]))
        return claims


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, world: World) -> Kind:
    """A good token of each kind, which its reader takes."""
    typ = KINDS[request.param]
    lasts = timedelta(days=3)
    if typ is TokenType.STATUS_LIST:
        listed = StatusList.of(np.array([0, 1, 2, 0], np.uint8))
        signed = publish(listed, uri=URI, keys=world.keys, now=NOW, ttl=lasts, lifetime=lasts)
    elif typ is TokenType.GRANT:
        granted = Grant("grant-1", GENERATOR, "fan", "job-1", ("cameo-1",), frozenset(), NOW, NOW + lasts)
        signed = sign_grant(compose(granted, (), issuer=ISSUER, pairwise=world.pairwise), keys=world.keys)
    else:
        issued = world.issue(status=StatusReference(0, URI))
        plain = jwe.decrypt_compact(issued.credential, world.audience_key.key, algorithms=ENVELOPES).plaintext or b""
        receipt = world.receipt(status=StatusReference(0, URI)).partition("~")[0]
        signed = plain.decode() if typ is TokenType.CREDENTIAL else receipt
    made = Kind(world, typ, signed)
    made.read(signed)
    return made


def test_the_header_picks_no_algorithm(kind: Kind) -> None:
    """`none`, signed or not, HMAC under the public key and other names of the curve are `unsupported_algorithm`."""
    public = from_base64url(str(kind.world.keys.active.key.as_dict(private=False)["x"]))
    for alg in ("none", "NONE", "EdDSA", "Ed448", "ES256", "", None, ["Ed25519"]):
        assert kind.reason(kind.header(alg=alg)) == "unsupported_algorithm"
    bare = kind.header(alg="none").rpartition(".")[0]
    assert kind.reason(f"{bare}.") == "unsupported_algorithm"
    hashed = kind.header(alg="HS256").rpartition(".")[0]
    tag = hmac.new(public, hashed.encode(), hashlib.sha256).digest()
    assert kind.reason(f"{hashed}.{to_base64url(tag)}") == "unsupported_algorithm"


def test_the_issuers_clock_may_be_ahead(kind: Kind) -> None:
    """A token that was made up to 30 s in the reader's future is taken, later it is `not_yet_valid`."""
    # A status list is given its leeway by `StatusSource`.
    given = {"leeway": timedelta(seconds=30)} if kind.typ is TokenType.STATUS_LIST else {}
    start = datetime.fromtimestamp(kind.claims()["iat"], UTC)
    kind.read(kind.signed, now=start - timedelta(seconds=30), **given)
    assert kind.reason(kind.signed, now=start - timedelta(seconds=30, microseconds=1), **given) == "not_yet_valid"


def test_no_kind_passes_for_another(kind: Kind) -> None:
    """Under the type of each other kind, signed by the issuer itself, it is `wrong_type`."""
    for other in set(TokenType) - {kind.typ}:
        assert kind.reason(sign(kind.claims(), key=kind.world.keys.active, typ=other)) == "wrong_type"


def test_only_the_issuers_keys_count(kind: Kind) -> None:
    """Another's key is `unknown_key`, another's signature under the known name `bad_signature`, also between two known keys."""
    stranger = SigningKey.generate(now=NOW)
    theirs = sign(kind.claims(), key=stranger, typ=kind.typ)
    assert kind.reason(theirs) == "unknown_key"
    assert kind.reason(f"{kind.signed.rpartition('.')[0]}.{theirs.rpartition('.')[2]}") == "bad_signature"
    both = IssuerKeys(kind.world.keys.active, (stranger.public(),)).public()
    assert kind.reason(kind.header(kid=stranger.kid), issuer_keys=both) == "bad_signature"
    assert kind.reason(kind.header(jwk=stranger.key.as_dict(private=False))) == "malformed"
    assert kind.reason(kind.header(kid=None)) == "malformed"


def test_time_and_place_have_their_own_reasons(kind: Kind) -> None:
    """Before its time, after it, and for another reader than the one who holds it."""
    assert kind.reason(kind.signed, now=NOW - timedelta(seconds=31)) == "not_yet_valid"
    assert kind.reason(kind.signed, now=NOW + timedelta(days=3)) == "expired"
    assert kind.reason(kind.signed, now=kind.world.keys.active.expires_at) == "expired"
    if kind.typ is TokenType.STATUS_LIST:
        assert kind.reason(kind.signed, expected_uri=f"{URI}0") == "wrong_list"
        return
    second = "https://second.example"
    passed_on = {"audience_key": AudienceKey.generate(second)} if kind.typ is TokenType.CREDENTIAL else {}
    assert kind.reason(kind.signed, expected_audience=second, **passed_on) == "wrong_audience"
    assert kind.reason(kind.signed, expected_issuer=second) == "wrong_issuer"


def test_every_other_character_is_refused(kind: Kind) -> None:
    """At each place of the signed part another character makes it refused before its claims are believed."""
    # Straight to what is signed: around a credential lies an envelope, whose own bytes `tests/property` flips.
    before = {"malformed", "unsupported_algorithm", "wrong_type", "unknown_key", "bad_signature"}
    keys = kind.world.keys.public()
    reasons = set()
    for place, character in enumerate(kind.signed):
        other = "A" if character == "." else ALPHABET[(ALPHABET.index(character) + 1) % 64]
        with pytest.raises(CredentialError) as refused:
            verified_claims(kind.signed[:place] + other + kind.signed[place + 1 :], keys, kind.typ)
        reasons.add(str(refused.value.reason))
    assert {"malformed", "bad_signature"} <= reasons <= before
