"""Live sessions in the store: claimed once, given back, ended by their attempts, and deleted with their person or their time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.cameo.asked import NOTHING
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.servers import KnownServer, ServerStore
from cameo_verifier.store.attempts.sessions import NotWaitingError, Session, SessionState, SessionStore
from cameo_verifier.store.evidence import unlinking

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
END = NOW + timedelta(minutes=10)
SUBJECT = "account-7"


def session(identifier: str = "s1", request_id: str = "r1") -> Session:
    """Return a new session."""
    return Session(identifier, SUBJECT, "https://generator.example", request_id, "en", (), NOTHING, NOW, END)


@pytest.fixture
def stores(engine: Engine) -> tuple[SessionStore, SessionStore]:
    """The sessions as two living servers see them, one session among them."""
    for name in ("one", "two"):
        ServerStore(engine).renew(KnownServer(name, "boot", END))
    both = SessionStore(engine, server_id="one"), SessionStore(engine, server_id="two")
    both[0].add(session())
    return both


def _prompted(engine: Engine, issued: Callable[[str], Challenge]) -> AttemptStore:
    ChallengeStore(engine).add(issued("c1"), subject=SUBJECT)
    attempts = AttemptStore(engine, server_id="one")
    attempts.begin("a1", challenge_id="c1", audience="https://generator.example", request_id="r1", now=NOW, session_id="s1")
    return attempts


def test_one_server_at_a_time_captures_a_session(engine: Engine, stores: tuple[SessionStore, SessionStore]) -> None:
    """Another one gets it when the first gives it back, or is gone."""
    one, two = stores
    assert one.claim("s1", hello={"user_agent": "x"}, now=NOW).state is SessionState.PREPARING
    with pytest.raises(NotWaitingError) as refused:
        two.claim("s1", hello={}, now=NOW)
    assert refused.value.state is SessionState.PREPARING
    two.release("s1")
    assert two.get("s1", now=NOW).state is SessionState.PREPARING
    one.release("s1")
    assert two.claim("s1", hello={}, now=NOW).state is SessionState.PREPARING
    ServerStore(engine).forget(["two"])
    assert one.get("s1", now=NOW).state is SessionState.WAITING
    assert one.claim("s1", hello={"user_agent": "y"}, now=NOW).hello == {"user_agent": "y"}


def test_a_repeated_request_finds_the_first_session(stores: tuple[SessionStore, SessionStore]) -> None:
    """By subject and request id."""
    assert stores[1].add(session("s2")).id == "s1"
    assert stores[1].add(session("s3", "r3")).id == "s3"
    with pytest.raises(NotFoundError):
        stores[0].get("s2", now=NOW)


def test_a_session_with_an_attempt_says_what_that_says(
    engine: Engine, stores: tuple[SessionStore, SessionStore], issued: Callable[[str], Challenge]
) -> None:
    """It is prompting, then judging, and ends as its attempt does; it can be captured no more, nor given back."""
    one, _ = stores
    one.claim("s1", hello={}, now=NOW)
    attempts = _prompted(engine, issued)
    one.release("s1")
    found = one.get("s1", now=END + timedelta(days=1))
    assert (found.state, found.attempt_id, found.ended_by) == (SessionState.PROMPTING, "a1", "")
    one.judging("s1")
    assert one.get("s1", now=NOW).state is SessionState.JUDGING
    with pytest.raises(NotWaitingError):
        one.claim("s1", hello={}, now=NOW)
    attempts.fail("a1", now=NOW)
    assert (one.get("s1", now=NOW).state, one.get("s1", now=NOW).ended_by) == (SessionState.ENDED, "JUDGING_INTERRUPTED")
    one.end("s1", "CALLER_GONE")
    assert one.get("s1", now=NOW).ended_by == "CALLER_GONE"


def test_an_unused_session_expires_and_is_swept(stores: tuple[SessionStore, SessionStore]) -> None:
    """At its end it can be captured no more; its row goes when it is older than what is kept."""
    one, _ = stores
    assert one.get("s1", now=END).state is SessionState.EXPIRED
    with pytest.raises(NotWaitingError) as refused:
        one.claim("s1", hello={}, now=END)
    assert refused.value.state is SessionState.EXPIRED
    assert one.drop_unused(expired_before=END) == 0
    assert one.drop_unused(expired_before=END + timedelta(seconds=1)) == 1


def test_a_persons_sessions_go_with_them(
    engine: Engine, stores: tuple[SessionStore, SessionStore], issued: Callable[[str], Challenge]
) -> None:
    """Those with an attempt and those without."""
    one, _ = stores
    one.add(session("s2", "r2"))
    one.claim("s1", hello={}, now=NOW)
    _prompted(engine, issued).fail("a1", now=NOW)
    with engine.begin() as connection:
        unlinking.unlink(connection, SUBJECT)
    for identifier in ("s1", "s2"):
        with pytest.raises(NotFoundError):
            one.get(identifier, now=NOW)
