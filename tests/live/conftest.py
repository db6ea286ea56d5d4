"""A real server with the real pipeline, whose clocks the test moves."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest_asyncio

from cameo.v1 import session_service_pb2_grpc
from cameo.v1.session_service_pb2 import CreateSessionRequest, GetSessionRequest
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_verifier.server.app import Server, open_server
from cameo_verifier.settings import Settings
from fixtures.studio import Persona, Voice
from fixtures.studio.live import LivePerson
from fixtures.studio.virtual_time import VirtualTime
from tests.grpc.client import AUDIENCE
from tests.grpc.server import UNHURRIED
from tests.live.player import Player

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from cameo.v1.session_service_pb2 import CreateSessionResponse, GetSessionResponse
    from cameo_verifier.models.kit import ModelKit


@dataclass(frozen=True)
class Site:
    """A server and its time, seen by an app."""

    server: Server
    channel: grpc.aio.Channel
    time: VirtualTime
    kit: ModelKit

    @property
    def sessions(self) -> Any:
        """SessionService."""
        return session_service_pb2_grpc.SessionServiceStub(self.channel)

    async def create(self, **asked: Any) -> CreateSessionResponse:
        """Create a session."""
        usual = {"subject": f"account-{uuid4()}", "audience": AUDIENCE, "request_id": str(uuid4())}
        created: CreateSessionResponse = await self.sessions.CreateSession(CreateSessionRequest(**usual | asked))
        return created

    async def session(self, identifier: str) -> GetSessionResponse:
        """Return a session."""
        found: GetSessionResponse = await self.sessions.GetSession(GetSessionRequest(session_id=identifier))
        return found

    def player(self, token: str, *, seed: int = 5, persona: Persona = Persona.ASTRONAUT, voice: Voice = Voice.REED) -> Player:
        """Return a client with a person before it."""
        person = LivePerson(persona, voice, seed=seed, kit=self.kit, others=tuple({*Persona} - {persona}))
        return Player(self.channel, token, person, self.time)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, kit: ModelKit) -> AsyncIterator[Site]:
    """A site with two workers."""
    time = VirtualTime()
    settings = Settings(
        listen="127.0.0.1:0", data=tmp_path_factory.mktemp("live"), workers=2, queue=0, gallery=False, **UNHURRIED
    )
    AudienceFolder(settings.audiences).add(AudienceKey.generate(AUDIENCE))
    server = await open_server(settings, clock=time.utc, monotonic=time.monotonic, random=Random(11))  # noqa: S311 - a test
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield Site(server, channel, time, kit)
    finally:
        await server.stop()
