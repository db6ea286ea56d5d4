"""A client of a server with its stubs, and errors as a program sees them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from cameo.v1 import (
    challenge_service_pb2_grpc,
    credential_service_pb2_grpc,
    review_service_pb2_grpc,
    verification_service_pb2_grpc,
)
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.credential_service_pb2 import GetStatusListRequest
from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest
from cameo_credential.status_source import StatusSource, utc_now
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from cameo.v1.challenge_pb2 import Challenge
    from cameo.v1.verification_service_pb2 import VerifyResponseResponse
    from cameo_credential.audience_keys import AudienceKey
    from cameo_verifier.server.app import Server
    from tests.grpc.callers import Metadata

AUDIENCE = "https://generator.example"


@dataclass(frozen=True)
class Refused:
    """An error as a program sees it."""

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: Mapping[str, str]
    retry_s: float | None


@dataclass(frozen=True)
class Client:
    """Talks to one server."""

    server: Server
    channel: grpc.aio.Channel
    journal: Path
    audience_key: AudienceKey

    @property
    def challenges(self) -> Any:
        """ChallengeService."""
        return challenge_service_pb2_grpc.ChallengeServiceStub(self.channel)

    @property
    def verification(self) -> Any:
        """VerificationService."""
        return verification_service_pb2_grpc.VerificationServiceStub(self.channel)

    @property
    def credentials(self) -> Any:
        """CredentialService."""
        return credential_service_pb2_grpc.CredentialServiceStub(self.channel)

    @property
    def review(self) -> Any:
        """ReviewService."""
        return review_service_pb2_grpc.ReviewServiceStub(self.channel)

    async def challenge(self, subject: str = "account-1", metadata: Metadata | None = None) -> Challenge:
        """Issue a challenge."""
        challenge: Challenge = await self.challenges.IssueChallenge(IssueChallengeRequest(subject=subject), metadata=metadata)
        return challenge

    def verify(
        self,
        challenge_id: str,
        recording: bytes,
        *,
        request_id: str | None = None,
        audience: str = AUDIENCE,
        timeout: float | None = PATIENCE_S,
        chunk: int = 65536,
        metadata: Metadata | None = None,
        **asked: Any,
    ) -> grpc.aio.StreamUnaryCall[VerifyResponseRequest, VerifyResponseResponse]:
        """Start a call that uploads a recording; `asked` are further fields of its config."""
        config = VerifyResponseConfig(
            challenge_id=challenge_id,
            audience=audience,
            request_id=str(uuid4()) if request_id is None else request_id,
            **asked,
        )

        def messages() -> Iterator[VerifyResponseRequest]:
            yield VerifyResponseRequest(config=config)
            for start in range(0, len(recording), chunk):
                yield VerifyResponseRequest(chunk=recording[start : start + chunk])

        call: grpc.aio.StreamUnaryCall[VerifyResponseRequest, VerifyResponseResponse]
        call = self.verification.VerifyResponse(messages(), timeout=timeout, metadata=metadata)
        return call

    def judged(self) -> list[str]:
        """Return the lines the judges have noted."""
        return self.journal.read_text().splitlines() if self.journal.exists() else []


async def refused(call: Any) -> Refused:
    """Wait for a call to fail and return its rich status."""
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    status = rpc_status.from_call(failure.value)
    assert status is not None, failure.value
    info, retry, retry_s = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo(), None
    for detail in status.details:
        if detail.Unpack(retry):
            retry_s = retry.retry_delay.ToNanoseconds() / 1e9
        else:
            assert detail.Unpack(info)
    assert info.domain == "cameo.v1"
    return Refused(failure.value.code(), info.reason, status.message, dict(info.metadata), retry_s)


def status_source(client: Client, *, clock: Callable[[], datetime] = utc_now) -> StatusSource:
    """Return a source of status lists that asks this server; use it in another thread than the client's."""
    loop = asyncio.get_running_loop()

    def fetch(uri: str) -> str:
        call = asyncio.run_coroutine_threadsafe(_status_list(client, uri), loop)
        return call.result(timeout=PATIENCE_S)

    return StatusSource(fetch, clock=clock)


async def _status_list(client: Client, uri: str) -> str:
    reply = await client.credentials.GetStatusList(GetStatusListRequest(uri=uri))
    return str(reply.token)
