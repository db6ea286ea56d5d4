"""Worker entry point: `python -m cameo_verifier.workers.main`, started by `workers.process` at the other end of its pipe.

Before it receives any untrusted data the process drops what it does not need: privileges, core dumps, the network, and memory,
files and processor time beyond its limits. The parent has emptied its environment.
"""

from __future__ import annotations

import math
import resource
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Self

from cameo_credential.errors import CameoError
from cameo_verifier import offline
from cameo_verifier.errors import AbandonedError
from cameo_verifier.redaction import redacted
from cameo_verifier.workers import wire as worker_wire
from cameo_verifier.workers.messages import Cancel, Chunk, Job, Live, Look, Looks, Ping, Record, Watches
from cameo_verifier.workers.wire import WorkerFaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cameo_verifier.live.observation import Observation
    from cameo_verifier.workers.messages import Watching
    from cameo_verifier.workers.process import Opening, ResourceLimits


def _serve(connection: Connection[Any, Any]) -> None:
    """Run a worker process from start to end."""
    # A terminal or a service manager signals the whole process group; the parent decides when the workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    offline.forgo_privileges()
    try:
        # Messages from the parent are trusted, and may be pickled; those to it are not trusted, and are data only.
        opening: Opening = connection.recv()
    except (EOFError, OSError):
        return
    _confine(opening.limits)
    offline.go_offline()
    try:
        judge = opening.factory()
    except Exception as error:  # noqa: BLE001 - reported to the parent, which decides
        connection.send_bytes(worker_wire.refusal(_as_cameo_error(error)))
        return
    connection.send_bytes(worker_wire.ready())
    for job in _jobs(connection):
        _allow_processor_s(opening.limits.job_cpu_s)
        try:
            done = _live(judge, job, connection, opening.limits) if isinstance(job, Live) else _done(judge, job, connection)
            answer = worker_wire.answer(job.number, done, opening.records)
        except Exception as error:  # noqa: BLE001 - reported to the parent; the process goes on
            answer = worker_wire.refusal(_as_cameo_error(error))
        try:
            connection.send_bytes(answer)
        except OSError:
            return


def _confine(limits: ResourceLimits) -> None:
    """Apply the limits to this process. RLIMIT_DATA counts memory that is written to, not models that are mapped from files."""
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_DATA, limits.memory_bytes),
    ):
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))


def _allow_processor_s(seconds: float) -> None:
    """Have the kernel end this process once it has used that much more processor time, whatever it is doing then."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    until = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))


def _done(judge: Callable[..., Any], job: Job | Look, connection: Connection[Any, Any]) -> Any:  # noqa: ANN401 - any result
    if isinstance(job, Job):
        return judge(job.job, _Cancelled(connection, job.number))
    return judge.look(job.job) if isinstance(judge, Looks) else None


def _live(judge: Callable[..., Any], live: Live, connection: Connection[Any, Any], limits: ResourceLimits) -> Any:  # noqa: ANN401 - any result
    """Have every recording of a live session observed, until one is to be judged; return its judgement.

    Each recording has the processor time of a job, and so has its judgement.

    Raises:
        AbandonedError: the session was cancelled, or the parent has ended.
    """
    if not isinstance(judge, Watches):
        raise WorkerFaultError("this worker's judge observes no recordings")
    with _Session(judge, connection) as session:
        while True:
            try:
                message = connection.recv()
            except (EOFError, OSError):
                raise AbandonedError("the parent has ended") from None
            if isinstance(message, Record | Job):
                _allow_processor_s(limits.job_cpu_s)
            match message:
                case Record(number, answer):
                    session.record(number, answer=answer)
                case Chunk(data):
                    session.feed(data)
                case Job(number, job) if number == live.number:
                    return judge(session.completed(job), _Cancelled(connection, number))
                case Cancel(number) if number == live.number:
                    raise AbandonedError("the live session was abandoned")


class _Session:
    """The recording of a live session that is being observed; a context manager, at whose end nothing more is reported."""

    def __init__(self, judge: Watches, connection: Connection[Any, Any]) -> None:
        self._judge, self._connection = judge, connection
        self._watching: Watching | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._watching is not None:
            self._watching.stop()

    def record(self, number: int, *, answer: bool) -> None:
        """Begin another recording."""
        if self._watching is not None:
            self._watching.stop()
        self._watching = self._judge.watch(partial(self._tell, number), answer=answer)

    def feed(self, chunk: bytes) -> None:
        if self._watching is not None:
            self._watching.feed(chunk)

    def completed(self, job: Any) -> Any:  # noqa: ANN401 - whatever it judges
        """Return the job with what is known of the recording."""
        return job if self._watching is None else self._watching.completed(job)

    def _tell(self, number: int, what: Observation | Exception) -> None:
        # Nothing else is sent before the recording's thread has ended. That the parent has ended is noticed in the other one.
        with suppress(OSError):
            said = _as_cameo_error(what) if isinstance(what, Exception) else what
            self._connection.send_bytes(worker_wire.observed(number, said))


def _jobs(connection: Connection[Any, Any]) -> Iterator[Job | Look | Live]:
    """Answer pings and yield jobs until the parent has ended; a cancellation after the answer is ignored."""
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            return
        if isinstance(message, Job | Look | Live):
            yield message
        elif isinstance(message, Ping):
            connection.send_bytes(worker_wire.ready())


class _Cancelled:
    """A callback that tells whether the caller of one job disconnected."""

    def __init__(self, connection: Connection[Any, Any], number: int) -> None:
        self._connection = connection
        self._number = number
        self._cancelled = False

    def __call__(self) -> bool:
        while not self._cancelled and self._connection.poll():
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                self._cancelled = True
            else:
                self._cancelled = isinstance(message, Cancel) and message.number == self._number
        return self._cancelled


def _as_cameo_error(error: Exception) -> CameoError:
    return error if isinstance(error, CameoError) else WorkerFaultError(redacted(error))


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
