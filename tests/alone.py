"""Judge a recording in a process that a test watches from outside: `python -m tests.alone HOW CHALLENGE RECORDING`.

HOW is `worker`, as the server does it, or `open`: the same judge in a process that the kernel refuses nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from challenges.model import from_json
from verifier.server.judging import OpenJudge, Response
from verifier.server.worker_process import Worker, thread_environment
from verifier.settings import Settings

if TYPE_CHECKING:
    from verifier.types import Judgement

_READY_S = 600.0


async def _by_a_worker(response: Response) -> Judgement:
    with ThreadPoolExecutor(2) as threads:
        worker: Worker[Response, Judgement] = await Worker.start(
            OpenJudge(Settings()), environment=thread_environment(1), threads=threads, ready_s=_READY_S
        )
        try:
            return await worker.judge(response)
        finally:
            worker.kill()
            await worker.ended()


def main(how: str, challenge: str, recording: str) -> None:
    """Judge, and print the verdict and how long it took from the start of this process's work."""
    began = time.monotonic()
    response = Response(Path(recording).read_bytes(), from_json(json.loads(challenge)))
    judgement = asyncio.run(_by_a_worker(response)) if how == "worker" else OpenJudge(Settings())()(response, lambda: False)
    print(json.dumps({"verdict": judgement.decision.verdict, "took_s": time.monotonic() - began}))  # noqa: T201 - for the test


if __name__ == "__main__":
    main(*sys.argv[1:])
