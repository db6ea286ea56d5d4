"""Jobs of workers that judge nothing: what each does is its kind. The processes load this and no more, so they start soon."""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cameo_verifier.errors import AbandonedError, ModelKitError, UnjudgeableError
from cameo_verifier.live.observation import Heard
from cameo_verifier.reasons import Reason
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.live.observation import Observation


@dataclass(frozen=True)
class Sleep:
    """Work for so long, looking every 10 ms whether to stop, unless told to be deaf."""

    seconds: float
    deaf: bool = False


@dataclass(frozen=True)
class Held:
    """Say with a file `begun` that it began, and work until there is one `go`, looking whether to stop unless told to be deaf."""

    marks: Path
    deaf: bool = False

    async def begun(self) -> None:
        """Wait until it has begun."""
        await until((self.marks / "begun").exists)

    def go(self) -> None:
        """Let it end."""
        (self.marks / "go").touch()


@dataclass(frozen=True)
class Die:
    """End the process as the kernel does when memory runs out."""


@dataclass(frozen=True)
class Refuse:
    """Find the recording damaged."""


@dataclass(frozen=True)
class Stumble:
    """Run into a bug."""

    secret: str


@dataclass(frozen=True)
class Report:
    """Tell what the process was started with."""

    name: str


@dataclass(frozen=True)
class Confess:
    """Tell what the process may do, by the kernel's word, and all of its environment."""


@dataclass(frozen=True)
class Smuggle:
    """Answer with a pickle that makes whoever loads it write a file."""

    path: str


@dataclass(frozen=True)
class Hoard:
    """Fill so many bytes."""

    size: int


@dataclass(frozen=True)
class Burn:
    """Use the processor without end, and do not listen."""


class _Evil:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


Job = Sleep | Held | Die | Refuse | Stumble | Report | Confess | Smuggle | Hoard | Burn


def judge(job: Job, cancelled: Callable[[], bool]) -> str:  # noqa: C901, PLR0912 - a job a line
    match job:
        case Sleep(seconds, deaf):
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                if not deaf and cancelled():
                    raise AbandonedError("stopped")
                time.sleep(0.01)
            return f"slept in {os.getpid()}"
        case Held(marks, deaf):
            (marks / "begun").touch()
            while not (marks / "go").exists():
                if not deaf and cancelled():
                    raise AbandonedError("stopped")
                time.sleep(0.01)
            return f"held by {os.getpid()}"
        case Die():
            os.kill(os.getpid(), signal.SIGKILL)
        case Refuse():
            raise UnjudgeableError(Reason.CORRUPT_MEDIA, "damaged: send it again")
        case Stumble(secret):
            raise ValueError(secret)
        case Report(name):
            return os.environ.get(name, "")
        case Confess():
            limits = {
                name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] for name in ("CORE", "NOFILE", "DATA", "CPU")
            }
            status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
            environment = Path("/proc/self/environ").read_text()
            return json.dumps({**limits, "NoNewPrivs": status["NoNewPrivs"].strip(), "environment": environment})
        case Smuggle(path):
            pipe = next(each for each in gc.get_objects() if isinstance(each, Connection))
            pipe.send(_Evil(path))
            return "sent"
        case Hoard(size):
            return str(len(bytearray(size)))
        case Burn():
            while True:
                pass
    raise AssertionError(job)


class Watching:
    """A recording whose observations are its bytes, one at a time; some pieces do what they say."""

    def __init__(self, tell: Callable[[Observation | Exception], None]) -> None:
        self._tell = tell

    def feed(self, chunk: bytes) -> None:
        """Observe it."""
        match chunk:
            case b"die":
                os.kill(os.getpid(), signal.SIGKILL)
            case b"hang":
                time.sleep(1e6)
            case b"damaged":
                self._tell(UnjudgeableError(Reason.CORRUPT_MEDIA, "damaged: begin another"))
            case b"stumble":
                self._tell(ValueError("0.123, 0.456"))
            case _:
                for byte in chunk:
                    self._tell(Heard(float(byte), -20.0, speech=True))

    def completed(self, job: Job) -> Job:
        """Return the job as it is."""
        return job

    def stop(self) -> None:
        """Tell nothing more, since all is told."""


class Watcher:
    """A judge that watches."""

    def watch(self, tell: Callable[[Observation | Exception], None], *, answer: bool) -> Watching:
        """Begin; an answer by saying so."""
        if answer:
            tell(Heard(0.0, -20.0, speech=True))
        return Watching(tell)

    def __call__(self, job: Job, cancelled: Callable[[], bool]) -> str:
        """Judge as the others."""
        return judge(job, cancelled)


def hire_watcher() -> Watcher:
    return Watcher()


def hire() -> Callable[[Job, Callable[[], bool]], str]:
    return judge


def refuse_to_start() -> Callable[[Job, Callable[[], bool]], str]:
    raise ModelKitError("face.onnx is missing: run `cameo models pull`")
