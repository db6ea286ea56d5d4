"""One worker: a process that loads its models once and then judges one recording at a time.

Parent and child talk over one two-way pipe, in numbered messages. The child looks into the pipe between two steps of its work,
so that a cancelled caller frees it soon, and so that it ends by itself when the parent is gone.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from verifier import offline
from verifier.errors import CameoError
from verifier.server.outline import outline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Executor
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


class WorkerLostError(CameoError):
    """The process ended, or had to be killed, before it answered."""


class WorkerFaultError(CameoError):
    """The code that judges has a bug; the message is the error's outline, without what it was raised with."""


@dataclass(frozen=True, slots=True)
class _Ready:
    pass


@dataclass(frozen=True, slots=True)
class _Knock:
    pass


@dataclass(frozen=True, slots=True)
class _Job:
    number: int
    job: Any


@dataclass(frozen=True, slots=True)
class _Look:
    number: int
    job: Any


@dataclass(frozen=True, slots=True)
class _Cancel:
    number: int


@dataclass(frozen=True, slots=True)
class _Result:
    number: int
    result: Any


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: CameoError


@runtime_checkable
class Looks(Protocol):
    """A judge that can say, cheaply and without judging, that a job cannot be judged."""

    def look(self, job: Any, /) -> None:  # noqa: ANN401 - whatever it judges
        """Return, or raise what stands against judging it."""
        ...


def thread_environment(threads: int) -> dict[str, str]:
    """Environment variables that hold the numeric libraries of one process to `threads` threads each.

    They are read when a library is loaded, so they must be there before the process starts. `OMP_WAIT_POLICY=PASSIVE` keeps
    idle threads from spinning on a core that the next worker could use.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "NUMEXPR_NUM_THREADS")
    return {**dict.fromkeys(names, str(threads)), "OMP_WAIT_POLICY": "PASSIVE"}


class Worker(Generic[JobT, ResultT]):
    """The parent's end of one worker process. One job at a time; the pool sees to that."""

    def __init__(self, process: SpawnProcess, connection: Connection[Any, Any], threads: Executor) -> None:
        """Use `start` instead.

        Args:
            process: started.
            connection: the parent's end of the pipe.
            threads: where blocking reads and writes run.
        """
        self._process = process
        self._connection = connection
        self._threads = threads
        self._writing = threading.Lock()
        self._jobs = 0

    @classmethod
    async def start(
        cls,
        factory: Callable[[], Callable[[JobT, Callable[[], bool]], ResultT]],
        *,
        environment: Mapping[str, str],
        threads: Executor,
        ready_s: float,
    ) -> Worker[JobT, ResultT]:
        """Start a process and wait until its `factory` has returned.

        Args:
            factory: picklable; called once in the process, returns what judges: `judge(job, cancelled)`. `judge` should call
                `cancelled` every few frames and raise `AbandonedError` when it says so. It may be one that `Looks`.
            environment: variables to set for the process.
            threads: where blocking reads and writes run.
            ready_s: how long the factory may take.

        Raises:
            CameoError: the factory refused, e.g. because a model file is missing.
            WorkerLostError: the process ended or took too long.
        """
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_serve, args=(theirs, factory), daemon=True)
        saved = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        try:
            process.start()
        finally:
            for name, value in saved.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
            theirs.close()
        worker: Worker[JobT, ResultT] = cls(process, ours, threads)
        try:
            async with asyncio.timeout(ready_s):
                greeting = await worker._receive()
        except BaseException as error:
            worker.kill()
            await worker.ended()
            if isinstance(error, TimeoutError):
                raise WorkerLostError(f"a worker was not ready after {ready_s:.0f} s") from None
            raise
        if isinstance(greeting, _Refusal):
            await worker.ended()
            raise greeting.error
        return worker

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid or 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    async def knock(self) -> None:
        """Return once the process has answered that it is there. Do not cancel this, as for `judge`.

        Raises:
            WorkerLostError: it is not.
        """
        await self._send(_Knock())
        if not isinstance(await self._receive(), _Ready):
            raise WorkerLostError("the worker answered out of turn")

    async def look(self, job: JobT) -> None:
        """Have the judge look at `job`, if it `Looks`. Do not cancel this, as for `judge`.

        Raises:
            CameoError: what it raised.
            WorkerFaultError: it raised something else.
            WorkerLostError: the process ended.
        """
        await self._answer(_Look, job)

    async def judge(self, job: JobT) -> ResultT:
        """Have `job` judged. Do not cancel this: call `cancel`, and `kill` if that does not help.

        Raises:
            CameoError: what the judge raised.
            AbandonedError: `cancel` was heard.
            WorkerFaultError: the judge raised something else.
            WorkerLostError: the process ended.
        """
        answer: ResultT = await self._answer(_Job, job)
        return answer

    async def cancel(self) -> None:
        """Ask the worker to give up the job it has."""
        await self._send(_Cancel(self._jobs))

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    async def ended(self) -> None:
        """Wait until the process has ended."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        sentinel = self._process.sentinel
        loop.add_reader(sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(sentinel)
        self._process.join()

    async def _answer(self, kind: type[_Job | _Look], job: JobT) -> Any:  # noqa: ANN401 - of either kind
        self._jobs += 1
        await self._send(kind(self._jobs, job))
        match await self._receive():
            case _Result(_, result):
                return result
            case _Refusal(error):
                raise error
        raise WorkerLostError("the worker answered out of turn")

    async def _send(self, message: object) -> None:
        def send() -> None:
            with self._writing:
                self._connection.send(message)

        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, send)
        except (OSError, ValueError):
            raise WorkerLostError("the worker is gone") from None

    async def _receive(self) -> object:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._connection.recv)
        except (EOFError, OSError):
            raise WorkerLostError("the worker died") from None


def _serve(connection: Connection[Any, Any], factory: Callable[[], Callable[[Any, Callable[[], bool]], Any]]) -> None:
    """The whole life of a worker process."""
    # A terminal or a service manager signals the whole group; the parent decides when the workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    offline.go_offline()
    try:
        judge = factory()
    except Exception as error:  # noqa: BLE001 - reported to the parent, which decides
        connection.send(_Refusal(_portable(error)))
        return
    connection.send(_Ready())
    for job in _jobs(connection):
        try:
            answer: object = _Result(job.number, _done(judge, job, connection))
        except Exception as error:  # noqa: BLE001 - reported to the parent; the process goes on
            answer = _Refusal(_portable(error))
        try:
            connection.send(answer)
        except OSError:
            return


def _done(judge: Callable[..., Any], job: _Job | _Look, connection: Connection[Any, Any]) -> Any:  # noqa: ANN401 - any result
    if isinstance(job, _Job):
        return judge(job.job, _Cancelled(connection, job.number))
    return judge.look(job.job) if isinstance(judge, Looks) else None


def _jobs(connection: Connection[Any, Any]) -> Iterator[_Job | _Look]:
    """Answer knocks and yield jobs until the parent is gone; a cancellation that came after the answer means nothing any more."""
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            return
        if isinstance(message, _Job | _Look):
            yield message
        elif isinstance(message, _Knock):
            connection.send(_Ready())


class _Cancelled:
    """Says whether the caller of one job went away."""

    def __init__(self, connection: Connection[Any, Any], number: int) -> None:
        self._connection = connection
        self._number = number
        self._said = False

    def __call__(self) -> bool:
        while not self._said and self._connection.poll():
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                self._said = True
            else:
                self._said = isinstance(message, _Cancel) and message.number == self._number
        return self._said


def _portable(error: Exception) -> CameoError:
    if isinstance(error, CameoError):
        return error
    return WorkerFaultError(outline(error))
