"""What processes of a crew do in its tests; they load this and no more, so they start soon."""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable


class _Evil:
    """Makes whoever unpickles it make a folder."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@dataclass(frozen=True)
class Smuggler:
    """Opens what answers every job with a pickle."""

    path: str

    def __call__(self) -> Callable[[Any, Callable[[], bool]], None]:
        """Return it."""
        return lambda _job, _cancelled: self.smuggle()

    def smuggle(self) -> None:
        """Send it on every pipe there is."""
        for pipe in [each for each in gc.get_objects() if isinstance(each, Connection)]:
            pipe.send(_Evil(self.path))


@dataclass(frozen=True)
class Doing:
    """Opens what does as a job says; it notes each in a folder."""

    notes: Path

    def __call__(self) -> Callable[[str, Callable[[], bool]], Any]:
        """Return it."""
        return lambda job, _cancelled: self.do(job)

    def do(self, job: str) -> Any:
        """Do it."""
        with (self.notes / job).open("a") as file:
            file.write("x")
        match job:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "die once" if (self.notes / job).read_text() == "x":
                os.kill(os.getpid(), signal.SIGKILL)
            case "refuse":
                raise UnjudgeableError(Reason.CORRUPT_MEDIA, "send it again")
            case "stumble":
                raise ZeroDivisionError("0.1337")
            case "confess":
                limits = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] for name in ("CORE", "NOFILE", "DATA")}
                return json.dumps({**limits, "environment": Path("/proc/self/environ").read_text()})
        return np.arange(3), job
