"""Live sessions in the store: claimed once, given back, ended by their attempts, and deleted with their person or their time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.cameo.model import EventKind
from cameo_verifier.cameo.verification_options import NOTHING
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.servers import KnownServer, ServerStore
from cameo_verifier.store.attempts.sessions import NotWaitingError, Session, SessionState, SessionStore
from cameo_verifier.store.cameos import events
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


def _told(engine: Engine) -> list[tuple[EventKind, str, str]]:
    """Return what the event feed tells of sessions."""
    with engine.connect() as connection:
        found = events.after(connection, 0, subject=SUBJECT, limit=100)
    return [(event.kind, event.session_id, event.attempt_id) for event in found]


def test_an_unused_session_expires_and_is_swept(engine: Engine, stores: tuple[SessionStore, SessionStore]) -> None:
    """At its end it can be captured no more; its row goes once that was told and it is older than what is kept."""
    one, two = stores
    assert not one.expire(now=END - timedelta(seconds=1))
    assert one.get("s1", now=END).state is SessionState.EXPIRED
    with pytest.raises(NotWaitingError) as refused:
        one.claim("s1", hello={}, now=END)
    assert refused.value.state is SessionState.EXPIRED
    assert one.drop_unused(expired_before=END + timedelta(seconds=1)) == 0
    one.expire(now=END)
    two.expire(now=END)
    assert _told(engine) == [(EventKind.SESSION_HAS_EXPIRED, "s1", "")]
    with pytest.raises(NotWaitingError):
        one.claim("s1", hello={}, now=NOW)
    assert one.drop_unused(expired_before=END) == 0
    assert one.drop_unused(expired_before=END + timedelta(seconds=1)) == 1


def test_a_session_that_is_prepared_at_its_end_expires_once_it_is_given_back(
    engine: Engine, stores: tuple[SessionStore, SessionStore]
) -> None:
    """Its server alone knows whether a prompt follows; a server that is gone holds nothing."""
    one, two = stores
    one.claim("s1", hello={}, now=NOW)
    two.expire(now=END)
    assert not _told(engine)
    ServerStore(engine).forget(["one"])
    two.expire(now=END)
    assert _told(engine) == [(EventKind.SESSION_HAS_EXPIRED, "s1", "")]


def test_a_session_whose_server_is_gone_is_told_as_ended_once(
    engine: Engine, stores: tuple[SessionStore, SessionStore], issued: Callable[[str], Challenge]
) -> None:
    """By the server that ends its attempt."""
    stores[0].claim("s1", hello={}, now=NOW)
    _prompted(engine, issued)
    for _ in range(2):
        AttemptStore(engine, server_id="two").take_over(dead={"one"}, now=NOW)
    assert _told(engine) == [(EventKind.SESSION_HAS_ENDED, "s1", "a1")]


def test_a_persons_sessions_go_with_them(
    engine: Engine, stores: tuple[SessionStore, SessionStore], issued: Callable[[str], Challenge]
) -> None:
    """Those with an attempt and those without."""
    one, _ = stores
    one.add(session("s2", "r2"))
    one.claim("s1", hello={}, now=NOW)
    one.expire(now=END)
    _prompted(engine, issued).fail("a1", now=NOW)
    with engine.begin() as connection:
        unlinking.unlink(connection, SUBJECT)
    for identifier in ("s1", "s2"):
        with pytest.raises(NotFoundError):
            one.get(identifier, now=NOW)
    assert not _told(engine)
    with engine.connect() as connection:
        left = events.after(connection, 0, subject=None, limit=100)
    assert [(event.session_id, event.attempt_id) for event in left] == [("", "")] * 2
