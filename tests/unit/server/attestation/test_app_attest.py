"""App Attest: recorded attestations, each byte of them changed, and ones that are wrong in one thing."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from cameo_verifier.server.attestation.app_attest import ROOT, AppAttest
from cameo_verifier.server.attestation.errors import AttestationError
from tests.attested import APP_ID, DEVELOPMENT, NOW, Apple

RECORDED_AT = datetime(2024, 2, 8, tzinfo=UTC)
RECORDED_APP = "V8H6LQ9448.io.uebelacker.AppAttestExample"
DIGEST = sha256(b"nonce and key").digest()


def recorded(environment: str) -> tuple[bytes, bytes]:
    """Return an attestation that Apple made, and the hash that it attests."""
    found = json.loads((Path(__file__).parent / "vectors" / f"{environment}.json").read_text("utf-8"))
    return base64.b64decode(found["attestation"]), sha256(base64.b64decode(found["challenge"])).digest()


def test_the_root_is_apples() -> None:
    assert ROOT.fingerprint(SHA256()).hex() == "1cb9823ba28ba6ad2d33a006941de2ae4f513ef1d4e831b9f7e0fa7b6242c932"
    ROOT.verify_directly_issued_by(ROOT)


def test_recorded_attestations_verify() -> None:
    """Those of the development environment only where that is allowed."""
    for environment in ("production", "development"):
        AppAttest([RECORDED_APP], development=True).verify(*recorded(environment), RECORDED_AT)
    production = AppAttest(["TEAM123456.com.example.other", RECORDED_APP], development=False)
    production.verify(*recorded("production"), RECORDED_AT)
    with pytest.raises(AttestationError, match="environment"):
        production.verify(*recorded("development"), RECORDED_AT)


@pytest.mark.parametrize("at", [datetime(2024, 2, 6, tzinfo=UTC), datetime(2024, 12, 22, tzinfo=UTC)])
def test_a_recorded_attestation_expires(at: datetime) -> None:
    with pytest.raises(AttestationError, match="not valid now"):
        AppAttest([RECORDED_APP], development=False).verify(*recorded("production"), at)


def test_a_recorded_attestation_is_of_one_app_and_one_hash() -> None:
    attestation, digest = recorded("production")
    with pytest.raises(AttestationError, match="another app"):
        AppAttest([APP_ID], development=False).verify(attestation, digest, RECORDED_AT)
    with pytest.raises(AttestationError, match="another session"):
        AppAttest([RECORDED_APP], development=False).verify(attestation, DIGEST, RECORDED_AT)


def test_any_changed_byte_is_refused() -> None:
    """But for those of the receipt, which is Apple's own and is not read."""
    attestation, digest = recorded("production")
    receipt = cbor2.loads(attestation)["attStmt"]["receipt"]
    begins = attestation.index(receipt)
    verifier = AppAttest([RECORDED_APP], development=False)
    taken = []
    for at in range(len(attestation)):
        if begins <= at < begins + len(receipt):
            continue
        changed = bytearray(attestation)
        changed[at] ^= 1 << at % 8
        try:
            verifier.verify(bytes(changed), digest, RECORDED_AT)
        except AttestationError:
            continue
        taken.append(at)
    assert taken == []
    assert len(attestation) - len(receipt) > 1600


def test_a_cut_or_lengthened_attestation_is_refused() -> None:
    attestation, digest = recorded("production")
    verifier = AppAttest([RECORDED_APP], development=False)
    for changed in (*(attestation[:length] for length in range(0, len(attestation), 97)), attestation + b"\0"):
        with pytest.raises(AttestationError):
            verifier.verify(changed, digest, RECORDED_AT)


@pytest.fixture(scope="module")
def apple() -> Apple:
    return Apple()


def test_a_made_attestation_verifies(apple: Apple) -> None:
    """It is as Apple's but for the root, so each of the wrong ones below is wrong in one thing."""
    verifier = AppAttest([APP_ID], development=False, root=apple.root)
    verifier.verify(apple.attest(DIGEST), DIGEST, NOW)
    with pytest.raises(AttestationError, match="not of Apple's root"):
        AppAttest([APP_ID], development=False).verify(apple.attest(DIGEST), DIGEST, NOW)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"counter": 1}, "used before"),
        ({"app": "TEAM123456.com.example.other"}, "another app"),
        ({"environment": DEVELOPMENT}, "environment"),
        ({"environment": b"appattest" + b"\x01" * 7}, "environment"),
        ({"until": NOW - timedelta(seconds=1)}, "not valid now"),
        ({"key_id": bytes(32)}, "another key"),
        ({"key_id": b""}, "another key"),
        ({"curve": SECP384R1}, "P-256"),
        ({"authData": b""}, "another session"),
        ({"fmt": "packed"}, "no attestation object"),
        ({"fmt": None, "more": 1}, "no attestation object"),
        ({"attStmt": {"x5c": [], "receipt": b""}}, "no attestation object"),
        ({"attStmt": {"x5c": [b"", b""], "receipt": b""}}, "cannot be read"),
        ({"attStmt": {"x5c": ["", ""], "receipt": b""}}, "no attestation object"),
        ({"attStmt": 1}, "no attestation object"),
    ],
)
def test_what_is_wrong_in_one_thing_is_refused(changed: dict[str, object], told: str, apple: Apple) -> None:
    verifier = AppAttest([APP_ID], development=False, root=apple.root)
    with pytest.raises(AttestationError, match=told):
        verifier.verify(apple.attest(DIGEST, **changed), DIGEST, NOW)  # type: ignore[arg-type] # by name


def test_authenticator_data_that_is_cut_is_refused(apple: Apple) -> None:
    """Though its certificate attests it."""
    key, data = generate_private_key(SECP256R1()), b"short"
    nonce = sha256(data + DIGEST).digest()
    leaf = apple.certificate("leaf", key, "ca", apple._ca_key, nonce=nonce)
    chain = [each.public_bytes(Encoding.DER) for each in (leaf, apple.ca)]
    made = {"attStmt": {"x5c": chain, "receipt": b""}, "authData": data}
    with pytest.raises(AttestationError, match="too short"):
        AppAttest([APP_ID], development=False, root=apple.root).verify(apple.attest(DIGEST, **made), DIGEST, NOW)


@pytest.mark.parametrize("authority", [True, False])
def test_a_leaf_issues_nothing(authority: bool, apple: Apple) -> None:  # noqa: FBT001 - a parameter of the test
    """What the root signed attests keys only where it is a certificate of an authority."""
    key, other, data = generate_private_key(SECP384R1()), generate_private_key(SECP256R1()), b"short"
    attested = apple.certificate("leaf", key, "root", apple._root_key, authority=authority)
    leaf = apple.certificate("other", other, "leaf", key, nonce=sha256(data + DIGEST).digest())
    chain = [each.public_bytes(Encoding.DER) for each in (leaf, attested)]
    made = apple.attest(DIGEST, attStmt={"x5c": chain, "receipt": b""}, authData=data)
    with pytest.raises(AttestationError, match="too short" if authority else "not of Apple's root"):
        AppAttest([APP_ID], development=False, root=apple.root).verify(made, DIGEST, NOW)


@pytest.mark.parametrize(
    "hostile", [b"", b"\xff", b"\x81" * 9000, b"\xbf\xff", b"\x5b" + b"\xff" * 8, b"\xd8\x23\x61(", b"\xa1\x81\x01\x02"]
)
def test_hostile_cbor_is_refused(hostile: bytes) -> None:
    """Deep nesting, endless maps, lengths beyond memory, tags, lists as keys."""
    with pytest.raises(AttestationError):
        AppAttest([APP_ID], development=True).verify(hostile, DIGEST, NOW)
