"""Attacks on live sessions, with scripted judges: what a client, a stop or a deletion in the middle must not bring about."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from cameo.v1 import session_service_pb2
from cameo_verifier.server.app import utc_now
from cameo_verifier.server.capturing import Capturing
from cameo_verifier.store.attempts.sessions import SessionState, SessionStore
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence import unlinking
from tests.grpc.client import refused
from tests.live.test_sessions import opened
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


async def test_an_answer_that_is_being_judged_is_judged_though_the_server_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the time that it drains, as an upload is; its client is gone."""
    close = Capturing.close

    async def closing(*args: Any) -> None:
        ending = asyncio.create_task(close(*args))
        await asyncio.sleep(0)
        (tmp_path / "go").touch()
        await ending

    monkeypatch.setattr(Capturing, "close", closing)
    async with opened(tmp_path, drain_s=20.0) as site:
        created = await site.create()
        player = await site.prompted(created)
        player.person.answer(player.steps[0])
        player.person.script = "held:accept"
        await player.play(lambda: bool(player.told("stop")), lambda person, _, step: person.answer(step))
        await player.send(media=player.person.end())
        await player.send(bye=session_service_pb2.Bye())
        await site.becomes(created, "JUDGING")
        await until((tmp_path / "journal").exists)
        await player.leave()
    engine = open_database(f"sqlite:///{tmp_path / 'data' / 'cameo.sqlite3'}")
    found = SessionStore(engine, server_id="another").get(created.session.id, now=utc_now())
    engine.dispose()
    assert (found.state, found.ended_by) == (SessionState.JUDGED, "")


async def test_a_person_who_is_deleted_while_they_prepare_does_not_come_back(tmp_path: Path) -> None:
    """The session is gone with them: no attempt is begun."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = site.player(created)
        await player.greet()
        await player.prepare()
        engine = open_database(f"sqlite:///{tmp_path / 'data' / 'cameo.sqlite3'}")
        with engine.begin() as connection:
            unlinking.unlink(connection, "account-1")
        await player.begin()
        await player.play(lambda: bool(player.steps))
        assert (await player.refusal()).reason == "SESSION_UNKNOWN"
        with engine.connect() as connection:
            assert not connection.execute(select(tables.attempts.c.id)).all()
        engine.dispose()


async def test_a_person_holds_as_many_unused_sessions_as_open_challenges(tmp_path: Path) -> None:
    """A repeated request is none, a session that expired neither, and others are not held up."""
    async with opened(tmp_path, open_challenges=2) as site:
        again = str(uuid4())
        first = await site.create(request_id=again)
        site.time.advance(100)
        await site.create()
        told = await refused(site.create())
        assert told.reason == "TOO_MANY_ATTEMPTS"
        assert told.retry_s == pytest.approx(500, abs=1)
        assert (await site.create(request_id=again)).session == first.session
        await site.create(subject="account-2")
        site.time.advance(501)
        await site.create()
