"""A site with two generators, whose credentials can be reissued, opened and revoked."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from cameo.v1 import cameo_service_pb2 as cameo_wire
from cameo.v1 import credential_service_pb2 as wire
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK, StatusSource, fetch_list
from cameo_credential.validator import open_credential
from cameo_verifier.settings import Settings
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE, status_source
from tests.grpc.test_cameos import OWNER, World
from tests.grpc.test_refusals import Clock
from tests.issued_claims import hold_against_schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cameo_credential.status_source import StatusCheck
    from cameo_credential.validator import OpenedCredential
    from tests.grpc.callers import Metadata
    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer

OTHER = "https://other.example"
ISSUER = "https://cameo.localhost"
_FAR = 2**35
"""When callers' tokens expire: the clock is put forward by months."""


class Site(World):
    """See the module; `clock` can be put forward."""

    def __init__(self, client: Client, app: App, clock: Clock, other: AudienceKey) -> None:
        super().__init__(client, app)
        self.clock = clock
        self.audience_keys = {AUDIENCE: client.audience_key, OTHER: other}
        self._issuer = app
        self.app = app.metadata("app", "backend", exp=_FAR)
        self.owner = app.metadata("owner", OWNER, exp=_FAR)
        self.stranger = app.metadata("owner", "stranger", exp=_FAR)

    def signed_in(self, role: str, subject: str) -> Metadata:
        """The metadata of one more caller."""
        return self._issuer.metadata(role, subject, exp=_FAR)

    def reissue(self, cameo: Any, audience: str = AUDIENCE, *, by: Metadata | None = None, request_id: str | None = None) -> Any:
        """Ask for a further credential."""
        request = wire.ReissueCredentialRequest(cameo_id=cameo.id, audience=audience, request_id=request_id or str(uuid4()))
        return self.client.credentials.ReissueCredential(request, metadata=by or self.owner)

    def revoke(self, credential: Any, why: str = "", *, by: Metadata | None = None, request_id: str | None = None) -> Any:
        """Ask for the end of one credential."""
        request = wire.RevokeCredentialRequest(credential_id=credential.id, reason=why, request_id=request_id or str(uuid4()))
        return self.client.credentials.RevokeCredential(request, metadata=by or self.owner)

    def resume(self, cameo: Any) -> Any:
        """End a pause."""
        return self.stub.ResumeCameo(cameo_wire.ResumeCameoRequest(cameo_id=cameo.id), metadata=self.owner)

    def delete(self, cameo: Any) -> Any:
        """Delete a cameo."""
        return self.stub.DeleteCameo(cameo_wire.DeleteCameoRequest(cameo_id=cameo.id), metadata=self.owner)

    def over_grpc(self) -> StatusSource:
        """A reader of status lists without any yet, that asks `GetStatusList`."""
        return status_source(self.client, clock=self.clock)

    def over_http(self) -> StatusSource:
        """The same over HTTP."""
        address = self.client.server.http_address
        return StatusSource(lambda uri: fetch_list(uri.replace(ISSUER, f"http://{address}")), clock=self.clock)

    async def open(
        self, credential: Any, audience: str = AUDIENCE, *, status: StatusCheck = UNSAFE_NO_STATUS_CHECK
    ) -> OpenedCredential:
        """Open a credential as its generator does, and hold it against the schema."""
        key = self.audience_keys[audience]
        hold_against_schema(credential.token, credential.receipt, key)
        jwks = (await self.client.credentials.GetKeys(wire.GetKeysRequest())).jwks
        return await asyncio.to_thread(
            open_credential,
            credential.token,
            audience_key=key,
            issuer_keys=VerificationKeys.from_jwks(json.loads(jwks)),
            expected_audience=audience,
            expected_issuer=ISSUER,
            status=status,
            now=self.clock(),
        )

    async def standing(self, credential: Any, audience: str = AUDIENCE, *, status: StatusCheck | None = None) -> str:
        """What the validator says of a credential to a reader, a fresh one by default: valid, or the reason of the refusal."""
        try:
            await self.open(credential, audience, status=status or self.over_grpc())
        except CredentialError as error:
            return error.reason
        return "valid"


@pytest.fixture
def open_site(serve: OpenServer, tmp_path: Path) -> Any:
    """Open the site."""
    other = AudienceKey.generate(OTHER)

    @asynccontextmanager
    async def opened(**how: Any) -> AsyncIterator[Site]:
        app, clock = App.make(tmp_path), Clock()
        AudienceFolder(Settings(data=tmp_path / "data").audiences).add(other)
        async with serve(clock=clock, status_capacity=2048, **app.settings, **how) as client:
            yield Site(client, app, clock, other)

    return opened
