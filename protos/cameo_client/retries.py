"""Retries of calls: wait as long as the server asks, bounded in number and in time."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import grpc

from cameo_client.errors import CallError, decode

if TYPE_CHECKING:
    from collections.abc import Callable

ReplyT = TypeVar("ReplyT")


@dataclass(frozen=True)
class RetryPolicy:
    """A retry policy: which calls are retried, and when.

    A call is retried where the server names a delay (`RetryInfo`), and where no server answered (`UNAVAILABLE` without a
    reason). That is safe for reads and for every call with a `request_id`: send the same message, and it takes effect once.

    Attributes:
        attempts: maximum number of attempts.
        total_s: seconds within which the last attempt begins; a server that asks for a longer wait is not waited for.
        first_s: wait after the first failure where the server names none, in seconds; it doubles each time.
        jitter: each wait is longer by a random part of up to this, so that clients that failed together do not return together.
    """

    attempts: int = 5
    total_s: float = 60.0
    first_s: float = 0.2
    jitter: float = 0.25


def call(
    attempt: Callable[[], ReplyT],
    *,
    policy: RetryPolicy = RetryPolicy(),
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    uniform: Callable[[], float] = random.random,
) -> ReplyT:
    """Make a call, retry it by the policy, and return its reply.

    Args:
        attempt: sends the call once, the same message each time.
        policy: how often and how long.
        sleep: waits seconds.
        clock: returns seconds.
        uniform: draws from [0, 1).

    Raises:
        CallError: the last attempt's.
    """
    begun = clock()
    for number in range(1, policy.attempts + 1):
        try:
            return attempt()
        except grpc.RpcError as error:
            failed = decode(error)
            wait = _wait_s(failed, number, policy)
            if wait is None or number == policy.attempts:
                raise failed from error
            wait *= 1 + policy.jitter * uniform()
            if clock() - begun + wait > policy.total_s:
                raise failed from error
        sleep(wait)
    raise ValueError("a policy allows one attempt at least")


def _wait_s(failed: CallError, number: int, policy: RetryPolicy) -> float | None:
    if failed.retry_after_s is not None:
        return failed.retry_after_s
    if failed.code is grpc.StatusCode.UNAVAILABLE and not failed.reason:
        return float(policy.first_s * 2 ** (number - 1))
    return None
