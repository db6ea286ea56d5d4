"""A session gets one attempt, from the server that captures it, and none once it was deleted with its person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from cameo_verifier.cameo.verification_options import NOTHING
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.servers import KnownServer, ServerStore
from cameo_verifier.store.attempts.sessions import Session, SessionStore
from cameo_verifier.store.db import tables
from cameo_verifier.store.evidence import unlinking

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
END = NOW + timedelta(minutes=10)


@pytest.fixture
def claimed(engine: Engine) -> SessionStore:
    """The sessions of a server `one`, which captures `s1`, beside another."""
    for name in ("one", "two"):
        ServerStore(engine).renew(KnownServer(name, "boot", END))
    sessions = SessionStore(engine, server_id="one")
    sessions.add(Session("s1", "account-7", "https://generator.example", "r1", "en", (), NOTHING, NOW, END))
    sessions.claim("s1", hello={}, now=NOW)
    return sessions


def begin(engine: Engine, challenge: Challenge, *, server: str) -> None:
    """Begin the attempt of the session."""
    ChallengeStore(engine).add(challenge, subject="account-7")
    AttemptStore(engine, server_id=server).begin(
        f"of {challenge.id}",
        challenge_id=challenge.id,
        audience="https://generator.example",
        request_id="r1",
        now=NOW,
        session_id="s1",
    )


def unspent(engine: Engine, challenge_id: str) -> bool:
    """Return whether a challenge is unspent, and no attempt answers it."""
    with engine.connect() as connection:
        answers = connection.execute(select(tables.attempts.c.id).where(tables.attempts.c.challenge_id == challenge_id)).all()
    return not answers and ChallengeStore(engine).get(challenge_id).spent_at is None


@pytest.mark.usefixtures("claimed")
def test_a_deleted_person_gets_no_attempt(engine: Engine, issued: Callable[[str], Challenge]) -> None:
    """Deleted while the session prepares: nothing of them comes back."""
    with engine.begin() as connection:
        unlinking.unlink(connection, "account-7")
    with pytest.raises(NotFoundError):
        begin(engine, issued("c1"), server="one")
    assert unspent(engine, "c1")


def test_a_server_that_lost_its_session_to_another_begins_no_second_attempt(
    engine: Engine, claimed: SessionStore, issued: Callable[[str], Challenge]
) -> None:
    """A server that stood still longer than its lease goes on where it was."""
    ServerStore(engine).forget(["one"])
    SessionStore(engine, server_id="two").claim("s1", hello={}, now=NOW)
    with pytest.raises(NotFoundError):
        begin(engine, issued("c1"), server="one")
    begin(engine, issued("c2"), server="two")
    with pytest.raises(NotFoundError):
        begin(engine, issued("c3"), server="two")
    assert unspent(engine, "c1")
    assert unspent(engine, "c3")
    assert claimed.get("s1", now=NOW).attempt_id == "of c2"
