"""`cameo.v1.SessionService`: creates live sessions, returns their state, and carries their captures over gRPC."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from cameo.v1 import error_reason_pb2, session_service_pb2, session_service_pb2_grpc
from cameo_challenges.languages import available, language
from cameo_verifier.cameo.permissions import require_consent_time
from cameo_verifier.errors import NotFoundError
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.concluding import reply
from cameo_verifier.server.services.challenge_service import recipe_of, require_outcome, require_subject
from cameo_verifier.server.wire import session_convert, verification_options
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.server.wire.request_id import require_request_id
from cameo_verifier.store.attempts.sessions import Session, SessionState
from cameo_verifier.store.credentials.earned import NOTHING_EARNED
from cameo_verifier.workers.pool import StoppingError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc

    from cameo.v1.session_service_pb2 import (
        CaptureRequest,
        CaptureResponse,
        CreateSessionRequest,
        CreateSessionResponse,
        GetSessionRequest,
        GetSessionResponse,
    )
    from cameo_verifier.server.auth.capture_tokens import CaptureTokens
    from cameo_verifier.server.capturing import CaptureParts, Capturing
    from cameo_verifier.store.credentials.earned import EarnedStore

_LIVE = tuple(tag for tag in available() if language(tag).by_phonemes)
"""The languages of live sessions: an answer in time begins with its first phoneme."""


class SessionService(session_service_pb2_grpc.SessionServiceServicer):
    """Live sessions over gRPC."""

    def __init__(
        self, parts: CaptureParts, *, capturing: Capturing, tokens: CaptureTokens, earned: EarnedStore, page: str = ""
    ) -> None:
        """Keep the parts. page: URL of the capture page, empty where none is served."""
        self._parts, self._capturing, self._tokens, self._earned, self._page = parts, capturing, tokens, earned, page

    async def CreateSession(  # noqa: N802 - the contract's name
        self,
        request: CreateSessionRequest,
        context: grpc.aio.ServicerContext[CreateSessionRequest, CreateSessionResponse],  # noqa: ARG002 - grpc passes it
    ) -> CreateSessionResponse:
        """Create a session, or return the one that this request created before, with a token."""
        parts, now = self._parts, self._parts.clock()
        if parts.stopping.is_set():
            raise StoppingError("the server is stopping; try again in a moment")
        require_subject(request.subject)
        if parts.sandbox:
            require_outcome(request.subject)
        require_request_id(request.request_id)
        asked = verification_options.parsed(request)
        if asked.enrolment is not None:
            require_consent_time(asked.enrolment.agreed_at, now=now)
        session = Session(
            id=parts.issuer.new_id(),
            subject=request.subject,
            audience=request.audience,
            request_id=request.request_id,
            language=recipe_of(request.language, _LIVE).language,
            needs=session_convert.needs(request, light=parts.live.light),
            asked=asked,
            created_at=now,
            expires_at=now + timedelta(seconds=parts.live.session_s),
        )
        await asyncio.to_thread(parts.issuer.audience, request.audience)
        await asyncio.to_thread(parts.attempts.require_rate, request.subject, now=now)
        kept = await asyncio.to_thread(parts.sessions.add, session)
        if kept.audience != session.audience:
            raise RequestError(error_reason_pb2.ERROR_REASON_REQUEST_ID_REUSED, "this request_id was used for another audience")
        kept = await asyncio.to_thread(parts.sessions.get, kept.id, now=now)
        token = self._tokens.issue(kept.id, expires_at=kept.expires_at, ask_needs=request.ask_needs)
        return session_service_pb2.CreateSessionResponse(
            session=session_convert.session(kept),
            capture_token=token,
            capture_url=f"{self._page}#{token}" if self._page else "",
        )

    async def GetSession(  # noqa: N802 - the contract's name
        self,
        request: GetSessionRequest,
        context: grpc.aio.ServicerContext[GetSessionRequest, GetSessionResponse],  # noqa: ARG002 - grpc passes it
    ) -> GetSessionResponse:
        """Return a session, with the result of its attempt once there is one."""
        parts = self._parts
        try:
            session = await asyncio.to_thread(parts.sessions.get, request.session_id, now=parts.clock())
        except NotFoundError as error:
            raise RequestError(error_reason_pb2.ERROR_REASON_SESSION_UNKNOWN, str(error)) from None
        answer = session_service_pb2.GetSessionResponse(session=session_convert.session(session))
        if session.state is SessionState.JUDGED:
            attempt = await asyncio.to_thread(parts.attempts.get, session.attempt_id)
            earned = await asyncio.to_thread(self._earned.of, attempt) if attempt.holds else NOTHING_EARNED
            answer.result.CopyFrom(reply(attempt, earned))
        return answer

    async def Capture(  # noqa: N802 - the contract's name
        self,
        request_iterator: AsyncIterator[CaptureRequest],
        context: grpc.aio.ServicerContext[CaptureRequest, CaptureResponse],
    ) -> None:
        """Carry the capture of the session that the caller's token names."""
        caller = current_caller()
        structlog.contextvars.bind_contextvars(session_id=caller.id)
        async with aclosing(self._capturing.run(caller, request_iterator)) as responses:
            async for response in responses:
                await context.write(response)
