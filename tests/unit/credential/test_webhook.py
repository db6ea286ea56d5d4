"""Webhooks as their receiver verifies them: issuer, audience, time, and signature."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from cameo_credential.encoding import to_base64url, to_json
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import IssuerKeys, SigningKey, VerificationKeys
from cameo_credential.refusal import Refusal
from cameo_credential.signer import TokenType, sign
from cameo_credential.webhook import MAX_BODY_BYTES, TOLERANCE, Webhook, open_webhook, sign_webhook
from cameo_credential.webhook_secret import WebhookSecret

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = SigningKey.generate(now=NOW - timedelta(days=1))
OTHER = SigningKey.generate(now=NOW - timedelta(days=1))
KEYS = IssuerKeys(KEY).public()
DOCUMENT: dict[str, Any] = {
    "type": "cameo.revoked",
    "timestamp": "2026-03-01T11:59:59+00:00",
    "issuer": "https://cameo.example",
    "audience": "shorts.example",
    "data": {"cursor": "MTI", "cameo": "c1"},
}
BODY = to_json(DOCUMENT)
HEADERS = sign_webhook("evt_12", BODY, key=KEY, now=NOW)


def opened(headers: dict[str, str] = HEADERS, body: bytes = BODY, **how: Any) -> Webhook:
    expected = {"expected_issuer": "https://cameo.example", "expected_audience": "shorts.example", "now": NOW}
    return open_webhook(headers, body, **{"issuer_keys": KEYS, **expected, **how})


def refusal(headers: dict[str, str] = HEADERS, body: bytes = BODY, **how: Any) -> str:
    with pytest.raises(CredentialError) as error:
        opened(headers, body, **how)
    return error.value.reason


def signed(document: object, *, key: SigningKey = KEY) -> tuple[dict[str, str], bytes]:
    body = json.dumps(document).encode()
    return sign_webhook("evt_12", body, key=key, now=NOW), body


def test_a_good_webhook_is_opened() -> None:
    """Its facts are those that were signed, whatever the case of the headers' names and whatever other headers there are."""
    expected = Webhook("evt_12", NOW, "cameo.revoked", NOW - timedelta(seconds=1), "shorts.example", DOCUMENT["data"])
    assert opened() == expected
    assert opened({**{name.upper(): value for name, value in HEADERS.items()}, "Host": "shorts.example"}) == expected


def test_the_signature_is_that_of_the_specification() -> None:
    """The signature of the specification's own test (Go library, `TestAsymmetricWebhookSign`) comes out."""
    seed = base64.b64decode("VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=")
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": to_base64url(public), "d": to_base64url(seed)}
    sent_at = datetime.fromtimestamp(1_614_265_330, UTC)
    key = SigningKey.of_private(OKPKey.import_key(jwk), issued_at=sent_at, not_before=sent_at, expires_at=sent_at)
    assert sign_webhook("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', key=key, now=sent_at) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": ("v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="),
    }


def test_a_secret_signs_as_the_specification_does() -> None:
    """The signature of the specification's own test (JavaScript library, "sign function works") comes out, before ours."""
    secret, further = WebhookSecret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), WebhookSecret(bytes(24))
    at = datetime.fromtimestamp(1_614_265_330, UTC)
    signed_at = {"key": KEY, "now": at, "endpoint_secrets": (secret, further)}
    headers = sign_webhook("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', **signed_at)
    first, second, ours = headers["webhook-signature"].split(" ")
    assert first == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert second.startswith("v1,")
    assert ours.startswith("v1a,")


def test_a_webhook_with_secrets_is_opened_by_the_issuers_keys() -> None:
    """Whoever verifies `v1a` passes over the others; without it they prove nothing here."""
    both = WebhookSecret(bytes(24)), WebhookSecret(bytes(64))
    headers = sign_webhook("evt_12", BODY, key=KEY, now=NOW, endpoint_secrets=both)
    assert opened(headers) == opened()
    by_secrets, _, _ = headers["webhook-signature"].rpartition(" ")
    assert refusal({**headers, "webhook-signature": by_secrets}) == "unsupported_algorithm"


@pytest.mark.parametrize(
    "text",
    [
        *("", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?", "whsec_é"),
        *("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_" + "A" * 30 + "B=", "whsec_" + "AAAA" * 7, "whsec_" + "AAAA" * 22),
    ],
)
def test_what_is_no_secret_is_refused(text: str) -> None:
    """Another prefix, what is not canonical base64, and fewer than 24 or more than 64 bytes; the message keeps it to itself."""
    with pytest.raises(ValueError, match="24 to 64 bytes") as error:
        WebhookSecret.parse(text)
    assert len(text) < 10 or text not in str(error.value)


def test_each_changed_bit_of_the_body_is_refused() -> None:
    """Whichever bit of the body is turned over, the signature does not verify."""
    for place in range(len(BODY)):
        for bit in range(8):
            changed = bytearray(BODY)
            changed[place] ^= 1 << bit
            assert refusal(body=bytes(changed)) == Refusal.BAD_SIGNATURE


def test_each_changed_bit_of_the_headers_is_refused() -> None:
    """Whichever bit of the three values is turned over, the webhook is refused."""
    for name, value in HEADERS.items():
        for place in range(len(value)):
            for bit in range(8):
                changed = value[:place] + chr(ord(value[place]) ^ (1 << bit)) + value[place + 1 :]
                assert refusal({**HEADERS, name: changed}) in {
                    *(Refusal.MALFORMED, Refusal.EXPIRED, Refusal.NOT_YET_VALID),
                    *(Refusal.UNSUPPORTED_ALGORITHM, Refusal.BAD_SIGNATURE),
                }


@given(cut=st.integers(0, len(BODY) - 1), added=st.binary(min_size=1, max_size=8))
def test_a_cut_or_longer_body_is_refused(cut: int, added: bytes) -> None:
    """No beginning of a body passes for it, and nothing can be put behind it."""
    assert refusal(body=BODY[:cut]) == refusal(body=BODY + added) == Refusal.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(0), None),
        (TOLERANCE, None),
        (TOLERANCE + timedelta(seconds=1), Refusal.EXPIRED),
        (timedelta(days=400), Refusal.EXPIRED),
        (-TOLERANCE, None),
        (-TOLERANCE - timedelta(seconds=1), Refusal.NOT_YET_VALID),
    ],
)
def test_a_replay_outside_the_tolerance_is_refused(after: timedelta, expected: Refusal | None) -> None:
    """A webhook is good for five minutes around when it was sent, and not a second longer."""
    if expected is None:
        assert opened(now=NOW + after).id == "evt_12"
    else:
        assert refusal(now=NOW + after) == expected
    assert refusal(now=NOW + timedelta(seconds=2), tolerance=timedelta(seconds=1)) == Refusal.EXPIRED


def test_another_receivers_webhook_is_refused() -> None:
    """A message for someone else, or from another issuer with the same key, is not taken."""
    assert refusal(expected_audience="other.example") == Refusal.WRONG_AUDIENCE
    assert refusal(expected_issuer="https://evil.example") == Refusal.WRONG_ISSUER


def test_a_strangers_key_is_refused_and_a_rotated_one_taken() -> None:
    """Only keys of the issuer count; of several signatures one has to be good; a key that had ended signs nothing."""
    assert refusal(*signed(DOCUMENT, key=OTHER)) == Refusal.BAD_SIGNATURE
    assert opened(*signed(DOCUMENT, key=OTHER), issuer_keys=IssuerKeys(KEY, (OTHER.public(),)).public()).id == "evt_12"
    bad = signed(DOCUMENT, key=OTHER)[0]["webhook-signature"]
    good = HEADERS["webhook-signature"]
    assert opened({**HEADERS, "webhook-signature": f"v1,AAAA {bad} {good}"}).id == "evt_12"
    assert refusal({**HEADERS, "webhook-signature": bad}) == Refusal.BAD_SIGNATURE
    ended = SigningKey.generate(now=NOW - timedelta(days=2), lifetime=timedelta(days=1))
    assert refusal(*signed(DOCUMENT, key=ended), issuer_keys=IssuerKeys(ended).public()) == Refusal.EXPIRED
    assert refusal(issuer_keys=VerificationKeys({})) == Refusal.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"webhook-id": ""}, Refusal.MALFORMED),
        ({"webhook-id": "x" * 1025}, Refusal.MALFORMED),
        ({"webhook-id": "é"}, Refusal.MALFORMED),
        ({"Webhook-Id": "evt_12"}, Refusal.MALFORMED),
        ({"webhook-timestamp": "+1772366400"}, Refusal.MALFORMED),
        ({"webhook-timestamp": "01772366400"}, Refusal.MALFORMED),
        ({"webhook-timestamp": "1772366400.0"}, Refusal.MALFORMED),
        ({"webhook-timestamp": "9" * 12}, Refusal.MALFORMED),
        ({"webhook-timestamp": "9" * 13}, Refusal.MALFORMED),
        ({"webhook-signature": "v1a"}, Refusal.UNSUPPORTED_ALGORITHM),
        ({"webhook-signature": "v1," + "A" * 43 + "="}, Refusal.UNSUPPORTED_ALGORITHM),
        ({"webhook-signature": "v1a,"}, Refusal.BAD_SIGNATURE),
        ({"webhook-signature": "v1a,*"}, Refusal.MALFORMED),
        ({"webhook-signature": HEADERS["webhook-signature"].rstrip("=")}, Refusal.MALFORMED),
    ],
)
def test_a_malformed_header_is_refused(headers: dict[str, str], expected: Refusal) -> None:
    """Each header has one spelling."""
    assert refusal({**HEADERS, **headers}) == expected


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_a_missing_header_is_refused(name: str) -> None:
    """None of the three can be left out."""
    assert refusal({given: value for given, value in HEADERS.items() if given != name}) == Refusal.MALFORMED


def test_a_signed_body_that_is_none_of_ours_is_refused() -> None:
    """Another layout is malformed even if the issuer signed it, and so is a body that is too large, before anything else."""
    for document in ([], "x", {}, *({k: v for k, v in DOCUMENT.items() if k != name} for name in DOCUMENT)):
        assert refusal(*signed(document)) == Refusal.MALFORMED
    for wrong in ({"timestamp": "noon"}, {"timestamp": 3}, {"data": []}, {"type": 1}, {"audience": ["shorts.example"]}):
        assert refusal(*signed(DOCUMENT | wrong)) == Refusal.MALFORMED
    assert refusal(body=b"x" * (MAX_BODY_BYTES + 1)) == Refusal.MALFORMED


def test_a_tokens_signature_is_none_of_a_webhook() -> None:
    """What the issuer signs as a token cannot be cut into a webhook: its signing input is not of that form."""
    header, payload, signature = sign({"iat": int(NOW.timestamp())}, key=KEY, typ=TokenType.GRANT).split(".")
    bare = base64.b64encode(base64.urlsafe_b64decode(signature + "==")).decode()
    stamp = str(int(NOW.timestamp()))
    assert (
        refusal({"webhook-id": header, "webhook-timestamp": stamp, "webhook-signature": f"v1a,{bare}"}, payload.encode())
        == Refusal.BAD_SIGNATURE
    )
