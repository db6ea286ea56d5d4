"""Worker crew: runs jobs in parallel worker processes, for a command that waits for them.

The processes are those of the server's pool (`workers.main`): offline, without the environment of this one, limited by
the kernel, and their answers are parsed as data. One that dies loses only its own job, which is then retried in a new one; a job
that kills its process repeatedly is abandoned.
"""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Generic, Self

from cameo_credential.errors import CameoError
from cameo_verifier.workers import wire as worker_wire
from cameo_verifier.workers.messages import Job
from cameo_verifier.workers.process import USUAL, JobT, Opening, ResourceLimits, ResultT, WorkerLostError, start_process
from cameo_verifier.workers.wire import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

TRIES = 3
"""Attempts at a job whose process dies; the first time something else may have killed it."""


class Crew(Generic[JobT, ResultT]):
    """A fixed number of worker processes; a context manager, at whose end they have ended."""

    def __init__(
        self,
        factory: Callable[[], Callable[[JobT, Callable[[], bool]], ResultT]],
        *,
        workers: int = 1,
        records: Sequence[type] = (),
        limits: ResourceLimits = USUAL,
    ) -> None:
        """Start the processes.

        Args:
            factory: picklable; called once in each process, returns the function that runs a job: `carry_out(job, cancelled)`.
            workers: number of processes.
            records: data classes in results, beside those of a judgement, tuples, maps and plain values.
            limits: limits of each process.
        """
        self._opening = Opening(factory, tuple(records), limits)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="crew")
        self._members: list[_Member] = [_Member(self._opening) for _ in range(workers)]
        self._idle = list(self._members)

    def __enter__(self) -> Self:
        """Return the crew itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        for member in self._members:
            member.end()
        self._threads.shutdown()

    def each(self, jobs: Iterable[JobT]) -> Iterator[tuple[JobT, ResultT | WorkerLostError]]:
        """Yield each job with its result on completion, or with the error for which it was abandoned; one worker preserves order.

        Raises:
            CameoError: raised by the factory, or by a job.
            WorkerFaultError: it raised something else.
        """
        source, again = iter(jobs), list[tuple[JobT, int]]()
        under_way: dict[Future[ResultT], tuple[JobT, int, _Member]] = {}
        while True:
            while self._idle and (next_one := again.pop(0) if again else _first(source)) is not None:
                member, (job, tries) = self._idle.pop(), next_one
                under_way[self._threads.submit(member.carry_out, job)] = job, tries + 1, member
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                job, tries, member = under_way.pop(future)
                try:
                    result = future.result()
                except WorkerLostError:
                    self._replace(member)
                    if tries < TRIES:
                        again.append((job, tries))
                    else:
                        yield job, WorkerLostError(f"its worker died {TRIES} times")
                except CameoError:
                    self._idle.append(member)
                    raise
                else:
                    self._idle.append(member)
                    yield job, result

    def _replace(self, member: _Member) -> None:
        member.end()
        self._members.remove(member)
        self._members.append(_Member(self._opening))
        self._idle.append(self._members[-1])


class _Member:
    """The parent's end of one process."""

    def __init__(self, opening: Opening) -> None:
        self._process, self._connection, sentinel = start_process({})
        os.close(sentinel)
        self._opening = opening
        self._open = False

    def carry_out(self, job: object) -> Any:  # noqa: ANN401 - whatever the crew makes
        """Return the result of a job, the first after the process has loaded what it needs."""
        if not self._open:
            self._ask(self._opening)
            self._open = True
        answer = self._ask(Job(1, job))
        if isinstance(answer, worker_wire.Result):
            return answer.result
        raise WorkerLostError("the worker answered out of turn")

    def end(self) -> None:
        """End the process, whatever its state, and wake up waiting readers."""
        self._process.kill()
        self._process.wait()

    def _ask(self, message: object) -> worker_wire.Ready | worker_wire.Result:
        try:
            self._connection.send(message)
            answer = worker_wire.heard(self._connection.recv_bytes(worker_wire.MAX_BYTES), self._opening.records)
        except (EOFError, OSError, MalformedError):
            raise WorkerLostError("the worker died") from None
        if isinstance(answer, worker_wire.Refusal):
            raise answer.error
        if isinstance(answer, worker_wire.Observed):
            raise WorkerLostError("the worker answered out of turn")
        return answer


def _first(source: Iterator[JobT]) -> tuple[JobT, int] | None:
    for job in source:
        return job, 0
    return None
