"""Replay of many attempts on an existing Ray cluster: the extra `ray`. Results are byte for byte those of one process.

Each attempt is one task. If a worker or node is lost, Ray runs its tasks again elsewhere, and of each task one result is taken.
Evidence travels to the workers decrypted, through Ray's object store: use a cluster that only you can access. Every node needs
this package, and for recordings the model kit.

Ray returns results as pickles. So none of its workers decodes a recording: each has a process of its own that does, whose answers
are data (`cameo_verifier.workers.crew`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.review.replay import NotReplayed
from cameo_verifier.review.replay_engine import replaying_crew
from cameo_verifier.workers.crew import TRIES
from cameo_verifier.workers.process import USUAL, ResourceLimits, WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cameo_verifier.review.replay import Material, OpenReplay, Replay, Replayed

_UNDER_WAY = 64
"""Maximum number of tasks at once: the evidence of all of them is in memory."""


def replay_on_ray(
    given: Iterable[Material], open_replay: OpenReplay, *, address: str, apart: bool = False, limits: ResourceLimits = USUAL
) -> Iterator[Replayed | NotReplayed]:
    """Yield the result of each attempt as it is done.

    Args:
        given: the attempts.
        open_replay: opens the replay, once in each worker.
        address: of the cluster, such as `10.0.0.5:6379` or `auto`.
        apart: True to replay in processes of their own, limited to `limits`; for replays that decode recordings.
        limits: resource limits of those processes.

    Raises:
        InvalidRequestError: the extra is not installed, or there is no cluster.
        ModelKitError: the models cannot be opened.
    """
    # Set before the library is loaded: no usage statistics are sent.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise InvalidRequestError(
            "Ray is not installed: in the clone, pip install ./packaging/client ./packaging/credential '.[ray]'"
        ) from None
    connected_here = not ray.is_initialized()
    if connected_here:
        try:
            ray.init(address=address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise InvalidRequestError(f"no Ray cluster at {address}: {str(error).partition(chr(10))[0]}") from None
    try:
        yield from _replayed(ray, given, open_replay, limits if apart else None)
    finally:
        if connected_here:
            ray.shutdown()


def _replayed(
    ray: Any,  # noqa: ANN401 - a module
    given: Iterable[Material],
    open_replay: OpenReplay,
    limits: ResourceLimits | None,
) -> Iterator[Replayed | NotReplayed]:
    task = ray.remote(max_retries=TRIES - 1)(_replay)
    opener = ray.put(open_replay)
    source = iter(given)
    under_way: dict[Any, str] = {}
    while True:
        while len(under_way) < _UNDER_WAY and (material := next(source, None)) is not None:
            under_way[task.remote(opener, limits, material)] = material.attempt_id
        if not under_way:
            return
        (done, *_), _ = ray.wait(list(under_way), num_returns=1)
        attempt_id = under_way.pop(done)
        try:
            yield ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError:
            yield NotReplayed(attempt_id, f"its worker died {TRIES} times")


class _Worker:
    """The state of a worker between two attempts of the same replay."""

    opened: tuple[str, Replay] | None = None


def _replay(open_replay: OpenReplay, limits: ResourceLimits | None, material: Material) -> Replayed | NotReplayed:
    key = repr((open_replay, limits))
    if _Worker.opened is None or _Worker.opened[0] != key:
        _Worker.opened = key, open_replay() if limits is None else _apart(open_replay, limits)
    return _Worker.opened[1](material)


def _apart(open_replay: OpenReplay, limits: ResourceLimits) -> Replay:
    # Its process ends with this one, because its pipe is then closed.
    crew = replaying_crew(open_replay, limits=limits)

    def run(material: Material) -> Replayed | NotReplayed:
        ((_, found),) = crew.each([material])
        return NotReplayed(material.attempt_id, str(found)) if isinstance(found, WorkerLostError) else found

    return run
