"""Uploads of recorded responses to `VerificationService.VerifyResponse`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from cameo.v1.verification_service_pb2 import Enrolment, VerifyResponseConfig, VerifyResponseRequest, VerifyResponseResponse
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
    device_key: str = "",
    enrolment: Enrolment | None = None,
    timeout_s: float = 120.0,
    policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> VerifyResponseResponse:
    """Upload a recorded response and return the verdict, with the receipt where it is accepted.

    A rejection is a normal reply. A lost reply is asked for again with the same request id, and is judged once.

    Args:
        channel: as `open_channel` opens it.
        recording: the file as the device recorded it.
        challenge_id: the challenge that it answers.
        audience: whom the receipt is for, and the credential.
        request_id: a UUID; drawn where it is empty. Keep it where the process may die before the reply is here.
        device_key: public JWK of the person's device for the receipt, empty for none.
        enrolment: consent and terms of an owner who wants a cameo at once; None makes none.
        timeout_s: seconds that each attempt may take, upload and judging.
        policy: which failures are tried again.

    Raises:
        CallError: the recording was not judged; `metadata["challenge"]` of a recording that cannot be read says whether the
            challenge is still `good`.
    """
    config = VerifyResponseConfig(
        challenge_id=challenge_id,
        audience=audience,
        request_id=request_id or str(uuid4()),
        device_key=device_key,
        enrolment=enrolment,
    )
    stub = VerificationServiceStub(channel)

    def attempt() -> VerifyResponseResponse:
        reply: VerifyResponseResponse = stub.VerifyResponse(messages(config, recording), timeout=timeout_s)
        return reply

    return call(attempt, policy=policy)
