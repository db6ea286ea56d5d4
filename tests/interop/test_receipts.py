"""Receipts as the SD-JWT VC library from npm verifies and shows them, by the clock it has."""

from __future__ import annotations

import json
import secrets
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from joserfc.jwk import ECKey, OKPKey

from cameo_credential import sd_jwt
from cameo_credential.claims import StatusReference
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.key_binding import KeyBinding, read_device_key
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.receipt import WITHHELD, Receipt, issue_receipt, open_receipt
from cameo_credential.status_list import StatusList, publish
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK
from cameo_credential.token_status import Status
from tests.documented_credential import PROVENANCE
from tests.interop.conftest import LIBRARIES

NOW = datetime.now(UTC)
KEYS = IssuerKeys(SigningKey.generate(now=NOW - timedelta(days=9)))
URI = "https://issuer.example/status/1"
READER, NONCE = "https://reader.example", "n-0S6_WzA2Mj"
DEVICES: dict[str, Any] = {"P-256": ECKey.generate_key("P-256"), "Ed25519": OKPKey.generate_key("Ed25519")}


def receipt(device: Any = None, *, age: timedelta = timedelta(0)) -> str:
    """Issue a receipt for a day, this long ago, that names a device or none."""
    issued = issue_receipt(
        issuer="https://issuer.example",
        subject="account-7",
        audience=READER,
        keys=KEYS,
        pairwise=PairwiseKey(bytes(32)),
        now=NOW - age,
        ttl=timedelta(days=1),
        jti="jti-1",
        provenance=PROVENANCE,
        new_salt=lambda: secrets.token_urlsafe(16),
        status=StatusReference(3, URI),
        device_key=None if device is None else read_device_key(json.dumps(device.as_dict(private=False))),
    )
    return issued.token


def asked(token: str, *, status: Status = Status.VALID, **more: object) -> dict[str, Any]:
    """Return what the library says of a receipt, or makes of it."""
    listed = StatusList.of(np.array([0, 1, 2, status], np.uint8))
    lists = {URI: publish(listed, uri=URI, keys=KEYS, now=NOW, ttl=timedelta(hours=1), lifetime=timedelta(hours=1))}
    given = json.dumps({"token": token, "jwks": KEYS.public().to_jwks(), "lists": lists, **more})
    command = ["node", str(Path(__file__).with_name("receipt.mjs")), str(LIBRARIES)]
    ran = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def opened(token: str, **more: Any) -> Receipt:
    """Open a receipt as a reader of ours does."""
    return open_receipt(
        token,
        issuer_keys=KEYS.public(),
        expected_audience=READER,
        expected_issuer="https://issuer.example",
        status=UNSAFE_NO_STATUS_CHECK,
        now=datetime.now(UTC),
        **more,
    )


def test_a_receipt_verifies_with_what_its_holder_shows() -> None:
    """All of it, a part, and nothing that can be withheld: the library reads what our reader reads."""
    token = receipt()
    for names in (WITHHELD, ("profile",), ()):
        payload = asked(sd_jwt.shown(token, names))["payload"]
        assert payload.keys() & set(WITHHELD) == set(names)
        assert (payload["vct"], payload["sub"]) == ("urn:cameo:receipt:1", opened(token).subject)
    assert asked(token)["payload"]["verification"]["confirmed"] == list(PROVENANCE.confirmed)


def test_the_library_refuses_what_our_reader_refuses() -> None:
    """A changed signature, a receipt that expired, was revoked or is suspended; a forged disclosure it never reads as a claim."""
    token = receipt()
    signed, first, *_ = token.split("~")
    for bad in (f"{signed[:-4]}AAAA~", receipt(age=timedelta(days=2))):
        assert set(asked(bad)) == {"refused"}
    for status in (Status.INVALID, Status.SUSPENDED):
        assert asked(token, status=status) == {"refused": "Status is not valid"}
    forged = "WyJzIiwiYWRtaW4iLHRydWVd"
    for more in ([forged], [first, forged], [first, first]):
        said = asked(sd_jwt.join(signed, more))
        assert "refused" in said or said["payload"] == asked(sd_jwt.join(signed, set(more) - {forged}))["payload"]


@pytest.mark.parametrize("kind", DEVICES)
def test_the_library_shows_a_receipt_with_the_devices_key(kind: str) -> None:
    """What it signs is taken by our reader and by its own, each for its reader and nonce alone."""
    device = DEVICES[kind]
    ask = {"names": {"profile": True}, "nonce": NONCE, "audience": READER}
    shown = asked(receipt(device), device=device.as_dict(private=True), **ask)["token"]
    assert opened(shown, key_binding=KeyBinding(READER, NONCE)).profile == (PROVENANCE.profile, PROVENANCE.profile_sha256)
    assert asked(shown, nonce=NONCE)["audience"] == READER
    assert set(asked(shown, nonce="another")) == {"refused"}
