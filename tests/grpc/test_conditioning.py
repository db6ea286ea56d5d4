"""The way from a grant to files, as docs/conditioning.md shows it to a generator."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from cameo.v1 import cameo_pb2
from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo_credential.issuer_keys import VerificationKeys
from tests.grpc.judges import MEDIA
from tests.grpc.world import FAN

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs/conditioning.md"


async def test_what_the_page_shows_brings_pictures_and_sound(
    open_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Authorized, spent and opened by the page's own lines: each permitted item is a file, with what was kept of the person."""
    [block] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        await world.update(cameo, items=cameo_pb2.ItemKind.keys()[1:])
        published = await world.client.credentials.GetKeys(GetKeysRequest())
        (tmp_path / "made").mkdir()
        monkeypatch.chdir(tmp_path / "made")
        with grpc.insecure_channel(world.client.server.address) as channel:
            given = {
                "channel": channel,
                "caller": world.generator,
                "keys": VerificationKeys.from_jwks(json.loads(published.jwks)),
                "audience_key": world.client.audience_key,
                "cameo_id": cameo.id,
                "requester_token": world.requester(FAN),
            }
            await asyncio.to_thread(exec, block, given)
    made = {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    names = ["face_crop-0.jpeg", "face_crop-1.jpeg", "face_crop-2.jpeg", "voice_clip-3.flac"]
    assert made == dict(zip(names, (each.data for each in MEDIA), strict=True))
