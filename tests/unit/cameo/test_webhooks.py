"""Webhook rules: retries, the end of deliveries, and the body."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cameo_credential.pairwise import PairwiseKey
from cameo_verifier.cameo.model import Event, EventKind
from cameo_verifier.cameo.removals import Holder, HolderKind, Removal, RemovalState
from cameo_verifier.cameo.webhooks import LONGEST_WAIT, DeliveryState, Endpoint, Schedule, identifier, message

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEDULE = Schedule(timedelta(seconds=5), timedelta(hours=72))
EVENT = Event(12, "c1", EventKind.REMOVAL_WAS_REQUESTED, NOW, "g1", "o1", "r1")
HOLDER = Holder(HolderKind.HELD_BY_PLATFORM, "shorts.example")


@given(attempts=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_waits_double_up_to_an_hour(attempts: int, jitter: float) -> None:
    """After n failures the wait is between half and all of 5 s times 2 to the n-1, and never more than an hour."""
    longest = min(5 * 2 ** (attempts - 1), LONGEST_WAIT.total_seconds())
    assert longest / 2 - 1e-6 <= SCHEDULE.wait(attempts, jitter=jitter).total_seconds() <= longest + 1e-6


@given(jitter=st.floats(0, 1))
def test_failures_end_after_the_stated_time(jitter: float) -> None:
    """An endpoint that only fails is tried for the last hour of its time, stops within it, and never later."""
    delivery, now = DeliveryState("a", 3), NOW
    while delivery.stopped_at is None:
        wait = SCHEDULE.wait(delivery.attempts + 1, jitter=jitter)
        delivery = delivery.after_failure("status 500", wait=wait, give_up=SCHEDULE.give_up, gone=False, now=now)
        assert delivery.next_at is not None
        assert not delivery.due(now)
        now = delivery.next_at
    assert timedelta(hours=71) <= delivery.stopped_at - NOW <= timedelta(hours=72)
    assert not delivery.due(now + timedelta(days=1))
    assert delivery.revived().due(now)
    assert (delivery.cursor, delivery.revived().cursor, delivery.last_error) == (3, 3, "status 500")


def test_a_receiver_that_is_gone_is_left_alone_and_one_that_asks_to_wait_is_heard() -> None:
    """410 stops at once; a wait that was asked for counts up to an hour; a success forgets all failures."""
    first = DeliveryState("a", 3, delivered=4)
    gone = first.after_failure("status 410", wait=timedelta(0), give_up=SCHEDULE.give_up, gone=True, now=NOW)
    assert gone.stopped_at == NOW
    asked = first.after_failure("status 429", wait=timedelta(days=9), give_up=SCHEDULE.give_up, gone=False, now=NOW)
    assert (asked.next_at, asked.stopped_at) == (NOW + LONGEST_WAIT, None)
    assert asked.after_success(EVENT, now=NOW) == DeliveryState("a", 12, delivered=5, delivered_at=NOW)


def test_a_message_says_ids_and_times_only() -> None:
    """The body of a removal is this one, without the owner's words, and its id has no full stop."""
    times = {"requested_at": NOW, "due_at": NOW + timedelta(hours=48)}
    state = RemovalState.REMOVAL_REQUESTED
    removal = Removal("r1", 12, "c1", "o1", "g1", "ab" * 32, "urn:c2pa:1", HOLDER, state, "my words", "", **times)
    endpoint = Endpoint("shorts", "https://shorts.example/", "shorts.example", HOLDER, frozenset())
    pairwise = PairwiseKey(bytes(32))
    assert message(EVENT, removal, endpoint, issuer="https://cameo.example", cursor="MTI", pairwise=pairwise) == {
        "type": "cameo.removal_requested",
        "timestamp": "2026-03-01T12:00:00+00:00",
        "issuer": "https://cameo.example",
        "audience": "shorts.example",
        "data": {
            "cursor": "MTI",
            "cameo": pairwise.alias("c1", "shorts.example"),
            "grant": "g1",
            "output": "o1",
            "removal": {
                "id": "r1",
                "sha256": "ab" * 32,
                "c2pa_manifest": "urn:c2pa:1",
                "holder": "shorts.example",
                "due": "2026-03-03T12:00:00+00:00",
            },
        },
    }
    assert identifier(EVENT) == "evt_12"
