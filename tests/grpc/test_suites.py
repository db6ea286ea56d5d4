"""The suites an audience may choose, from the credential to the delivery for a job, over the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cameo.v1.credential_service_pb2 import GetKeysRequest, GetStatusListRequest
from cameo_credential.audience_keys import AudienceKey
from cameo_credential.delivery import open_likeness
from cameo_credential.encoding import from_base64url
from cameo_credential.grant_token import open_grant
from cameo_credential.issuer_keys import ES256, VerificationKeys
from cameo_credential.key_set import KeySet, change, new_key
from cameo_credential.receipt import open_receipt
from cameo_credential.status_list import read_list
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK
from cameo_credential.validator import open_credential
from cameo_verifier.server.app import utc_now
from cameo_verifier.settings import Settings
from tests.aliases import alias
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE
from tests.grpc.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from tests.grpc.server import OpenServer


def header_of(token: str) -> dict[str, Any]:
    """Return the header of a token."""
    header: dict[str, Any] = json.loads(from_base64url(token.partition(".")[0]))
    return header


@pytest.mark.parametrize(("curve", "signature"), [("P-256", ES256), ("P-256", "Ed25519"), ("X25519", ES256)])
async def test_an_audience_gets_everything_in_its_suite(serve: OpenServer, tmp_path: Path, curve: str, signature: str) -> None:
    """Credential, receipt, status list, grant and delivery are signed as it asks and encrypted to its key."""
    now, file = utc_now(), Settings(data=tmp_path / "data").issuer_keys
    KeySet.open(file, now=now)
    change(file, lambda kept: kept.rotated(new_key(starts=now, now=now, algorithm=ES256), now=now))
    key, app = AudienceKey.generate(AUDIENCE, curve, signature), App.make(tmp_path)
    async with serve(key=key, **app.settings) as client:
        world = World(client, app)
        answer = await world.answer()
        published = await client.credentials.GetKeys(GetKeysRequest())
        keys, issuer = VerificationKeys.from_jwks(json.loads(published.jwks)), published.issuer
        expected: dict[str, Any] = {
            "issuer_keys": keys,
            "expected_audience": AUDIENCE,
            "expected_issuer": issuer,
            "now": utc_now(),
        }
        assert open_receipt(answer.receipt.token, status=UNSAFE_NO_STATUS_CHECK, **expected).status is not None
        cameo = await world.create(answer.attempt.id)
        cameo = await world.update(cameo, who_may_use="WHO_MAY_USE_EVERYONE", offline_audiences=[AUDIENCE])
        credential = await world.issue(cameo)
        expected["now"] = utc_now()
        opened = open_credential(credential.token, audience_key=key, status=UNSAFE_NO_STATUS_CHECK, **expected)
        assert keys.keys[opened.kid].algorithm == header_of(answer.receipt.token)["alg"] == signature
        assert header_of(credential.token)["alg"] == key.algorithm
        assert opened.status is not None
        listed = await client.credentials.GetStatusList(GetStatusListRequest(uri=opened.status.uri))
        assert header_of(listed.token)["alg"] == signature
        now = utc_now()
        read_list(listed.token, issuer_keys=keys, expected_uri=opened.status.uri, now=now)

        granted = await world.authorize(cameo)
        assert header_of(granted.token)["alg"] == signature
        assert open_grant(granted.token, **expected | {"now": utc_now()}).id == granted.grant_id
        [delivered] = (await world.spend(granted.token)).likenesses
        assert header_of(delivered.token)["alg"] == key.algorithm
        delivery = {**expected, "now": utc_now(), "expected_grant": granted.grant_id}
        assert open_likeness(delivered.token, audience_key=key, **delivery).cameo_id == alias(tmp_path, cameo.id, AUDIENCE)
