"""A site with two generators that its owners let hold credentials, which are issued, opened and revoked."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from cameo.v1 import cameo_pb2
from cameo.v1 import cameo_service_pb2 as cameo_wire
from cameo.v1 import credential_service_pb2 as wire
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.guardian_service_pb2 import ApproveChangeRequest, LinkGuardianRequest
from cameo.v1.guardian_service_pb2_grpc import GuardianServiceStub
from cameo.v1.verification_service_pb2 import Enrolment, VerifyResponseConfig, VerifyResponseRequest
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.receipt import open_receipt
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK, StatusSource, fetch_list
from cameo_credential.validator import open_credential
from cameo_verifier.settings import Settings
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE, status_source
from tests.grpc.test_refusals import Clock
from tests.grpc.world import OWNER, World
from tests.issued_claims import hold_against_schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cameo_credential.receipt import Receipt
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
        super().__init__(client, app, clock)
        self.clock = clock
        self.audience_keys = {AUDIENCE: client.audience_key, OTHER: other}
        self._issuer = app
        self.app = app.metadata("app", "backend", exp=_FAR)
        self.owner = app.metadata("owner", OWNER, exp=_FAR)
        self.stranger = app.metadata("owner", "stranger", exp=_FAR)

    def signed_in(self, role: str, subject: str) -> Metadata:
        """The metadata of one more caller."""
        return self._issuer.metadata(role, subject, exp=_FAR)

    async def cameo(self, script: bytes = b"accept", **terms: Any) -> Any:
        """Make a cameo whose owner lets both generators hold it."""
        return await super().cameo(script, **{"offline_audiences": [AUDIENCE, OTHER], **terms})

    def verify(self, challenge_id: str, script: bytes = b"accept", *, request_id: str | None = None, **asked: Any) -> Any:
        """Have a recording judged that answers a challenge."""
        config = VerifyResponseConfig(
            challenge_id=challenge_id, audience=AUDIENCE, request_id=request_id or str(uuid4()), **asked
        )
        messages = [VerifyResponseRequest(config=config), VerifyResponseRequest(chunk=script)]
        return self.client.verification.VerifyResponse(iter(messages), metadata=self.app)

    async def enrolled(self, script: bytes = b"accept", *, subject: str = OWNER, **terms: Any) -> Any:
        """Have a recording judged with its owner's consent, who lets both generators hold the likeness; return the reply."""
        challenge = await self.client.challenges.IssueChallenge(IssueChallengeRequest(subject=subject), metadata=self.app)
        return await self.verify(challenge.id, script, enrolment=self.enrolment(**terms))

    def enrolment(self, **terms: Any) -> Enrolment:
        """Return an owner's consent, with terms that let both generators hold the likeness."""
        consent = cameo_pb2.Consent(text_version="3", locale="en-GB", agree_time=self.clock(), text_sha256="5e" * 32)
        return Enrolment(consent=consent, terms=cameo_pb2.Cameo(**{"offline_audiences": [AUDIENCE, OTHER], **terms}))

    async def guardian_of(self, cameo: Any, guardian: str = "account-20") -> Metadata:
        """Link a guardian to a minor, and return the guardian's metadata."""
        signed_in = self.signed_in("guardian", guardian)
        consent = cameo_pb2.Consent(text_version="g1", locale="en-GB", agree_time=cameo.consent.agree_time, text_sha256="5e" * 32)
        request = LinkGuardianRequest(guardian=guardian, minor=cameo.subject, consent=consent)
        for side in (self.owner, signed_in):
            await GuardianServiceStub(self.client.channel).LinkGuardian(request, metadata=side)
        return signed_in

    def approve(self, cameo: Any, *, by: Metadata) -> Any:
        """Approve the change that waits."""
        request = ApproveChangeRequest(cameo_id=cameo.id, number=cameo.pending_change.number)
        return GuardianServiceStub(self.client.channel).ApproveChange(request, metadata=by)

    def issue(self, cameo: Any, audience: str = AUDIENCE, *, by: Metadata | None = None, request_id: str | None = None) -> Any:
        """Ask for a credential."""
        request = wire.IssueCredentialRequest(cameo_id=cameo.id, audience=audience, request_id=request_id or str(uuid4()))
        return self.client.credentials.IssueCredential(request, metadata=by or self.owner)

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
        hold_against_schema(credential.token, key)
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

    async def read(self, receipt: Any) -> Receipt:
        """Read a receipt as whom it is for does, by a fresh status list."""
        jwks = (await self.client.credentials.GetKeys(wire.GetKeysRequest())).jwks
        return await asyncio.to_thread(
            open_receipt,
            receipt.token,
            issuer_keys=VerificationKeys.from_jwks(json.loads(jwks)),
            expected_audience=AUDIENCE,
            expected_issuer=ISSUER,
            status=self.over_grpc(),
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
