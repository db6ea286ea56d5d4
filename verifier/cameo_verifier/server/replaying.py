"""Replay of one recording, in a process of its own beside the workers.

The process opens the models as a worker does, lowers its priority below every worker's, and ends with its answer, or as soon as
the call is cancelled: nothing of it remains between two replays, and no place in the queue is taken.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cameo.v1 import error_reason_pb2
from cameo_verifier.review.replay import Answer, NotReplayed, Replayed
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.workers.process import ResourceLimits, Worker, WorkerLostError, thread_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.review.replay import Material, OpenReplay

_NICENESS = 10
_READY_S = 120.0
_LONGEST_S = 600.0
"""Maximum duration, for a caller without a deadline."""


@dataclass(frozen=True, slots=True)
class OpenBehind:
    """Factory of a replay, in a process that lowers its own priority first."""

    opener: OpenReplay

    def __call__(self) -> Callable[[Material, Callable[[], bool]], Replayed | NotReplayed]:
        """Load the models. The replay ignores cancellation, because whoever started the process ends it."""
        os.nice(_NICENESS)
        run = self.opener()
        return lambda material, _cancelled: run(material)


async def replay_aside(opener: OpenReplay, material: Material) -> Replayed | NotReplayed:
    """Judge an attempt again in a process of its own. Cancellation ends the process.

    Raises:
        RequestError: the process died, or took too long.
        ModelKitError: a model file is missing, altered or not licensed for this site.
    """
    settings = opener.settings.model_copy(update={"overlap": False})
    threads = ThreadPoolExecutor(1, thread_name_prefix="replay-pipe")
    try:
        worker: Worker[Material, Replayed | NotReplayed] = await Worker.start(
            OpenBehind(replace(opener, settings=settings)),
            environment=thread_environment(settings.threads),
            threads=threads,
            ready_s=_READY_S,
            records=(Answer, NotReplayed, Replayed),
            limits=ResourceLimits(memory_bytes=settings.worker_mb * 2**20, job_cpu_s=_LONGEST_S),
        )
        try:
            async with asyncio.timeout(_LONGEST_S):
                return await worker.judge(material)
        finally:
            worker.kill()
            await worker.ended()
    except (WorkerLostError, TimeoutError):
        raise RequestError(
            error_reason_pb2.ERROR_REASON_JUDGING_INTERRUPTED, "judging it again was interrupted; ask again"
        ) from None
    finally:
        threads.shutdown(wait=False)
