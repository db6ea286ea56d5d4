"""One site with its app, one owner and one generator, as the tests over the wire need it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from cameo.v1 import cameo_pb2, cameo_service_pb2_grpc, relationship_service_pb2_grpc
from cameo.v1 import cameo_service_pb2 as wire
from cameo.v1.credential_service_pb2 import (
    IssueCredentialRequest,
)
from cameo_verifier.server.app import utc_now
from cameo_verifier.server.wire.enums import short_name
from tests.grpc.callers import App, Metadata
from tests.grpc.client import AUDIENCE, refused
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from pathlib import Path

    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer


OWNER, FAN = "account-1", "account-2"


GENERAL = (cameo_pb2.USE_CATEGORY_GENERAL,)


SHA = "ab" * 32


NOTE, WORD = "never in a uniform", "no cats, please"


class World:
    """One site with its app, one owner and one generator."""

    def __init__(self, client: Client, app: App, now: Callable[[], datetime] = utc_now) -> None:
        self.client = client
        self.now = now
        self.stub: Any = cameo_service_pb2_grpc.CameoServiceStub(client.channel)
        self.graph: Any = relationship_service_pb2_grpc.RelationshipServiceStub(client.channel)
        self.signer = app
        self.app = app.metadata("app", "backend")
        self.owner = app.metadata("owner", OWNER)
        self.stranger = app.metadata("owner", "stranger")
        self.generator = app.metadata("generator", AUDIENCE)
        self.other_generator = app.metadata("generator", "https://other.example")

    async def attempt(self, script: bytes = b"accept") -> Any:
        """Have a recording judged."""
        return (await self.answer(script)).attempt

    async def answer(self, script: bytes = b"accept") -> Any:
        """Have a recording judged, and return the receipt too, if it earns one."""
        challenges, verification = self.client.challenges, self.client.verification
        from cameo.v1.challenge_service_pb2 import IssueChallengeRequest  # noqa: PLC0415 - used here only
        from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest  # noqa: PLC0415

        challenge = await challenges.IssueChallenge(IssueChallengeRequest(subject=OWNER), metadata=self.app)
        config = VerifyResponseConfig(challenge_id=challenge.id, audience=AUDIENCE, request_id=str(uuid4()))
        messages = [VerifyResponseRequest(config=config), VerifyResponseRequest(chunk=script)]
        return await verification.VerifyResponse(iter(messages), metadata=self.app)

    def create(self, attempt_id: str, *, by: Metadata | None = None, request_id: str | None = None) -> Any:
        """Ask for a cameo."""
        consent = cameo_pb2.Consent(text_version="3", locale="en-GB", agree_time=utc_now(), text_sha256="5e" * 32)
        request = wire.CreateCameoRequest(attempt_id=attempt_id, consent=consent, request_id=request_id or str(uuid4()))
        return self.stub.CreateCameo(request, metadata=by or self.owner)

    async def cameo(self, script: bytes = b"accept", **terms: Any) -> Any:
        """Make a cameo with these terms."""
        made = await self.create((await self.attempt(script)).id)
        return await self.update(made, **terms) if terms else made

    def update(self, cameo: Any, *, by: Metadata | None = None, **terms: Any) -> Any:
        """Change terms."""
        changed = cameo_pb2.Cameo(id=cameo.id, version=cameo.version, **terms)
        request = wire.UpdateCameoRequest(cameo=changed, update_mask=FieldMask(paths=list(terms)))
        return self.stub.UpdateCameo(request, metadata=by or self.owner)

    def issue(self, cameo: Any) -> Any:
        """Ask for the generator's credential."""
        request = IssueCredentialRequest(cameo_id=cameo.id, audience=AUDIENCE, request_id=str(uuid4()))
        return self.client.credentials.IssueCredential(request, metadata=self.owner)

    async def check(self, cameo: Any, requester: str = FAN, purposes: tuple[Any, ...] = GENERAL) -> tuple[bool, str]:
        """Ask whether a use would be permitted."""
        request = wire.CheckPermissionRequest(cameo_id=cameo.id, requester_token=self.requester(requester), purposes=purposes)
        reply = await self.stub.CheckPermission(request, metadata=self.generator)
        return reply.allowed, short_name(cameo_pb2.PermissionAnswer, reply.answer)

    def authorize(self, *cameos: Any, requester: str = FAN, request_id: str | None = None, **more: Any) -> Any:
        """Ask for a grant."""
        request = wire.AuthorizeUseRequest(
            cameo_ids=[each.id for each in cameos],
            **{
                "requester_token": self.requester(requester),
                "job_id": "job-1",
                "request_id": request_id or str(uuid4()),
                "purposes": GENERAL,
            }
            | more,
        )
        return self.stub.AuthorizeUse(request, metadata=self.generator)

    def requester(self, person: str, job_id: str = "job-1", *, generator: str = AUDIENCE) -> str:
        """Have the app vouch for who asks."""
        return self.signer.requester(person, generator=generator, job_id=job_id, at=self.now())

    def spend(self, token: str, *, by: Metadata | None = None, request_id: str | None = None) -> Any:
        """Spend a grant."""
        request = wire.SpendGrantRequest(token=token, request_id=request_id or str(uuid4()))
        return self.stub.SpendGrant(request, metadata=by or self.generator)

    def record(self, grant_id: str, *, by: Metadata | None = None, **facts: Any) -> Any:
        """Say what came out."""
        said = {"sha256": SHA, "c2pa_manifest_id": "urn:c2pa:1", "state": "OUTPUT_STATE_DRAFT", "creator": FAN} | facts
        request = wire.RecordOutputRequest(grant_id=grant_id, output=cameo_pb2.Output(**said))
        return self.stub.RecordOutput(request, metadata=by or self.generator)

    def end(self, cameo: Any, mode: str, reason: str = "", *, by: Metadata | None = None) -> Any:
        """Pause or revoke."""
        return self.stub.RevokeCameo(
            wire.RevokeCameoRequest(cameo_id=cameo.id, mode=mode, reason=reason), metadata=by or self.owner
        )

    async def events(self, cursor: str = "", *, by: Metadata | None = None, count: int) -> list[Any]:
        """Read that many events."""
        call = self.stub.WatchCameoEvents(wire.WatchCameoEventsRequest(cursor=cursor), metadata=by or self.owner)
        async with asyncio.timeout(PATIENCE_S):
            found = [await call.read() for _ in range(count)]
        call.cancel()
        return found


@pytest.fixture
def open_world(serve: OpenServer, tmp_path: Path) -> Any:
    """Open a site whose callers have roles."""

    @asynccontextmanager
    async def opened(**how: Any) -> AsyncIterator[World]:
        app = App.make(tmp_path)
        async with serve(**app.settings, **how) as client:
            yield World(client, app, how.get("clock", utc_now))

    return opened


async def reason(call: Any) -> str:
    return (await refused(call)).reason


def files(database: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(database.parent.glob(f"{database.name}*")))


def dump(database: Path) -> bytes:
    connection = sqlite3.connect(database)
    try:
        return "\n".join(connection.iterdump()).encode()
    finally:
        connection.close()


def rows(database: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
