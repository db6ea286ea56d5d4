"""Worker process: loads its models once and then judges one recording at a time.

Parent and child communicate over one two-way pipe, in numbered messages. The child polls the pipe between two steps of its work,
so that a cancelled caller frees it soon, and so that it ends by itself when the parent has ended.

The child decodes untrusted data. So its environment has none of the site's secrets, the kernel enforces limits
(`cameo_verifier.workers.main`), and its answers are parsed as data (`cameo_verifier.workers.wire`); a malformed answer ends it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from cameo_credential.errors import CameoError
from cameo_verifier.workers import wire as worker_wire
from cameo_verifier.workers.messages import Cancel, Chunk, Job, Live, Look, Ping, Record
from cameo_verifier.workers.wire import MalformedError, Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor
    from multiprocessing.connection import Connection

    from cameo_verifier.settings import Settings

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


class WorkerLostError(CameoError):
    """The process ended, or had to be killed, before it answered."""


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """Limits of a worker, enforced by the kernel.

    memory_bytes: memory that it writes to. job_cpu_s: processor seconds of one job. files: open files.
    """

    memory_bytes: int = 4 * 2**30
    job_cpu_s: float = 600.0
    files: int = 256

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return a site's limits for a worker without a deadline."""
        return cls(memory_bytes=settings.worker_mb * 2**20)


USUAL = ResourceLimits()


@dataclass(frozen=True, slots=True)
class Opening:
    """The first message: the judge's factory, the record types of its results beside judgements, and the limits."""

    factory: Callable[[], Callable[..., Any]]
    records: tuple[type, ...]
    limits: ResourceLimits


_PASSED_ON = frozenset(
    {
        "HOME",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHASHSEED",
        "TMPDIR",
        "TZ",
        "XDG_CACHE_HOME",
    }
)
_PASSED_ON_KINDS = ("CAMEO_MEDIA_", "MKL_", "NUMEXPR_", "OMP_", "OPENBLAS_", "OPENCV_FOR_THREADS_", "ORT_")
"""Prefixes of variables that the interpreter and numeric libraries read, and of the limits of recordings; every other setting
arrives with the factory."""


def thread_environment(threads: int) -> dict[str, str]:
    """Return environment variables that limit the numeric libraries of one process to `threads` threads each.

    They are read when a library is loaded, so they must be set before the process starts. `OMP_WAIT_POLICY=PASSIVE` keeps idle
    threads from spinning on a core that the next worker could use.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "NUMEXPR_NUM_THREADS")
    return {**dict.fromkeys(names, str(threads)), "OMP_WAIT_POLICY": "PASSIVE"}


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a worker: the variables of this process that it needs, and the given ones."""
    ours = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_KINDS)}
    return {**ours, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path), **given}


def start_process(environment: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], Connection[Any, Any], int]:
    """Start a process; return it, this end of its pipe, and the end of another that becomes readable once it has ended.

    `environment` is set for it, beside the few variables it inherits from this process.
    """
    ours, theirs = multiprocessing.Pipe()
    sentinel, held = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", "cameo_verifier.workers.main", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=_environment(environment),
            pass_fds=(theirs.fileno(), held),
        )
    except BaseException:
        os.close(sentinel)
        raise
    finally:
        theirs.close()
        os.close(held)
    return process, ours, sentinel


class Worker(Generic[JobT, ResultT]):
    """The parent's end of one worker process. One job at a time; the pool ensures that."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        connection: Connection[Any, Any],
        sentinel: int,
        *,
        records: Sequence[type],
        threads: Executor,
    ) -> None:
        """Use `start` instead.

        Args:
            process: started.
            connection: the parent's end of the pipe.
            sentinel: the end of a pipe that becomes readable once the process has ended.
            records: record types of results beside judgements.
            threads: where blocking reads and writes run.
        """
        self._process = process
        self._connection = connection
        self._sentinel = sentinel
        self._records = records
        self._threads = threads
        self._writing = threading.Lock()
        self._order = asyncio.Lock()
        self._jobs = 0
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sentinel, self._reap)

    @classmethod
    async def start(
        cls,
        factory: Callable[[], Callable[[JobT, Callable[[], bool]], ResultT]],
        *,
        environment: Mapping[str, str],
        threads: Executor,
        ready_s: float,
        records: Sequence[type] = (),
        limits: ResourceLimits = USUAL,
    ) -> Worker[JobT, ResultT]:
        """Start a process and wait until its `factory` has returned.

        Args:
            factory: picklable; called once in the process, returns the judge: `judge(job, cancelled)`. `judge` should call
                `cancelled` every few frames and raise `AbandonedError` when it returns true. It may be one that `Looks`.
            environment: variables to set for the process, beside the few it inherits from this one.
            threads: where blocking reads and writes run.
            ready_s: how long the factory may take.
            records: data classes in results, beside those of a judgement, tuples, maps and plain values.
            limits: limits of the process.

        Raises:
            CameoError: the factory refused, e.g. because a model file is missing.
            WorkerLostError: the process ended or took too long.
        """
        process, ours, sentinel = start_process(environment)
        worker: Worker[JobT, ResultT] = cls(process, ours, sentinel, records=records, threads=threads)
        try:
            async with asyncio.timeout(ready_s):
                await worker._send(Opening(factory, tuple(records), limits))
                greeting = await worker._receive()
        except BaseException as error:
            worker._end()
            if isinstance(error, TimeoutError):
                raise WorkerLostError(f"a worker was not ready after {ready_s:.0f} s") from None
            raise
        if isinstance(greeting, worker_wire.Refusal):
            worker._end()
            raise greeting.error
        return worker

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    async def knock(self) -> None:
        """Return once the process has answered a ping. Do not cancel this, as for `judge`.

        Raises:
            WorkerLostError: it has ended.
        """
        await self._send(Ping())
        if not isinstance(await self._receive(), worker_wire.Ready):
            self.kill()
            raise WorkerLostError("the worker answered out of turn")

    async def look(self, job: JobT) -> None:
        """Have the judge check `job`, if it `Looks`. Do not cancel this, as for `judge`.

        Raises:
            CameoError: raised by the judge.
            WorkerFaultError: it raised something else.
            WorkerLostError: the process ended.
        """
        await self._answer(Look(self._next(), job))

    async def judge(self, job: JobT) -> ResultT:
        """Have `job` judged. Do not cancel this: call `cancel`, and `kill` if that does not help.

        Raises:
            CameoError: raised by the judge.
            AbandonedError: `cancel` took effect.
            WorkerFaultError: the judge raised something else.
            WorkerLostError: the process ended.
        """
        answer: ResultT = await self._answer(Job(self._next(), job))
        return answer

    async def cancel(self) -> None:
        """Request the worker to cancel its job."""
        await self._send(Cancel(self._jobs))

    async def live(self, observed: Callable[[Observed], None], opened: asyncio.Event) -> ResultT:
        """Hold a live session, with a judge that `Watches`, until its job is judged: `record` and `feed`, then `complete`.

        Do not cancel this, as for `judge`.

        Args:
            observed: called with each observation.
            opened: set once the session is open, before which nothing of it may be sent.

        Raises:
            CameoError: as `judge`.
        """
        answer: ResultT = await self._answer(Live(self._next()), observed, opened)
        return answer

    async def record(self, number: int, *, answer: bool) -> None:
        """Begin a recording in the live session, an answer or not; errors as `feed`."""
        await self._send(Record(number, answer))

    async def feed(self, chunk: bytes) -> None:
        """Append to the recording of the live session.

        Raises:
            WorkerLostError: the process ended.
        """
        await self._send(Chunk(chunk))

    async def complete(self, job: JobT) -> None:
        """Request the judgement that ends the live session; errors as `feed`."""
        await self._send(Job(self._jobs, job))

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    async def ended(self) -> None:
        """Wait until the process has ended."""
        await self._ended.wait()

    def _end(self) -> None:
        """End the process and wait for it, uncancellably."""
        self.kill()
        self._reap()

    def _reap(self) -> None:
        if self._ended.is_set():
            return
        asyncio.get_running_loop().remove_reader(self._sentinel)
        os.close(self._sentinel)
        self._process.wait()
        self._ended.set()

    def _next(self) -> int:
        self._jobs += 1
        return self._jobs

    async def _answer(
        self,
        message: Job | Look | Live,
        observed: Callable[[Observed], None] | None = None,
        sent: asyncio.Event | None = None,
    ) -> Any:  # noqa: ANN401 - of any kind
        await self._send(message)
        if sent is not None:
            sent.set()
        answer = await self._receive()
        while isinstance(answer, Observed) and observed is not None:
            observed(answer)
            answer = await self._receive()
        match answer:
            case worker_wire.Result(number, result) if number == message.number:
                return result
            case worker_wire.Refusal(error):
                raise error
        self.kill()
        raise WorkerLostError("the worker answered out of turn")

    async def _send(self, message: object) -> None:
        def send() -> None:
            with self._writing:
                self._connection.send(message)

        try:
            async with self._order:
                await asyncio.get_running_loop().run_in_executor(self._threads, send)
        except (OSError, ValueError):
            raise WorkerLostError("the worker is gone") from None

    async def _receive(self) -> worker_wire.Message:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._parse)
        except (EOFError, OSError):
            # Also for a message longer than any answer: the pipe is closed by now.
            self.kill()
            raise WorkerLostError("the worker died") from None
        except MalformedError as error:
            self.kill()
            raise WorkerLostError(str(error)) from None

    def _parse(self) -> worker_wire.Message:
        return worker_wire.heard(self._connection.recv_bytes(worker_wire.MAX_BYTES), self._records)
