"""`kill -9` of a server between spending a grant and delivering the likeness."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
import pytest

from cameo.v1 import cameo_pb2
from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.delivery import open_likeness
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.media_items import open_objects
from cameo_verifier.server.app import utc_now
from cameo_verifier.settings import Settings
from tests.databases import only_sqlite
from tests.faults.test_server_crash import killed
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE
from tests.grpc.judges import MEDIA
from tests.grpc.world import World, reason

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = only_sqlite


async def test_what_was_spent_and_not_delivered_is_delivered_whole_to_the_same_request(tmp_path: Path) -> None:
    """The grant is spent, nothing left; after the start the same request gets everything, another one nothing."""
    app, key = App.make(tmp_path), AudienceKey.generate(AUDIENCE)
    AudienceFolder(Settings(data=tmp_path / "data").audiences).add(key.public())
    settings = [f"{name}={value}" for name, value in app.settings.items()]
    spending = str(uuid4())
    (tmp_path / "die-delivering").touch()
    async with killed(tmp_path, *settings) as client:
        world = World(client, app)
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE", items=cameo_pb2.ItemKind.keys()[1:])
        granted = await world.authorize(cameo)
        with pytest.raises(grpc.aio.AioRpcError):
            await world.spend(granted.token, request_id=spending)
    (tmp_path / "die-delivering").unlink()

    async with killed(tmp_path, *settings) as client:
        world = World(client, app)
        assert await reason(world.spend(granted.token)) == "GRANT_SPENT"
        [likeness] = (await world.spend(granted.token, request_id=spending)).likenesses
        keys = await client.credentials.GetKeys(GetKeysRequest())
        delivery = open_likeness(
            likeness.token,
            audience_key=key,
            issuer_keys=VerificationKeys.from_jwks(json.loads(keys.jwks)),
            expected_audience=AUDIENCE,
            expected_issuer=keys.issuer,
            expected_grant=granted.grant_id,
            now=utc_now(),
        )
        assert len(delivery.items) == 2
        assert open_objects(delivery.detached, likeness.objects, now=utc_now()) == MEDIA
