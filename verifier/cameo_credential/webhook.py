"""Webhooks by the Standard Webhooks specification, version 1.0.0, signed with Ed25519 (`v1a`) by the issuer's key.

To an endpoint with secrets of its own (`webhook_secret`) each message also has an HMAC-SHA256 (`v1`) for each of them, which its
receivers' libraries verify; two secrets are a rotation. `open_webhook` verifies `v1a`, which needs no secret.

The signed content is ``{webhook-id}.{webhook-timestamp}.{body}``. It is never the signing input of one of the issuer's tokens,
which is two parts of base64url, so neither passes for the other. All receivers share the issuer's published keys: each message
names its audience, so that one receiver cannot pass it on to another.

`open_webhook` checks, in this order:

1. Each of the three headers is present once, and headers and body are within their size limits (`malformed`).
2. The timestamp is within the tolerance: not older (`expired`), not in the future (`not_yet_valid`).
3. A signature has our scheme (`unsupported_algorithm`), in canonical base64 (`malformed`).
4. It verifies under a key of the issuer (`bad_signature`) that had not expired then (`expired`). Before this nothing is trusted.
5. The body has our layout (`malformed`), from the expected issuer (`wrong_issuer`), for the expected audience (`wrong_audience`).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cameo_credential.encoding import from_json
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import SIGNATURE_ALGORITHM
from cameo_credential.refusal import Refusal
from cameo_credential.signature import signed_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cameo_credential.issuer_keys import KnownKeys, SigningKey, VerificationKey
    from cameo_credential.webhook_secret import WebhookSecret

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = timedelta(minutes=5)
"""The tolerance that the specification's libraries have."""
MAX_BODY_BYTES = 20_000
"""The maximum that the specification recommends."""
MAX_HEADER_CHARS = 1024
_SCHEME, _SYMMETRIC = "v1a,", "v1,"
_MAX_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Webhook:
    """The verified facts of a webhook. id: the same for every attempt, for deduplication."""

    id: str
    sent_at: datetime
    type: str
    occurred_at: datetime
    audience: str
    data: Mapping[str, Any]


def sign_webhook(
    identifier: str, body: bytes, *, key: SigningKey, now: datetime, endpoint_secrets: Sequence[WebhookSecret] = ()
) -> dict[str, str]:
    """Return the three headers of one attempt; the id must not contain a full stop.

    endpoint_secrets: the receiver's own, the newest first; each adds a signature by the scheme `v1` before the one by `v1a`.
    """
    timestamp = str(int(now.timestamp()))
    content = _content(identifier, timestamp, body)
    made = [(_SYMMETRIC, secret.sign(content)) for secret in endpoint_secrets] + [(_SCHEME, key.backend.sign(content))]
    signatures = " ".join(f"{scheme}{base64.b64encode(signature).decode('ascii')}" for scheme, signature in made)
    return {ID: identifier, TIMESTAMP: timestamp, SIGNATURE: signatures}


def open_webhook(
    headers: Mapping[str, str],
    body: bytes,
    *,
    issuer_keys: KnownKeys,
    expected_issuer: str,
    expected_audience: str,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> Webhook:
    """Verify a webhook.

    Delivery is at least once: ignore an `id` that was handled already. Remember ids for longer than `tolerance`.

    Args:
        headers: the request's headers; names in any case.
        body: the request's body, byte for byte.
        issuer_keys: the issuer's public keys, obtained from the issuer and not from the request.
        expected_issuer: what `issuer` must be.
        expected_audience: what `audience` must be: the receiver's own name.
        now: the time at which its age is judged.
        tolerance: maximum age, and tolerated clock skew.

    Raises:
        CredentialError: with one of the reasons of `Refusal`, by the steps above.
    """
    identifier, timestamp, signatures = (_header(headers, name) for name in (ID, TIMESTAMP, SIGNATURE))  # step 1
    if len(body) > MAX_BODY_BYTES:
        raise CredentialError(Refusal.MALFORMED, f"a webhook has at most {MAX_BODY_BYTES} bytes")
    sent_at = _sent_at(timestamp)
    if sent_at < now - tolerance:  # step 2
        raise CredentialError(Refusal.EXPIRED, "the webhook was sent too long ago, or is replayed")
    if sent_at > now + tolerance:
        raise CredentialError(Refusal.NOT_YET_VALID, "the webhook was sent in the future")
    made = _signatures(signatures)  # step 3
    key = _verified(made, _content(identifier, timestamp, body), issuer_keys)  # step 4
    if sent_at >= key.expires_at:
        raise CredentialError(Refusal.EXPIRED, "the key that signed the webhook has ended")
    return _read(identifier, sent_at, body, issuer=expected_issuer, audience=expected_audience)  # step 5


def _content(identifier: str, timestamp: str, body: bytes) -> bytes:
    return f"{identifier}.{timestamp}.".encode() + body


def _header(headers: Mapping[str, str], name: str) -> str:
    found = [value for given, value in headers.items() if given.lower() == name]
    if len(found) != 1 or not 1 <= len(found[0]) <= MAX_HEADER_CHARS or not found[0].isascii():
        raise CredentialError(Refusal.MALFORMED, f"a webhook has one header {name!r} of at most {MAX_HEADER_CHARS} characters")
    return found[0]


def _sent_at(timestamp: str) -> datetime:
    if not timestamp.isdecimal() or len(timestamp) > _MAX_DIGITS or str(int(timestamp)) != timestamp:
        raise CredentialError(Refusal.MALFORMED, f"{TIMESTAMP!r} is not in seconds since 1970")
    try:
        return datetime.fromtimestamp(int(timestamp), UTC)
    except (OverflowError, OSError, ValueError):
        raise CredentialError(Refusal.MALFORMED, f"{TIMESTAMP!r} is out of range") from None


def _signatures(header: str) -> list[bytes]:
    ours = [each.removeprefix(_SCHEME) for each in header.split(" ") if each.startswith(_SCHEME)]
    if not ours:
        raise CredentialError(Refusal.UNSUPPORTED_ALGORITHM, "a webhook is signed by the scheme v1a")
    try:
        made = [base64.b64decode(each, validate=True) for each in ours]
    except binascii.Error:
        raise CredentialError(Refusal.MALFORMED, "a signature of the webhook is not base64") from None
    if [base64.b64encode(each).decode("ascii") for each in made] != ours:
        raise CredentialError(Refusal.MALFORMED, "a signature of the webhook is not canonical base64")
    return made


def _verified(signatures: list[bytes], content: bytes, issuer_keys: KnownKeys) -> VerificationKey:
    for key in issuer_keys.current().keys.values():
        for signature in signatures:
            if key.algorithm == SIGNATURE_ALGORITHM and signed_by(key.key, content, signature, SIGNATURE_ALGORITHM):
                return key
    raise CredentialError(Refusal.BAD_SIGNATURE, "no signature of the webhook verifies under a key of the issuer")


def _read(identifier: str, sent_at: datetime, body: bytes, *, issuer: str, audience: str) -> Webhook:
    try:
        document = from_json(body)
        said = (document["issuer"], document["audience"], document["type"])
        occurred_at, data = datetime.fromisoformat(document["timestamp"]), document["data"]
    except (KeyError, TypeError, ValueError):
        raise CredentialError(Refusal.MALFORMED, "the webhook's body cannot be read") from None
    if not all(isinstance(each, str) for each in said) or not isinstance(data, dict):
        raise CredentialError(Refusal.MALFORMED, "the webhook's body cannot be read")
    if said[0] != issuer:
        raise CredentialError(Refusal.WRONG_ISSUER, f"the webhook does not come from {issuer!r}")
    if said[1] != audience:
        raise CredentialError(Refusal.WRONG_AUDIENCE, f"the webhook is not for {audience!r}")
    return Webhook(identifier, sent_at, said[2], occurred_at, audience, data)
