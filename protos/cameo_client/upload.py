"""Uploads of recorded responses to `VerificationService.VerifyResponse`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest, VerifyResponseResponse
from cameo.v1.verification_service_pb2_grpc import VerificationServiceStub
from cameo_client.retries import RetryPolicy, call

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

CHUNK_BYTES = 256 * 1024
"""Bytes of a message; the service takes 1 MiB at most."""


def messages(
    config: VerifyResponseConfig, recording: bytes, *, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[VerifyResponseRequest]:
    """Yield the messages of an upload: the config, then the recording in chunks of `chunk_bytes` bytes."""
    yield VerifyResponseRequest(config=config)
    for start in range(0, len(recording), chunk_bytes):
        yield VerifyResponseRequest(chunk=recording[start : start + chunk_bytes])


def verify(
    channel: grpc.Channel,
    recording: bytes,
    *,
    challenge_id: str,
    audience: str,
    request_id: str = "",
    timeout_s: float = 120.0,
    policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> VerifyResponseResponse:
    """Upload a recorded response and return the verdict, with the credential where it is accepted.

    A rejection is a normal reply. A lost reply is asked for again with the same request id, and is judged once.

    Args:
        channel: as `open_channel` opens it.
        recording: the file as the device recorded it.
        challenge_id: the challenge that it answers.
        audience: name of the generator that the credential is for.
        request_id: a UUID; drawn where it is empty. Keep it where the process may die before the reply is here.
        timeout_s: seconds that each attempt may take, upload and judging.
        policy: which failures are tried again.

    Raises:
        CallError: the recording was not judged; `metadata["challenge"]` of a recording that cannot be read says whether the
            challenge is still `good`.
    """
    config = VerifyResponseConfig(challenge_id=challenge_id, audience=audience, request_id=request_id or str(uuid4()))
    stub = VerificationServiceStub(channel)

    def attempt() -> VerifyResponseResponse:
        reply: VerifyResponseResponse = stub.VerifyResponse(messages(config, recording), timeout=timeout_s)
        return reply

    return call(attempt, policy=policy)
