"""Takeover: a dead server's open attempts are ended, or judged if their recordings were spooled.

So are those of this server that no task will end: the reply to the transaction that opened them got lost. The challenge stays
spent in either case, and only the recording that spent it is judged: whoever can kill servers gets no second try.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from cameo_credential.errors import CameoError
from cameo_verifier.errors import OverloadedError, UnjudgeableError
from cameo_verifier.redaction import redacted
from cameo_verifier.workers.judge import Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cameo_verifier.server.concluding import Conclusions
    from cameo_verifier.server.issuing import Issuer
    from cameo_verifier.server.lease import Lease
    from cameo_verifier.store.attempts.attempts import Attempt, AttemptStore
    from cameo_verifier.store.attempts.challenges import ChallengeStore
    from cameo_verifier.store.attempts.spool import Spool
    from cameo_verifier.types import Judgement
    from cameo_verifier.workers.pool import WorkerPool

log = structlog.get_logger(__name__)


class TakingOver:
    """Takes over attempts; see the module. One call at a time."""

    def __init__(
        self,
        lease: Lease,
        *,
        attempts: AttemptStore,
        challenges: ChallengeStore,
        spool: Spool,
        issuer: Issuer,
        pool: WorkerPool[Response, Judgement],
        conclusions: Conclusions,
        clock: Callable[[], datetime],
    ) -> None:
        self._lease, self._attempts, self._challenges, self._spool = lease, attempts, challenges, spool
        self._issuer, self._pool, self._conclusions, self._clock = issuer, pool, conclusions, clock
        # Live callers have the other workers.
        self._one_at_a_time = asyncio.Lock()

    async def renew(self) -> None:
        """Renew this server's lease, then take over from dead servers.

        Raises:
            StoreError: the database failed.
        """
        await asyncio.to_thread(self._lease.renew)
        await self.look()

    async def look(self) -> None:
        """End the attempts of dead servers, and judge those that were spooled.

        Raises:
            StoreError: the database failed.
        """
        dead = await asyncio.to_thread(self._lease.dead)
        taken, ended = await asyncio.to_thread(self._attempts.take_over, dead=dead, now=self._clock())
        for attempt in taken:
            self._conclusions.run(attempt.id, self._judge(attempt))
        if taken or ended:
            log.warning("servers that are gone left attempts open", judged_again=len(taken), ended=ended)
        await asyncio.to_thread(self._lease.bury, dead)
        for attempt_id in await asyncio.to_thread(self._attempts.own_open):
            # In this order: an attempt that is open by then was marked before it was begun.
            if not self._conclusions.in_hand(attempt_id):
                self._conclusions.fail(attempt_id)

    async def _judge(self, attempt: Attempt) -> None:
        try:
            response = await self._conclusions.persistently(partial(self._response, attempt))
            audience = await asyncio.to_thread(self._issuer.audience, attempt.audience)
            async with self._one_at_a_time:
                judgement = await self._judged(response)
        except Exception as error:  # noqa: BLE001 - whatever it is, the attempt ends
            told = str(error) if isinstance(error, CameoError) else redacted(error)
            log.warning("a spooled recording could not be judged", attempt_id=attempt.id, error=told)
            await self._conclusions.fail(attempt.id, error.reason if isinstance(error, UnjudgeableError) else None)
        else:
            await self._conclusions.conclude(attempt, judgement, response, audience)

    def _response(self, attempt: Attempt) -> Response:
        challenge = self._challenges.get(attempt.challenge_id).challenge
        return Response(self._spool.open(attempt.id), challenge, attempt.created_at, subject=attempt.subject)

    async def _judged(self, response: Response) -> Judgement:
        while True:
            try:
                async with self._pool.turn() as turn:
                    return await turn.judge(response)
            except OverloadedError as error:
                await asyncio.sleep(error.retry_after_s)
