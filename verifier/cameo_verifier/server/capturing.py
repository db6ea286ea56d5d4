"""Captures: runs live sessions, whatever carries their messages.

A capture is a task of its own. While it prepares and prompts it ends with its client; once the answer is complete it goes on, and
`GetSession` tells the verdict. `capture` has what happens in it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo.v1 import error_reason_pb2
from cameo_verifier.server.capture import Capture
from cameo_verifier.server.wire.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from datetime import datetime, timedelta
    from random import Random

    from cameo.v1.session_service_pb2 import CaptureRequest, CaptureResponse
    from cameo_verifier.live.conductor import Pacing
    from cameo_verifier.live.guidance import GuidanceLimits
    from cameo_verifier.live_settings import Live
    from cameo_verifier.server.attestation import Attestations
    from cameo_verifier.server.auth.caller import Caller
    from cameo_verifier.server.concluding import Conclusions
    from cameo_verifier.server.issuing import Issuer
    from cameo_verifier.store.attempts.attempts import AttemptStore
    from cameo_verifier.store.attempts.challenges import ChallengeStore
    from cameo_verifier.store.attempts.sessions import SessionStore
    from cameo_verifier.types import Judgement
    from cameo_verifier.workers.judge import Response
    from cameo_verifier.workers.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class CaptureParts:
    """What captures need.

    Attributes:
        sessions, challenges, attempts: the stores.
        issuer: has the audiences, and generates ids.
        pool: its workers observe and judge.
        conclusions: ends attempts.
        attestations: verifies those of apps.
        live: times.
        limits: of guidance.
        pacing: of prompts.
        max_bytes: largest answer.
        challenge_ttl: how long a challenge can be answered.
        stopping: set once the server stops.
        clock: the time in UTC.
        monotonic: the server's monotonic time in seconds.
        random: draws challenges and pauses.
        sandbox: subjects decide the outcome.
    """

    sessions: SessionStore
    challenges: ChallengeStore
    attempts: AttemptStore
    issuer: Issuer
    pool: WorkerPool[Response, Judgement]
    conclusions: Conclusions
    attestations: Attestations
    live: Live
    limits: GuidanceLimits
    pacing: Pacing
    max_bytes: int
    challenge_ttl: timedelta
    stopping: asyncio.Event
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    random: Random
    sandbox: bool = False


class Capturing:
    """Runs captures, one of each session at a time."""

    def __init__(self, parts: CaptureParts) -> None:
        """Keep the parts."""
        self._parts = parts
        self._under_way: dict[str, tuple[Capture, asyncio.Task[None]]] = {}
        self._preparing: dict[str, Capture] = {}

    async def run(self, caller: Caller, messages: AsyncIterator[CaptureRequest]) -> AsyncGenerator[CaptureResponse]:
        """Run the capture of the session that a verified token names; yield what to send, each at once.

        Close this iterator (`contextlib.aclosing`) when the client is gone.

        Args:
            caller: of the capture token.
            messages: what the client sends; it ends when the client has closed its side.

        Raises:
            CameoError: as `SessionService.Capture`; `status_of` has the reason.
        """
        session_id = caller.id
        if session_id in self._under_way:
            raise RequestError(error_reason_pb2.ERROR_REASON_SESSION_IN_USE, "the session is being captured elsewhere")
        told: asyncio.Queue[CaptureResponse | None] = asyncio.Queue()
        capture = Capture(self._parts, caller, messages, told.put_nowait, self._preparing)
        task = asyncio.create_task(capture.run())
        self._under_way[session_id] = capture, task

        def over(_: asyncio.Task[None]) -> None:
            del self._under_way[session_id]
            told.put_nowait(None)

        task.add_done_callback(over)
        try:
            while (message := await told.get()) is not None:
                yield message
        finally:
            if not task.done() and not capture.complete:
                task.cancel()
                await asyncio.wait({task})
        task.result()

    async def close(self, within_s: float) -> None:
        """End the captures that are under way; wait up to `within_s` for those whose answer is complete."""
        captures = list(self._under_way.values())
        for capture, task in captures:
            if not capture.complete:
                task.cancel()
        tasks = {task for _, task in captures}
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
