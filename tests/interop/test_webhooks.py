"""Webhooks as the Standard Webhooks library from npm verifies them, by the clock it has."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cameo_credential.encoding import to_json
from cameo_credential.issuer_keys import SigningKey
from cameo_credential.webhook import sign_webhook
from cameo_credential.webhook_secret import WebhookSecret
from tests.interop.conftest import LIBRARIES

BODY = to_json({"type": "cameo.revoked", "data": {"cameo": "c1", "note": "é\U0001f3ad"}})
SECRETS = tuple(f"whsec_{base64.b64encode(bytes([number]) * 24).decode()}" for number in range(3))


def verified(secret: str, *, signed_with: tuple[str, ...], body: bytes = BODY, age: timedelta = timedelta(0)) -> Any:
    """Return what the library says of a webhook that was signed with some secrets, this long ago."""
    now = datetime.now(UTC) - age
    made = tuple(WebhookSecret.parse(each) for each in signed_with)
    headers = sign_webhook("evt_12", BODY, key=SigningKey.generate(now=now), now=now, endpoint_secrets=made)
    given = json.dumps({"secret": secret, "headers": headers, "body": body.decode()})
    command = ["node", str(Path(__file__).with_name("webhook.mjs")), str(LIBRARIES)]
    ran = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_a_webhook_verifies_under_each_secret_of_a_rotation() -> None:
    """Whichever of the two secrets the receiver has, beside the signature by `v1a` that the library passes over."""
    for secret in SECRETS[:2]:
        assert verified(secret, signed_with=SECRETS[:2]) == json.loads(BODY)


def test_what_is_not_signed_with_its_secret_is_refused() -> None:
    """Another endpoint's secret, an issuer's signature alone, a changed body and an old message."""
    for said in (
        verified(SECRETS[2], signed_with=SECRETS[:2]),
        verified(SECRETS[0], signed_with=()),
        verified(SECRETS[0], signed_with=SECRETS[:1], body=BODY.replace(b"c1", b"c2")),
    ):
        assert said == {"refused": "No matching signature found"}
    assert verified(SECRETS[0], signed_with=SECRETS[:1], age=timedelta(minutes=6)) == {"refused": "Message timestamp too old"}
