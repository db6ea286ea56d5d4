"""How often a caller may ask, in a time of the test's own."""

from __future__ import annotations

import pytest

from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.server.auth.caller import Caller
from cameo_verifier.server.rate import AT_ONCE_S, Rate
from cameo_verifier.server.wire.errors import RequestError

ANN, BOB = Caller(CallerRole.GENERATOR, "ann"), Caller(CallerRole.GENERATOR, "bob")


class Time:
    """A monotonic clock."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def _ask(rate: Rate, caller: Caller = ANN) -> float | None:
    """Ask once; return how long to wait, None if there was room."""
    try:
        rate.require(caller)
    except RequestError as error:
        return error.retry_after_s
    rate.count(caller)
    return None


@pytest.mark.parametrize("a_second", [100.0, 2.0, 0.3])
def test_what_comes_at_once_and_what_comes_over_time(a_second: float) -> None:
    """Ten seconds' worth at once, then as many as the rate says, however long; the wait that is told is the least that helps."""
    time = Time()
    rate = Rate(a_second, limit="L", clock=time)
    assert [_ask(rate) for _ in range(int(a_second * AT_ONCE_S))] == [None] * int(a_second * AT_ONCE_S)
    for _ in range(50):
        wait = _ask(rate)
        assert wait == pytest.approx(1 / a_second)
        time.now += wait * 0.99
        assert _ask(rate)
        time.now += wait * 0.01
        assert _ask(rate) is None


def test_one_that_is_slower_than_ten_seconds_allows_one() -> None:
    """A rate of one in a thousand seconds, one at once."""
    rate = Rate(0.001, limit="L", clock=Time())
    assert (_ask(rate), _ask(rate)) == (None, pytest.approx(1000.0))


def test_callers_are_counted_apart() -> None:
    """Nobody waits for another; nor do two roles of one name."""
    rate = Rate(0.001, limit="L", clock=Time())
    platform = Caller(CallerRole.PLATFORM, "ann")
    assert [_ask(rate, caller) for caller in (ANN, BOB, platform)] == [None] * 3
    assert all(_ask(rate, caller) for caller in (ANN, BOB, platform))


def test_who_was_not_heard_of_for_long_takes_no_memory() -> None:
    """Of very many callers only those are remembered who would have to wait."""
    time = Time()
    rate = Rate(1.0, limit="L", clock=time)
    for number in range(5000):
        _ask(rate, Caller(CallerRole.GENERATOR, str(number)))
        time.now += 1
    assert len(rate._full_until) < 4096
