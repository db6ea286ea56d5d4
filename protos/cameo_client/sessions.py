"""Live sessions: create one for a person, and get its state and its result."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from cameo.v1.session_service_pb2 import CreateSessionRequest, CreateSessionResponse, GetSessionRequest, GetSessionResponse, Need
from cameo.v1.session_service_pb2_grpc import SessionServiceStub
from cameo_client.retries import RetryPolicy, call

if TYPE_CHECKING:
    from collections.abc import Sequence

    import grpc

    from cameo.v1.verification_service_pb2 import Enrolment

_TIMEOUT_S = 10.0


def create_session(
    channel: grpc.Channel,
    *,
    subject: str,
    audience: str,
    request_id: str = "",
    language: str = "",
    needs: Sequence[Need] = (),
    device_key: str = "",
    enrolment: Enrolment | None = None,
    policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> CreateSessionResponse:
    """Create a live session and return it with its capture token, which goes to the person's browser alone.

    Args:
        channel: as `open_channel` opens it.
        subject: the app's own id of the person.
        audience: whom the receipt is for, and the credential.
        request_id: a UUID; drawn where it is empty. The same one returns the same session.
        language: BCP 47 tag of the prompts, empty for English.
        needs: what the person cannot do.
        device_key: public JWK of the person's device for the receipt, empty for none.
        enrolment: consent and terms of an owner who wants a cameo at once; None makes none.
        policy: which failures are tried again.

    Raises:
        CallError: no session was created.
    """
    request = CreateSessionRequest(
        subject=subject,
        audience=audience,
        request_id=request_id or str(uuid4()),
        language=language,
        needs=needs,
        device_key=device_key,
        enrolment=enrolment,
    )
    stub = SessionServiceStub(channel)

    def attempt() -> CreateSessionResponse:
        reply: CreateSessionResponse = stub.CreateSession(request, timeout=_TIMEOUT_S)
        return reply

    return call(attempt, policy=policy)


def get_session(
    channel: grpc.Channel,
    session_id: str,
    *,
    policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> GetSessionResponse:
    """Return the state of a session, and once it is judged its result.

    Raises:
        CallError: no session has this id, or the server does not answer.
    """
    stub = SessionServiceStub(channel)

    def attempt() -> GetSessionResponse:
        reply: GetSessionResponse = stub.GetSession(GetSessionRequest(session_id=session_id), timeout=_TIMEOUT_S)
        return reply

    return call(attempt, policy=policy)
