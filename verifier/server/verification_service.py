"""`cameo.v1.VerificationService`.

What `VerifyResponse` does, in this order:

1. The first message is the config, and its fields are well formed.
2. A request that was made before gets what came of it then.
3. The audience and the challenge exist, the challenge can still be answered, a worker could take it, there is time to judge.
   All of it is asked again when it counts; here it saves an upload that would be in vain.
4. The recording is received, to the end. The moment it is whole is the one that counts against the challenge's expiry.
5. A place in the queue, then a worker that has just answered. Whoever goes away until here has lost nothing.
6. The challenge is spent and the attempt opened, in one transaction. From here on it stays spent: if it were given back after a
   failure, an attacker who can crash or stall a judging could try one challenge many times.
7. The recording is judged. A caller that goes away frees the worker, and the attempt ends unjudged.
8. It is held against the recordings of earlier attempts: one that was seen before is rejected, whatever else holds.
9. A face that would be accepted is held against protected people and those who enrolled; a person looks at whom it finds.
10. The credential, if earned, is issued and kept together with the judgement, the fingerprint, the face and the likeness, sealed.
11. Evidence is kept as long as the policy says; if that fails, the verdict stands. Then the caller is answered.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from cameo.v1 import attempt_pb2, error_reason_pb2, verification_service_pb2, verification_service_pb2_grpc

from verifier.credential import likeness
from verifier.errors import ChallengeError, NotFoundError, OverloadedError, StoreError, UnjudgeableError
from verifier.evidence.fingerprint import to_bytes
from verifier.reasons import Reason
from verifier.server import convert
from verifier.server.caller import Role, current_caller
from verifier.server.issuing import embeddings
from verifier.server.judging import Response
from verifier.server.request_id import require_request_id
from verifier.server.status import RETRY_S, RequestError
from verifier.server.worker_process import WorkerLostError
from verifier.store.attempts import AttemptState
from verifier.types import Verdict

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

    from challenges.model import Challenge
    from verifier.credential.audience_keys import AudienceKey
    from verifier.server.evidence_keeping import EvidenceKeeper
    from verifier.server.issuing import Issuer
    from verifier.server.protection import Protection
    from verifier.server.recall import Recall
    from verifier.server.upload import Upload, Uploads
    from verifier.server.workers import WorkerPool
    from verifier.store.attempts import Attempt, AttemptStore
    from verifier.store.challenges import ChallengeStore
    from verifier.store.credentials import CredentialStore
    from verifier.store.vault import Vault
    from verifier.types import Judgement

log = structlog.get_logger(__name__)

ValueT = TypeVar("ValueT")


class VerificationService(verification_service_pb2_grpc.VerificationServiceServicer):
    """Judges responses and issues credentials; see the module for the order of things."""

    def __init__(  # noqa: PLR0913 - the parts, by keyword
        self,
        *,
        challenges: ChallengeStore,
        attempts: AttemptStore,
        credentials: CredentialStore,
        issuer: Issuer,
        vault: Vault,
        uploads: Uploads,
        pool: WorkerPool[Response, Judgement],
        recall: Recall,
        protection: Protection | None,
        evidence: EvidenceKeeper,
        clock: Callable[[], datetime],
        expose_scores: bool,
    ) -> None:
        """Keep the parts. No `protection` asks nobody; `clock` returns the time in UTC; `expose_scores` allows the FULL view."""
        self._challenges = challenges
        self._attempts = attempts
        self._credentials = credentials
        self._issuer = issuer
        self._vault = vault
        self._uploads = uploads
        self._pool = pool
        self._recall = recall
        self._protection = protection
        self._evidence = evidence
        self._clock = clock
        self._expose_scores = expose_scores

    async def VerifyResponse(  # noqa: N802 - the contract's name
        self,
        request_iterator: AsyncIterator[VerifyResponseRequest],
        context: grpc.aio.ServicerContext[VerifyResponseRequest, VerifyResponseResponse],
    ) -> VerifyResponseResponse:
        """Judge one response; the steps are those of the module."""
        async with self._uploads.receive(request_iterator) as upload:
            config = await upload.config()
            require_request_id(config.request_id)  # step 1
            if earlier := await self._earlier(config):
                return earlier  # step 2
            try:
                return await self._answer(config, upload, context)
            except ChallengeError as error:
                # A request that was sent twice at once: the other one was first to spend the challenge.
                if error.reason is Reason.CHALLENGE_SPENT and (earlier := await self._earlier(config)):
                    return earlier
                raise

    async def GetAttempt(  # noqa: N802 - the contract's name
        self,
        request: GetAttemptRequest,
        context: grpc.aio.ServicerContext[GetAttemptRequest, attempt_pb2.Attempt],  # noqa: ARG002 - grpc passes it
    ) -> attempt_pb2.Attempt:
        """Return an attempt."""
        if request.view not in attempt_pb2.AttemptView.values():
            raise RequestError(error_reason_pb2.VIEW_INVALID, "ask for the BASIC or the FULL view")
        full = request.view == attempt_pb2.ATTEMPT_VIEW_FULL
        caller = current_caller()
        if full and not (self._expose_scores and (caller.role is Role.ANALYST or not caller.verified)):
            raise RequestError(error_reason_pb2.SCORES_NOT_EXPOSED, "no scores are shown here; ask for the BASIC view")
        try:
            stored = await asyncio.to_thread(self._attempts.get, request.attempt_id)
        except NotFoundError as error:
            raise RequestError(error_reason_pb2.ATTEMPT_UNKNOWN, str(error)) from None
        return convert.attempt(stored, full=full)

    async def _answer(
        self, config: VerifyResponseConfig, upload: Upload, context: grpc.aio.ServicerContext[Any, Any]
    ) -> VerifyResponseResponse:
        audience = await asyncio.to_thread(self._issuer.audience, config.audience)
        challenge = await asyncio.to_thread(self._answerable, config.challenge_id)
        if self._pool.full:
            raise OverloadedError(self._pool.retry_after_s)
        self._require_time(context)  # step 3
        recording = await upload.recording()
        received_at = self._clock()  # step 4
        self._require_time(context)
        return await self._judge(config, audience, Response(recording, challenge, received_at), received_at=received_at)

    async def _judge(
        self, config: VerifyResponseConfig, audience: AudienceKey, response: Response, *, received_at: datetime
    ) -> VerifyResponseResponse:
        attempt_id = self._issuer.new_id()
        async with self._pool.turn() as turn:  # step 5
            try:
                attempt = await _undisturbed(
                    self._attempts.begin,
                    attempt_id,
                    challenge_id=config.challenge_id,
                    audience=config.audience,
                    request_id=config.request_id,
                    now=received_at,
                )  # step 6
                structlog.contextvars.bind_contextvars(attempt_id=attempt_id)
                judgement = await turn.judge(response)  # step 7
                return await _undisturbed(self._conclude, attempt, judgement, response, audience)  # 8 to 11
            except ChallengeError:
                raise
            except BaseException as error:
                await self._give_up(attempt_id, error)
                raise

    def _conclude(
        self, attempt: Attempt, judgement: Judgement, response: Response, audience: AudienceKey
    ) -> VerifyResponseResponse:
        now = self._clock()
        judgement = self._recall.reconsider(judgement, now=now)
        if self._protection is not None:
            judgement = self._protection.reconsider(judgement, subject=attempt.subject)
        credential, face, sealed = None, None, None
        if judgement.decision.verdict is Verdict.ACCEPTED:
            # Made here: the credential names the cameo that its owner can make of the attempt later.
            cameo_id = self._issuer.new_id()
            credential = self._issuer.issue(attempt, judgement, cameo_id=cameo_id, audience=audience, now=now)
            face = self._protection.code(judgement) if self._protection is not None else None
            sealed = self._vault.seal(cameo_id, likeness.to_bytes(*embeddings(judgement)))
        known_by = to_bytes(judgement.evidence.fingerprint)
        finished = self._attempts.finish(
            attempt.id, judgement, now=now, credential=credential, fingerprint=known_by, face=face, likeness=sealed
        )
        log.info("judged", attempt_id=attempt.id, verdict=judgement.decision.verdict.value)
        self._evidence.keep(attempt, judgement, response, credential, now=now)
        return verification_service_pb2.VerifyResponseResponse(
            attempt=convert.attempt(finished, full=False), credential=convert.credential(credential) if credential else None
        )

    async def _give_up(self, attempt_id: str, error: BaseException) -> None:
        """End the attempt, if it was begun, so that asking for it again says what happened."""
        reason = error.reason if isinstance(error, UnjudgeableError) else None
        # Not found: it was not begun, or it was judged after all and the caller left before the answer. Where the store is down
        # the attempt stays open, and the upkeep of `app` ends it later.
        with suppress(NotFoundError, StoreError):
            await _undisturbed(self._attempts.fail, attempt_id, now=self._clock(), reason=reason)

    async def _earlier(self, config: VerifyResponseConfig) -> VerifyResponseResponse | None:
        """Return what came of the first request with this challenge and id; None when this is the first.

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
            raise RequestError(error_reason_pb2.REQUEST_ID_REUSED, "this request_id was used for another audience")
        if attempt.state is AttemptState.OPEN:
            raise RequestError(
                error_reason_pb2.REQUEST_IN_PROGRESS, "this request is being judged; ask again", retry_after_s=RETRY_S
            )
        if attempt.state is AttemptState.UNJUDGED:
            if attempt.reasons:
                raise UnjudgeableError(attempt.reasons[0], attempt.reasons[0].hint)
            raise WorkerLostError("the first request ended without a verdict")
        response = verification_service_pb2.VerifyResponseResponse(attempt=convert.attempt(attempt, full=False))
        if attempt.verdict is Verdict.ACCEPTED:
            # Not found: it was deleted with its cameo.
            with suppress(NotFoundError):
                credential = await asyncio.to_thread(self._credentials.of_attempt, attempt.id)
                response.credential.CopyFrom(convert.credential(credential))
        return response

    def _answerable(self, challenge_id: str) -> Challenge:
        stored = self._challenges.get(challenge_id)
        if stored.spent_at is not None:
            raise ChallengeError(Reason.CHALLENGE_SPENT, "this challenge was answered already; ask for a new one")
        expires_at = stored.challenge.expires_at
        if expires_at is None or expires_at <= self._clock():
            raise ChallengeError(Reason.CHALLENGE_EXPIRED, "this challenge has expired; ask for a new one")
        return stored.challenge

    def _require_time(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        remaining_s: float | None = context.time_remaining()
        needed_s = self._pool.needed_s
        if remaining_s is not None and remaining_s < needed_s:
            raise RequestError(
                error_reason_pb2.DEADLINE_TOO_SHORT,
                f"judging takes at least {needed_s:.1f} s; set a longer deadline",
                metadata={"needed_s": f"{needed_s:.1f}"},
            )


async def _undisturbed(work: Callable[..., ValueT], *arguments: object, **named: object) -> ValueT:
    """Run blocking work in a thread to its end, also when the caller goes away meanwhile; that is heard afterwards."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
