"""`cameo.v1.VerificationService`: receives and judges responses, and issues receipts.

`VerifyResponse` does, in this order:

1. The first message is the config, and its fields are well formed.
2. A retry of an earlier request gets the earlier result.
3. The audience and the challenge exist, the challenge can still be answered, the consent can have been given when it says, the
   person is within their rate limit, a worker could take it, and the deadline leaves time to judge. All of this but the consent
   is checked again later; here it saves a futile upload. Only now an upload place is taken, of all places and of the few that one
   subject and one challenge may hold.
4. The recording is received completely. The time at which it is complete counts for the challenge's expiry.
5. A place in the queue is taken, then a worker that has just answered. A caller that goes away before this has lost nothing.
6. The worker opens the recording and reads its headers. An unsupported file is refused, and the challenge stays
   unspent: this depends on the file alone and tells nothing about the answer. A file that kills its worker is not
   excused in this way.
7. The recording is spooled, if the site wants that, the challenge is spent and the attempt opened, in one transaction. From
   here on it stays spent: if it were restored after a failure, an attacker who can crash or stall a judgement could try one
   challenge many times.
8. The recording is judged. If the caller goes away, the worker is freed, and the attempt ends unjudged.
9. The result is stored, with retries, whether or not the caller is still there. Then the call returns.

`concluding` implements step 9: the recording is compared with those of earlier attempts, and one that was seen before is rejected
in any case; a face that would be accepted is compared with protected people and enrolled ones, and a match is sent to manual
review; the receipt, if earned, is issued and stored together with the judgement, the fingerprint, the face and the encrypted
likeness, and with the cameo and its credential, where the request carries an adult's consent; evidence is stored as long as the
policy says, and if that fails the verdict stands.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from cameo.v1 import attempt_pb2, error_reason_pb2, verification_service_pb2_grpc
from cameo_credential.errors import CameoError
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.permissions import require_consent_time
from cameo_verifier.errors import ChallengeError, NotFoundError, StoreError, UnjudgeableError
from cameo_verifier.reasons import Reason
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.concluding import reply
from cameo_verifier.server.delays import rest_s
from cameo_verifier.server.threads import undisturbed
from cameo_verifier.server.wire import convert, verification_options
from cameo_verifier.server.wire.errors import RequestError, UnspentError
from cameo_verifier.server.wire.request_id import require_request_id
from cameo_verifier.store.attempts.states import AttemptState
from cameo_verifier.store.credentials.earned import NOTHING_EARNED
from cameo_verifier.store.evidence.errors import EvidenceError
from cameo_verifier.workers.judge import Response
from cameo_verifier.workers.process import WorkerLostError
from cameo_verifier.workers.sandbox import SandboxOutcome, outcome_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    import grpc

    from cameo.v1.verification_service_pb2 import (
        GetAttemptRequest,
        VerifyResponseConfig,
        VerifyResponseRequest,
        VerifyResponseResponse,
    )
    from cameo_credential.audience_keys import AudienceKey
    from cameo_verifier.cameo.verification_options import VerificationOptions
    from cameo_verifier.server.concluding import Conclusions
    from cameo_verifier.server.issuing import Issuer
    from cameo_verifier.server.wire.upload import Upload, Uploads
    from cameo_verifier.store.attempts.attempts import Attempt, AttemptStore
    from cameo_verifier.store.attempts.challenges import ChallengeStore, StoredChallenge
    from cameo_verifier.store.attempts.spool import Spool
    from cameo_verifier.store.credentials.earned import EarnedStore
    from cameo_verifier.types import Judgement
    from cameo_verifier.workers.pool import WorkerPool
    from cameo_verifier.workers.turn import Turn

log = structlog.get_logger(__name__)

_PATIENCE_S = 60.0
"""Maximum wait for a judgement to be stored, for a caller without a deadline."""

_TO_ANSWER_S = 1.0
"""Part of a caller's deadline that is reserved for the reply."""


class VerificationService(verification_service_pb2_grpc.VerificationServiceServicer):
    """Judges responses and issues receipts; the module has the steps."""

    def __init__(  # noqa: PLR0913 - the parts, by keyword
        self,
        *,
        challenges: ChallengeStore,
        attempts: AttemptStore,
        earned: EarnedStore,
        issuer: Issuer,
        uploads: Uploads,
        pool: WorkerPool[Response, Judgement],
        conclusions: Conclusions,
        spool: Spool | None,
        stopping: asyncio.Event,
        clock: Callable[[], datetime],
        expose_scores: bool,
        sandbox: bool = False,
    ) -> None:
        """Keep the parts.

        Args:
            challenges: issued challenges.
            attempts: attempts, of this server and others.
            earned: what accepted attempts earned.
            issuer: has the audiences, and generates ids.
            uploads: receives recordings.
            pool: judges recordings.
            conclusions: ends attempts.
            spool: stores recordings until they are judged; None stores none.
            stopping: set once the server stops.
            clock: returns the time in UTC.
            expose_scores: True permits the FULL view.
            sandbox: True lets subjects decide.
        """
        self._challenges = challenges
        self._attempts = attempts
        self._earned = earned
        self._issuer = issuer
        self._uploads = uploads
        self._pool = pool
        self._conclusions = conclusions
        self._spool = spool
        self._stopping = stopping
        self._clock = clock
        self._expose_scores = expose_scores
        self._sandbox = sandbox

    async def VerifyResponse(  # noqa: N802 - the contract's name
        self,
        request_iterator: AsyncIterator[VerifyResponseRequest],
        context: grpc.aio.ServicerContext[VerifyResponseRequest, VerifyResponseResponse],
    ) -> VerifyResponseResponse:
        """Judge one response; the module has the steps."""
        upload = self._uploads.begin(request_iterator)
        config = await upload.config()
        require_request_id(config.request_id)  # step 1
        asked = verification_options.parsed(config)
        if earlier := await self._earlier(config, context):
            return earlier  # step 2
        try:
            return await self._answer(config, asked, upload, context)
        except ChallengeError as error:
            # The same request was sent twice concurrently: the other one spent the challenge first.
            if error.reason is Reason.CHALLENGE_SPENT and (earlier := await self._earlier(config, context)):
                return earlier
            raise

    async def GetAttempt(  # noqa: N802 - the contract's name
        self,
        request: GetAttemptRequest,
        context: grpc.aio.ServicerContext[GetAttemptRequest, attempt_pb2.Attempt],  # noqa: ARG002 - grpc passes it
    ) -> attempt_pb2.Attempt:
        """Return an attempt."""
        if request.view not in attempt_pb2.AttemptView.values():
            raise RequestError(error_reason_pb2.ERROR_REASON_VIEW_INVALID, "ask for the BASIC or the FULL view")
        full = request.view == attempt_pb2.ATTEMPT_VIEW_FULL
        caller = current_caller()
        if full and not (self._expose_scores and (caller.role is CallerRole.ANALYST or not caller.verified)):
            raise RequestError(
                error_reason_pb2.ERROR_REASON_SCORES_NOT_EXPOSED, "no scores are shown here; ask for the BASIC view"
            )
        try:
            stored = await asyncio.to_thread(self._attempts.get, request.attempt_id)
        except NotFoundError as error:
            raise RequestError(error_reason_pb2.ERROR_REASON_ATTEMPT_UNKNOWN, str(error)) from None
        return convert.attempt(stored, full=full)

    async def _answer(
        self,
        config: VerifyResponseConfig,
        asked: VerificationOptions,
        upload: Upload,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> VerifyResponseResponse:
        """Run step 3, then the others in an upload place."""
        audience = await asyncio.to_thread(self._issuer.audience, config.audience)
        issued = await asyncio.to_thread(self._answerable, config.challenge_id, asked)
        if not self._pool.lives:
            raise self._pool.none_lives()
        if self._pool.full or (self._sandbox and outcome_of(issued.subject) is SandboxOutcome.OVERLOADED):
            raise self._pool.refusal()
        self._require_time(context)  # step 3
        with self._uploads.place(issued.subject, config.challenge_id):
            return await self._received(config, asked, upload, context, audience, issued)

    async def _received(
        self,
        config: VerifyResponseConfig,
        asked: VerificationOptions,
        upload: Upload,
        context: grpc.aio.ServicerContext[Any, Any],
        audience: AudienceKey,
        issued: StoredChallenge,
    ) -> VerifyResponseResponse:
        """Receive the recording and judge it: steps 4 to 9."""
        recording = await upload.recording()
        # The messages of a cancelled call end like those of a closed one; this read raises if it was cancelled meanwhile.
        await context.read()
        received_at = self._clock()  # step 4
        self._require_time(context)
        response = Response(recording, issued.challenge, received_at, subject=issued.subject)
        attempt_id = self._issuer.new_id()
        with self._conclusions.holding(attempt_id):
            attempt, judgement = await self._judged(attempt_id, config, asked, response, subject=issued.subject)
            concluding = self._conclusions.conclude(attempt, judgement, response, audience)  # step 9
        await asyncio.wait({concluding}, timeout=_patience_s(context))
        if not concluding.done():
            raise RequestError(
                error_reason_pb2.ERROR_REASON_STORE_UNAVAILABLE,
                "there is a verdict, which cannot be kept yet; send the same request again",
            )
        try:
            return concluding.result()
        except NotFoundError:
            # Another server took it over.
            if earlier := await self._earlier(config, context):
                return earlier
            raise

    async def _judged(
        self, attempt_id: str, config: VerifyResponseConfig, asked: VerificationOptions, response: Response, *, subject: str
    ) -> tuple[Attempt, Judgement]:
        received_at = response.received_at or self._clock()
        async with self._pool.turn() as turn:  # step 5
            broken = await _looked_at(turn, response)  # step 6
            spooled = await self._spooled(attempt_id, subject, response.recording, now=received_at)
            try:
                attempt = await undisturbed(
                    self._attempts.begin,
                    attempt_id,
                    challenge_id=config.challenge_id,
                    audience=config.audience,
                    request_id=config.request_id,
                    now=received_at,
                    spooled=spooled,
                    asked=asked,
                )  # step 7
                structlog.contextvars.bind_contextvars(attempt_id=attempt_id)
                if broken is None:
                    return attempt, await turn.judge(response)  # step 8
            except (ChallengeError, StoreError):
                raise  # nothing was begun
            except BaseException as error:
                self._give_up(attempt_id, error, spooled=bool(spooled))
                raise
        self._give_up(attempt_id, broken, spooled=bool(spooled))
        raise broken

    async def _spooled(self, attempt_id: str, subject: str, recording: bytes, *, now: datetime) -> bytes:
        """Return the encrypted recording for the spool; empty if it is not to be spooled, or cannot be."""
        if self._spool is None:
            return b""
        try:
            return await asyncio.to_thread(self._spool.seal, attempt_id, subject, recording, now=now)
        except EvidenceError as error:
            log.error("a recording could not be spooled", error=str(error))  # noqa: TRY400 - the message says it all
            return b""

    def _give_up(self, attempt_id: str, error: BaseException, *, spooled: bool) -> None:
        """End the attempt, if it was begun, so that a retry returns what happened."""
        if spooled and self._stopping.is_set() and isinstance(error, asyncio.CancelledError):
            return  # the next server judges it
        self._conclusions.fail(attempt_id, error.reason if isinstance(error, UnjudgeableError) else None)

    async def _earlier(
        self, config: VerifyResponseConfig, context: grpc.aio.ServicerContext[Any, Any]
    ) -> VerifyResponseResponse | None:
        """Return the result of the first request with this challenge and id; None if this is the first.

        Raises:
            RequestError: it is still being judged, or it was for another audience.
            UnjudgeableError: its recording could not be judged.
            WorkerLostError: it was never judged, and never will be.
        """
        try:
            attempt = await asyncio.to_thread(self._attempts.by_request_id, config.challenge_id, config.request_id)
        except NotFoundError:
            return None
        structlog.contextvars.bind_contextvars(attempt_id=attempt.id)
        if attempt.audience != config.audience:
            raise RequestError(error_reason_pb2.ERROR_REASON_REQUEST_ID_REUSED, "this request_id was used for another audience")
        if attempt.state is AttemptState.OPEN and (ending := self._conclusions.under_way(attempt.id)):
            # Its caller has left, or its server died.
            await asyncio.wait({ending}, timeout=_patience_s(context))
            attempt = await asyncio.to_thread(self._attempts.get, attempt.id)
        if attempt.state is AttemptState.OPEN:
            age_s = (self._clock() - attempt.created_at).total_seconds()
            raise RequestError(
                error_reason_pb2.ERROR_REASON_REQUEST_IN_PROGRESS,
                "this request is being judged; ask again",
                retry_after_s=rest_s(age_s, self._pool.usual_s),
            )
        if attempt.state is AttemptState.UNJUDGED:
            if attempt.reasons:
                raise UnjudgeableError(attempt.reasons[0], attempt.reasons[0].hint)
            raise WorkerLostError("the first request ended without a verdict")
        return reply(attempt, await asyncio.to_thread(self._earned.of, attempt) if attempt.holds else NOTHING_EARNED)

    def _answerable(self, challenge_id: str, asked: VerificationOptions) -> StoredChallenge:
        stored = self._challenges.get(challenge_id)
        if stored.spent_at is not None:
            raise ChallengeError(Reason.CHALLENGE_SPENT, "this challenge was answered already; ask for a new one")
        expires_at = stored.challenge.expires_at
        if expires_at is None or expires_at <= self._clock():
            raise ChallengeError(Reason.CHALLENGE_EXPIRED, "this challenge has expired; ask for a new one")
        if asked.enrolment is not None:
            require_consent_time(asked.enrolment.agreed_at, not_before=stored.challenge.issued_at, now=self._clock())
        self._attempts.require_rate(stored.subject, now=self._clock())
        return stored

    def _require_time(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        remaining_s: float | None = context.time_remaining()
        needed_s = self._pool.needed_s
        if remaining_s is not None and remaining_s < needed_s:
            raise RequestError(
                error_reason_pb2.ERROR_REASON_DEADLINE_TOO_SHORT,
                f"judging takes at least {needed_s:.1f} s; set a longer deadline",
                metadata={"needed_s": f"{needed_s:.1f}"},
            )


async def _looked_at(turn: Turn[Response, Judgement], response: Response) -> Exception | None:
    """Let the worker read the headers; return an error for which the challenge is spent nevertheless.

    Raises:
        UnspentError: the file is not a supported recording.
    """
    try:
        await turn.look(response)
    except UnjudgeableError as error:
        raise UnspentError(error.reason, str(error)) from None
    except CameoError as error:
        return error
    return None


def _patience_s(context: grpc.aio.ServicerContext[Any, Any]) -> float:
    """Return how long, in seconds, a caller can wait before it must get a reply."""
    remaining_s: float | None = context.time_remaining()
    return _PATIENCE_S if remaining_s is None else max(0.0, remaining_s - _TO_ANSWER_S)
