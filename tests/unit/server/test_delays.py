"""Retry delays, as far as they are known."""

from __future__ import annotations

import pytest

from cameo.v1 import error_reason_pb2 as reasons
from cameo_verifier.errors import StoreError
from cameo_verifier.server.delays import AWAY, LEAST_S, MOST_S, Delays, rest_s
from cameo_verifier.server.wire.errors import RequestError, status_of
from cameo_verifier.workers.pool import StoppingError


class Clock:
    """A clock that stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def delays(clock: Clock) -> Delays:
    return Delays(drain_s=20.0, start_s=lambda: 7.0, clock=clock)


@pytest.mark.parametrize("reason", sorted(AWAY))
def test_what_is_away_is_given_as_long_again_as_it_has_been(reason: int) -> None:
    """From a second to a minute; each thing by itself, and from the beginning once nobody meets the outage any more."""
    clock = Clock()
    counted = delays(clock)
    assert counted.of(reason) == LEAST_S
    told = []
    for _ in range(9):
        clock.now += counted.of(reason) or 0.0
        told.append(counted.of(reason))
    assert told == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, MOST_S, MOST_S, MOST_S]
    assert all(counted.of(other) == LEAST_S for other in AWAY - {reason})
    clock.now += 2 * MOST_S + 6
    assert counted.of(reason) == LEAST_S


def test_a_server_that_stops_says_when_it_could_be_back_at_the_earliest() -> None:
    """What is left of the time to finish in, and as long as its workers took to start."""
    clock = Clock()
    counted = delays(clock)
    counted.stop()
    assert counted.of(reasons.ERROR_REASON_SERVER_STOPPING) == 27.0
    clock.now += 15
    assert counted.of(reasons.ERROR_REASON_SERVER_STOPPING) == 12.0
    clock.now += 15
    assert counted.of(reasons.ERROR_REASON_SERVER_STOPPING) == 7.0


@pytest.mark.parametrize(("age_s", "rest"), [(0.0, 8.0), (3.0, 5.0), (7.9, 1.0), (8.0, 1.0), (20.0, 6.0)])
def test_a_judging_still_takes_what_is_usual_or_half_as_long_again(age_s: float, rest: float) -> None:
    """Never less than a second."""
    assert rest_s(age_s, 8.0) == rest


def test_every_error_that_waits_for_something_says_how_long() -> None:
    """Those of the store, of the stopping server and of what else is away; no other has a delay it does not bring along."""
    counted = delays(Clock())
    errors = [StoreError("x"), StoppingError("x"), *(RequestError(reason, "x") for reason in AWAY)]  # type: ignore[arg-type]
    assert [len(status_of(error, counted.of).details) for error in errors] == [2] * 5
    assert len(status_of(RequestError(reasons.ERROR_REASON_REQUEST_INVALID, "x"), counted.of).details) == 1
