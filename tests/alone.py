"""Judge a recording in a process that a test watches from outside: `python -m tests.alone HOW CHALLENGE RECORDING`.

HOW is `worker`, as the server does it, or `open`: the same judge in a process that the kernel refuses nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.model import from_json
from cameo_verifier import profiles
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import Settings
from cameo_verifier.types import Frame
from cameo_verifier.workers.judge import OpenJudge, Response
from cameo_verifier.workers.process import Worker, thread_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.types import Judgement

_READY_S = 600.0


@dataclass(frozen=True)
class OpenAndClose:
    """Opens the server's judge, which closes a landmarker after each recording: a runtime that reports does it then."""

    settings: Settings

    def __call__(self) -> Callable[[Response, Callable[[], bool]], Judgement]:
        """Load the models."""
        judge = OpenJudge(self.settings, profiles.load(self.settings.profile))()

        def judge_and_close(response: Response, cancelled: Callable[[], bool]) -> Judgement:
            judgement = judge(response, cancelled)
            with ModelKit.open(self.settings) as kit, kit.landmarker(max_faces=1, video=False) as landmarker:
                landmarker.detect(Frame(0.0, np.zeros((64, 64, 3), np.uint8)))
            return judgement

        return judge_and_close


async def _by_a_worker(response: Response) -> Judgement:
    with ThreadPoolExecutor(2) as threads:
        worker: Worker[Response, Judgement] = await Worker.start(
            OpenAndClose(Settings()), environment=thread_environment(1), threads=threads, ready_s=_READY_S
        )
        try:
            return await worker.judge(response)
        finally:
            worker.kill()
            await worker.ended()


def main(how: str, challenge: str, recording: str) -> None:
    """Judge, and print the verdict."""
    response = Response(Path(recording).read_bytes(), from_json(json.loads(challenge)))
    judgement = asyncio.run(_by_a_worker(response)) if how == "worker" else OpenAndClose(Settings())()(response, lambda: False)
    print(json.dumps({"verdict": judgement.decision.verdict}))  # noqa: T201 - for the test


if __name__ == "__main__":
    # By its name, so that a worker finds what it is to open.
    from tests.alone import main as named

    named(*sys.argv[1:])
