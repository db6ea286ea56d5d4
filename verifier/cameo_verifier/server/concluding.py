"""Conclusion of attempts: from a judgement to a stored verdict. A failing database discards no judgement: storing is retried.

Every attempt that ends here has a task of its own, which is not cancelled when the caller leaves or its deadline passes. It
retries until the attempt is ended in the database, or belongs to another server, which took it over, see `lease`. Each try
queries earlier recordings and the gallery again, since others may have been judged meanwhile; what was issued is kept for the
next try, so that an attempt has one receipt and one credential however often it is tried.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from cameo.v1 import verification_service_pb2
from cameo_credential import likeness
from cameo_credential.errors import KeyFileError
from cameo_verifier.cameo.permissions import new_cameo
from cameo_verifier.errors import NotFoundError, StoreConflictError, StoreError
from cameo_verifier.evidence.fingerprint import to_bytes
from cameo_verifier.server.issuing import embeddings, embeddings_if_any
from cameo_verifier.server.threads import undisturbed
from cameo_verifier.server.wire import cameo_convert, convert
from cameo_verifier.store.attempts.states import AttemptState
from cameo_verifier.store.credentials.earned import NOTHING_EARNED, Earned
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from typing import Any

    from cameo.v1.verification_service_pb2 import VerifyResponseResponse
    from cameo_credential.audience_keys import AudienceKey
    from cameo_verifier.cameo.model import Cameo
    from cameo_verifier.reasons import Reason
    from cameo_verifier.screening.screening import Screening
    from cameo_verifier.server.evidence_keeping import EvidenceKeeper
    from cameo_verifier.server.issuing import Issuer
    from cameo_verifier.store.attempts.attempts import Attempt, AttemptStore
    from cameo_verifier.store.cameos.vault import Vault
    from cameo_verifier.types import Judgement
    from cameo_verifier.workers.judge import Response

log = structlog.get_logger(__name__)

ValueT = TypeVar("ValueT")

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0
_CONFLICTS = 10
"""Conflicts in a row after which it is a bug of ours, which no further try cures."""


@dataclass(slots=True)
class Conclusion:
    """The data to store for one attempt.

    Attributes:
        attempt: the attempt.
        judgement: as the worker made it, before screening.
        response: what was judged.
        audience: whom its credential would be for.
        now: time of its judgement, the same at every try.
        cameo_id: the cameo that its owner can create of it.
        earned: what was issued so far.
    """

    attempt: Attempt
    judgement: Judgement
    response: Response
    audience: AudienceKey
    now: datetime
    cameo_id: str
    earned: Earned = NOTHING_EARNED


class Conclusions:
    """Ends attempts; see the module. For one event loop; close it before the engine."""

    def __init__(
        self,
        *,
        attempts: AttemptStore,
        issuer: Issuer,
        vault: Vault,
        screening: Screening,
        evidence: EvidenceKeeper,
        clock: Callable[[], datetime],
    ) -> None:
        self._attempts, self._issuer, self._vault = attempts, issuer, vault
        self._screening, self._evidence = screening, evidence
        self._clock = clock
        self._under_way: dict[str, asyncio.Task[Any]] = {}
        self._held: set[str] = set()
        # A locked database blocks each calling thread for seconds: one thread is enough.
        self._again = asyncio.Lock()

    @contextmanager
    def holding(self, attempt_id: str) -> Iterator[None]:
        """Mark an attempt as being judged, from before it begins until it is passed to `conclude` or `fail`."""
        self._held.add(attempt_id)
        try:
            yield
        finally:
            self._held.discard(attempt_id)

    def in_hand(self, attempt_id: str) -> bool:
        """Return whether an open attempt of this server is being judged or concluded."""
        return attempt_id in self._held or attempt_id in self._under_way

    def under_way(self, attempt_id: str) -> asyncio.Task[Any] | None:
        """Return the task that will end an open attempt; None if there is none."""
        return self._under_way.get(attempt_id)

    def run(self, attempt_id: str, work: Coroutine[Any, Any, ValueT]) -> asyncio.Task[ValueT]:
        """Run work that ends an attempt to its end, independent of who awaits it."""
        task = asyncio.create_task(work)
        self._under_way[attempt_id] = task
        task.add_done_callback(partial(self._ended, attempt_id))
        return task

    def conclude(
        self, attempt: Attempt, judgement: Judgement, response: Response, audience: AudienceKey
    ) -> asyncio.Task[VerifyResponseResponse]:
        """Store a judgement with everything that follows from it; the task returns the reply.

        Raises (from the task):
            NotFoundError: the attempt no longer belongs to this server.
        """
        conclusion = Conclusion(attempt, judgement, response, audience, self._clock(), self._issuer.new_id())
        return self.run(attempt.id, self._concluded(conclusion))

    def fail(self, attempt_id: str, reason: Reason | None = None) -> asyncio.Task[None]:
        """End an attempt without a verdict, with the reason if the recording is at fault. An ended attempt is unchanged."""
        return self.run(attempt_id, self._failed(attempt_id, reason))

    async def persistently(self, work: Callable[[], ValueT]) -> ValueT:
        """Run blocking work in a thread, and retry it until the store succeeds."""
        turn: AbstractAsyncContextManager[Any] = nullcontext()
        delay_s, conflicts = _FIRST_DELAY_S, 0
        while True:
            try:
                async with turn:
                    return await undisturbed(work)
            except (StoreError, KeyFileError) as error:
                conflicts = conflicts + 1 if isinstance(error, StoreConflictError) else 0
                if conflicts == _CONFLICTS:
                    raise
                log.warning("could not be kept yet; trying again", error=str(error), retry_in_s=delay_s)
            await asyncio.sleep(delay_s)
            turn, delay_s = self._again, min(2 * delay_s, _LONGEST_DELAY_S)

    async def close(self, within_s: float) -> None:
        """Wait up to `within_s` for tasks in progress; attempts unfinished then are taken over, see `server.lease`."""
        tasks = set(self._under_way.values())
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)
        # Tasks that wait for other tasks are among them.
        tasks = set(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _concluded(self, conclusion: Conclusion) -> VerifyResponseResponse:
        try:
            return await self.persistently(partial(self._keep, conclusion))
        except NotFoundError:
            raise
        except Exception:
            # A bug of ours: this attempt gets no verdict.
            await self._failed(conclusion.attempt.id, None)
            raise

    async def _failed(self, attempt_id: str, reason: Reason | None) -> None:
        try:
            await self.persistently(partial(self._attempts.fail, attempt_id, now=self._clock(), reason=reason))
        except NotFoundError:
            log.info("an attempt had ended or was taken over", attempt_id=attempt_id)

    def _keep(self, conclusion: Conclusion) -> VerifyResponseResponse:
        attempt, now = conclusion.attempt, conclusion.now
        judgement = self._screening(conclusion.judgement, conclusion.response.challenge, subject=attempt.subject, now=now)
        challenge = conclusion.response.challenge
        earned, face, sealed, waiting = NOTHING_EARNED, None, None, None
        if judgement.decision.verdict is Verdict.ACCEPTED:
            earned = conclusion.earned = self._earned(conclusion, judgement)
            gallery = self._screening.identification
            face = gallery.code(judgement) if gallery is not None else None
            vectors = embeddings(judgement, challenge)
            sealed = self._vault.seal(conclusion.cameo_id, likeness.to_bytes(*vectors, judgement.likeness_media))
        elif judgement.decision.verdict is Verdict.REVIEW and (found := embeddings_if_any(judgement, challenge)) is not None:
            waiting = self._vault.seal(self._issuer.new_id(), likeness.to_bytes(*found, judgement.likeness_media))
        known_by = to_bytes(judgement.evidence.fingerprint)
        try:
            finished = self._attempts.finish(
                attempt.id,
                judgement,
                now=now,
                earned=earned,
                fingerprint=known_by,
                face=face,
                likeness=sealed,
                waiting=waiting,
            )
        except NotFoundError:
            # A commit whose answer got lost did commit: then the attempt ended at the time given above.
            finished = self._attempts.get(attempt.id)
            if finished.state is not AttemptState.JUDGED or finished.finished_at != now:
                raise
        log.info("judged", attempt_id=attempt.id, verdict=judgement.decision.verdict.value)
        self._evidence.keep(attempt, judgement, conclusion.response, earned.receipt, enrolled=face is not None, now=now)
        return reply(finished, earned)

    def _earned(self, conclusion: Conclusion, judgement: Judgement) -> Earned:
        attempt, now = conclusion.attempt, conclusion.now
        receipt = conclusion.earned.receipt
        if receipt is None:
            receipt = self._issuer.receipt(attempt, judgement, cameo_id=conclusion.cameo_id, now=now)
            conclusion.earned = Earned(receipt)
        cameo = _enrolled(conclusion, judgement)
        if cameo is None or not cameo.terms.let_hold(attempt.audience):
            return Earned(receipt, cameo)
        vectors = embeddings(judgement, conclusion.response.challenge)
        credential = conclusion.earned.credential or self._issuer.issue(
            attempt, judgement, cameo, vectors, audience=conclusion.audience, now=now
        )
        return Earned(receipt, cameo, credential)

    def _ended(self, attempt_id: str, task: asyncio.Task[Any]) -> None:
        if self._under_way.get(attempt_id) is task:
            del self._under_way[attempt_id]
        # Retrieved here, since nobody may await the task.
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("an attempt was not concluded", attempt_id=attempt_id, error=type(error).__name__)


def reply(attempt: Attempt, earned: Earned) -> VerifyResponseResponse:
    """Return the reply to a request whose attempt has a verdict."""
    return verification_service_pb2.VerifyResponseResponse(
        attempt=convert.attempt(attempt, full=False),
        receipt=convert.receipt(earned.receipt) if earned.receipt else None,
        cameo=cameo_convert.cameo(earned.cameo) if earned.cameo else None,
        credential=convert.credential(earned.credential) if earned.credential else None,
    )


def _enrolled(conclusion: Conclusion, judgement: Judgement) -> Cameo | None:
    """Return the cameo that an accepted adult's request asks for; None if it asks for none, or guardians are to be asked."""
    attempt = conclusion.attempt
    given = attempt.asked.enrolment
    if given is None or judgement.minor_safeguards:
        return None
    return new_cameo(
        conclusion.cameo_id,
        given,
        subject=attempt.subject,
        attempt_id=attempt.id,
        attested_at=attempt.created_at,
        minor_safeguards=False,
        now=conclusion.now,
    )
