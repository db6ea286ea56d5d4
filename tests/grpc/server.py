"""A real server on a free loopback port."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import pytest

from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_verifier.server.app import open_server, utc_now
from cameo_verifier.settings import Settings
from tests import databases
from tests.grpc.client import AUDIENCE, Client
from tests.grpc.judges import OpenScripted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from datetime import datetime
    from pathlib import Path


UNHURRIED = {"open_challenges": 1000, "attempts_an_hour": 1000, "failures_in_a_row": 1000}
"""Most tests have one person, who tries all day."""


class OpenServer(Protocol):
    """Opens a server with the scripted judges and settings of the test's own, and connects to it."""

    def __call__(
        self, *, clock: Callable[[], datetime] = utc_now, key: AudienceKey = ..., **settings: Any
    ) -> AbstractAsyncContextManager[Client]:
        """Return the client, which is the audience `key` too."""


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenServer]:
    """Serve from a fresh data folder with one worker, no queue and one registered audience, unless told otherwise."""
    usual_key = AudienceKey.generate(AUDIENCE)

    @asynccontextmanager
    async def opened(
        *, clock: Callable[[], datetime] = utc_now, key: AudienceKey = usual_key, **settings: Any
    ) -> AsyncIterator[Client]:
        usual = {"listen": "127.0.0.1:0", "data": tmp_path / "data", "workers": 1, "queue": 0, "drain_s": 2.0}
        site = Settings(**usual | UNHURRIED | settings)
        AudienceFolder(site.audiences).add(key)
        journal = tmp_path / "journal"
        server = await open_server(site, open_judge=OpenScripted(journal), clock=clock)
        try:
            async with grpc.aio.insecure_channel(server.address) as channel:
                yield Client(server, channel, journal, key)
        finally:
            await server.stop()

    with databases.fresh(tmp_path / "data") as url:
        if databases.SERVER:
            monkeypatch.setenv("CAMEO_DATABASE_URL", url)
        yield opened
