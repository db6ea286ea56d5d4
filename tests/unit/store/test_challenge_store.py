from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from cameo_challenges.model import Challenge, Say
from cameo_verifier.errors import ChallengeError, StoreError
from cameo_verifier.reasons import Reason
from cameo_verifier.store.attempts import challenges
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.db.engine import open_database
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier

    from sqlalchemy import Engine

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
EXPIRY = NOW + timedelta(seconds=180)

Make = "Callable[[str], Challenge]"


def _reason(call: Callable[[], object]) -> Reason:
    with pytest.raises(ChallengeError) as refused:
        call()
    return refused.value.reason


def test_a_challenge_comes_back_as_it_was_issued(engine: Engine, issued: Make) -> None:
    """Steps, id and times survive the database to the microsecond, in another process's eyes too."""
    challenge = issued("c1")
    assert ChallengeStore(engine).add(challenge, subject="account-7") == challenge

    reopened = open_database(engine.url.render_as_string(hide_password=False))
    stored = ChallengeStore(reopened).get("c1")
    reopened.dispose()

    assert (stored.challenge, stored.subject, stored.spent_at) == (challenge, "account-7", None)


def test_a_challenge_is_spent_once(engine: Engine, issued: Make) -> None:
    """The first spends it, the second is told so, and the moment is kept whatever the zone it was given in."""
    store = ChallengeStore(engine)
    store.add(issued("c1"), subject="account-7")
    moment = (NOW + timedelta(seconds=5)).astimezone(timezone(timedelta(hours=2)))

    spent = store.spend("c1", now=moment)

    assert spent.spent_at == moment
    assert spent.spent_at is not None
    assert spent.spent_at.tzinfo is UTC
    assert _reason(lambda: store.spend("c1", now=moment)) is Reason.CHALLENGE_SPENT
    assert store.get("c1").spent_at == moment


def test_the_moment_of_expiry_is_too_late(engine: Engine, issued: Make) -> None:
    """A microsecond before its expiry a challenge can be spent, at its expiry it cannot; spent stays spent after it."""
    store = ChallengeStore(engine)
    for identifier in ("c1", "c2"):
        store.add(issued(identifier), subject="account-7")

    assert _reason(lambda: store.spend("c1", now=EXPIRY)) is Reason.CHALLENGE_EXPIRED
    assert store.get("c1").spent_at is None
    store.spend("c2", now=EXPIRY - timedelta(microseconds=1))
    assert _reason(lambda: store.spend("c2", now=EXPIRY + timedelta(days=1))) is Reason.CHALLENGE_SPENT


def test_an_unknown_challenge_is_unknown(engine: Engine) -> None:
    """No id, a made-up one and one that looks like SQL are `CHALLENGE_UNKNOWN`."""
    store = ChallengeStore(engine)
    for identifier in ("", "nobody", "' OR 1=1 --"):
        assert _reason(lambda identifier=identifier: store.spend(identifier, now=NOW)) is Reason.CHALLENGE_UNKNOWN
        assert _reason(lambda identifier=identifier: store.get(identifier)) is Reason.CHALLENGE_UNKNOWN


def test_a_repeated_request_gets_the_first_challenge(engine: Engine, issued: Make) -> None:
    """Same subject and request id: the first challenge again; another subject or no request id: a challenge of its own."""
    store = ChallengeStore(engine)
    first = store.add(issued("c1"), subject="account-7", request_id="r1")

    assert store.add(issued("c2"), subject="account-7", request_id="r1") == first
    assert store.add(issued("c3"), subject="account-8", request_id="r1").id == "c3"
    assert store.add(issued("c4"), subject="account-7").id == "c4"
    assert store.add(issued("c5"), subject="account-7").id == "c5"
    assert _reason(lambda: store.get("c2")) is Reason.CHALLENGE_UNKNOWN
    with pytest.raises(StoreError, match="already kept"):
        store.add(issued("c1"), subject="account-9")


def test_only_issued_challenges_are_kept(engine: Engine) -> None:
    """A challenge without an id or times, and a time without a zone, are bugs of ours and reach no table."""
    store = ChallengeStore(engine)
    with pytest.raises(RuntimeError, match="only an issued challenge"):
        store.add(Challenge((Say("one"),)), subject="account-7")
    with pytest.raises(RuntimeError, match="without a zone"):
        store.spend("c1", now=datetime(2026, 3, 1))  # noqa: DTZ001 - the defect under test


def _race(url: str, identifiers: list[str], start: Barrier) -> Counter[str]:
    """Let 16 threads of this process try to spend each challenge; return how each try ended."""
    engine = open_database(url, busy_timeout_s=PATIENCE_S)
    store = ChallengeStore(engine)

    def attempt(_: int) -> list[str]:
        ends = []
        for identifier in identifiers:
            try:
                store.spend(identifier, now=NOW)
                ends.append(f"won {identifier}")
            except ChallengeError as refused:
                ends.append(refused.reason.value)
        return ends

    with ThreadPoolExecutor(16) as threads:
        start.wait()
        ends = Counter(end for ends in threads.map(attempt, range(16)) for end in ends)
    engine.dispose()
    return ends


def test_of_racing_processes_and_threads_exactly_one_wins(url: str, issued: Make) -> None:
    """Four processes with 16 threads each go for one challenge: one of the 64 gets it, 63 are told it is spent."""
    engine = open_database(url)
    ChallengeStore(engine).add(issued("c1"), subject="account-7")
    engine.dispose()
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(4) as pool:
        start = manager.Barrier(4)
        total = sum(pool.starmap(_race, [(url, ["c1"], start)] * 4, chunksize=1), Counter[str]())

    assert total == {"won c1": 1, "CHALLENGE_SPENT": 63}


def test_two_hundred_challenges_are_each_spent_once(url: str, issued: Make) -> None:
    """16 threads race through 200 challenges: each is won exactly once, and every other try is refused for it."""
    engine = open_database(url)
    identifiers = [f"c{number}" for number in range(200)]
    for identifier in identifiers:
        ChallengeStore(engine).add(issued(identifier), subject="account-7")
    engine.dispose()

    total = _race(url, identifiers, threading.Barrier(1))

    assert total.pop("CHALLENGE_SPENT") == 200 * 15
    assert total == {f"won {identifier}": 1 for identifier in identifiers}


def test_what_nobody_answered_goes_and_what_was_answered_stays(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than fit into one transaction; those that are open, that expired a moment ago and that were spent are there after."""
    monkeypatch.setattr(challenges, "_AT_ONCE", 2)
    store = ChallengeStore(engine)
    for number in range(9):
        later = timedelta(seconds=number // 7)
        store.add(Challenge((Say("one"),), id=f"c{number}", issued_at=NOW, expires_at=EXPIRY + later), subject="account-7")
    store.spend("c5", now=NOW)
    assert store.drop_unanswered(expired_before=EXPIRY) == 0
    assert store.drop_unanswered(expired_before=EXPIRY + timedelta(microseconds=1)) == 6
    assert {number for number in range(9) if _kept(store, f"c{number}")} == {5, 7, 8}


def _kept(store: ChallengeStore, identifier: str) -> bool:
    try:
        return store.get(identifier).challenge.id == identifier
    except ChallengeError:
        return False
