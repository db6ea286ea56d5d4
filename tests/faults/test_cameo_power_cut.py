"""Power cuts at every step of a cameo's life: afterwards the step is complete or did not happen.

The process that writes is killed, not the machine: what the disk does with a flush is SQLite's promise, and its own tests'.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import multiprocessing
import os
import random
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sqlalchemy import event, insert, select, update

from cameo_credential.claims import Embedding
from cameo_credential.item_kind import ItemKind
from cameo_credential.likeness import media_from_bytes, to_bytes
from cameo_credential.media_items import MediaItem
from cameo_credential.token_status import Status
from cameo_verifier.cameo.model import CameoState, OutputState, Terms, WhoMayUse
from cameo_verifier.cameo.permissions import Relationships
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.cameos import cameos, events, likenesses, uses
from cameo_verifier.store.cameos.vault import Vault
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.batches import Batches
from cameo_verifier.store.db.engine import open_database, scrub, writing
from tests import store_invariants
from tests.waiting import ended, heard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection as Pipe
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from sqlalchemy import Connection, Engine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUDIENCE = "https://generator.example"
POINTS = 50
SIDE_BY_SIDE = 4
"""Cameos whose lives run at once, so that they share transactions."""
LIVES = 8
"""Cameos for each point; no process gets through all of them before it is killed."""
STEPS = ("authorize", "authorize another", "spend", "record", "revoke", "delete")

VAULT = Vault(bytes(32))
_VECTOR = Embedding("m", "ab" * 32, np.eye(1, 512, dtype=np.float32)[0])
MEDIA = tuple(
    MediaItem(kind, "x/y", "", {}, np.random.default_rng(number).bytes(10_000))
    for number, kind in enumerate((ItemKind.FACE_CROP, ItemKind.FACE_CROP, ItemKind.VOICE_CLIP))
)
"""Pictures and sound, as many bytes as fill some pages of the database."""
LIKENESS = to_bytes(_VECTOR, _VECTOR, MEDIA)

Life = tuple[CameoState, int, int, int, int, bool, bool, Status, str, tuple[str, ...]]


def _enrol(connection: Connection, number: int) -> str:
    """Make a cameo that everyone may use, with its credential and a status; return its id."""
    subject, cameo_id = f"owner-{number}", f"cameo-{number}"
    challenge = {"id": f"c{number}", "subject": subject, "request_id": f"q{number}", "document": {}, "issued_at": NOW}
    attempt = {"id": f"a{number}", "challenge_id": f"c{number}", "subject": subject, "audience": AUDIENCE, "request_id": "r"}
    judged = {"state": "judged", "verdict": "ACCEPTED", "reasons": [], "checks": [], "profile": "default", "digests": {}}
    connection.execute(insert(tables.challenges).values(challenge | {"expires_at": NOW}))
    connection.execute(
        insert(tables.attempts).values(attempt | judged | {"timings_ms": {}, "recording_sha256": "", "created_at": NOW})
    )
    credential = {"jti": f"j{number}", "attempt_id": f"a{number}", "cameo_id": cameo_id, "audience": AUDIENCE, "sub": "s"}
    kept = {"issued_at": NOW, "expires_at": NOW, "request_id": "", "token": "t"}
    entry = {"list_number": 1, "idx": number, "jti": f"j{number}", "group_number": number, "status": 0}
    connection.execute(insert(tables.status_entries).values(entry))
    likenesses.add(connection, f"a{number}", VAULT.seal(cameo_id, LIKENESS), now=NOW)
    consent: dict[str, Any] = {"request_id": "r", "text_version": "1", "locale": "en", "agreed_at": NOW}
    cameos.create(connection, f"a{number}", subject=subject, now=NOW, **consent)
    everyone = Terms(who=WhoMayUse.EVERYONE, words=("no cats",), offline=frozenset({AUDIENCE}))
    cameos.change(connection, cameo_id, lambda _: everyone, subject=subject, version=1, now=NOW)
    connection.execute(insert(tables.credentials).values(credential | kept))
    return cameo_id


@pytest.fixture
def engine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database with as many cameos as the test says."""
    engine = open_database(f"sqlite:///{tmp_path}/cameo.sqlite3")
    status_list = {"number": 1, "capacity": 4096, "used": request.param, "decoy_key": b"k", "created_at": NOW}
    with writing(engine).begin() as connection:
        connection.execute(insert(tables.status_lists).values(status_list))
        for number in range(request.param):
            _enrol(connection, number)
        store_invariants.check(connection)
    yield engine
    engine.dispose()


def _step(batches: Batches, step: str, cameo_id: str) -> asyncio.Future[Any]:
    known = Relationships()
    grant_id = f"{cameo_id}-authorize"
    if step.startswith("authorize"):
        job = uses.Job(AUDIENCE, f"{cameo_id}-{step}", "fan", "job", (cameo_id,), frozenset())
        return batches.submit_among(
            uses.authorize_all, uses.GrantRequest(job, f"{cameo_id}-{step}", known, NOW, NOW + timedelta(minutes=5))
        )
    made = uses.ReportedOutput(hashlib.sha256(cameo_id.encode()).hexdigest(), "", OutputState.DRAFT, "fan")
    spent_by: dict[str, Any] = {"audience": AUDIENCE, "request_id": "spend", "relationships": known}
    work: dict[str, Callable[[Connection], object]] = {
        "spend": partial(uses.spend, identifier=grant_id, now=NOW, **spent_by),
        "record": partial(uses.record, grant_id=grant_id, made=made, audience=AUDIENCE, identifier=f"{cameo_id}-output", now=NOW),
        "revoke": partial(cameos.revoke, identifier=cameo_id, subject=None, reason="enough", now=NOW),
        "delete": partial(cameos.delete, identifier=cameo_id, subject=None, now=NOW),
    }
    return batches.submit(work[step])


async def _live(engine: Engine, done: Mapping[str, int], report: Callable[[str, int], None]) -> None:
    """Take every cameo through its life from where it stands, some at once, and report each step when it was answered."""
    batches = Batches(writing(engine))
    waiting = iter(done.items())

    async def one_after_the_other() -> None:
        for cameo_id, begun in waiting:
            for number in range(begun, len(STEPS)):
                await _step(batches, STEPS[number], cameo_id)
                report(cameo_id, number + 1)
            await asyncio.to_thread(scrub, engine)

    await asyncio.gather(*(one_after_the_other() for _ in range(SIDE_BY_SIDE)))
    await asyncio.to_thread(batches.close)


def _in_child(url: str, cameo_ids: Sequence[str], pipe: Pipe) -> None:
    engine = open_database(url)
    asyncio.run(_live(engine, dict.fromkeys(cameo_ids, 0), lambda cameo_id, number: pipe.send((cameo_id, number))))


def _die_at(engine: Engine, statement: int) -> None:
    count = 0

    def die(*_: object) -> None:
        nonlocal count
        if count == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    event.listen(engine, "before_cursor_execute", die)
    event.listen(engine, "commit", die)


def _killed_before(url: str, cameo_id: str, step: str, statement: int) -> None:
    """Take one step, and die right before its `statement`th statement, or after the last one and before the commit."""
    engine = open_database(url)
    _die_at(engine, statement)

    async def run() -> None:
        batches = Batches(writing(engine))
        await _step(batches, step, cameo_id)
        await asyncio.to_thread(batches.close)

    asyncio.run(run())


def _enrolled_before(url: str, statement: int) -> None:
    """Enrol, and die right before its `statement`th statement, or after the last one and before the commit."""
    engine = open_database(url)
    _die_at(engine, statement)
    with writing(engine).begin() as connection:
        connection.execute(update(tables.status_lists).values(used=1))
        _enrol(connection, 0)


def _life(connection: Connection, cameo_id: str) -> Life:
    """Return all that the steps of a life change, by which one can tell how many of them were done."""
    number = cameo_id.removeprefix("cameo-")
    cameo = cameos.get(connection, cameo_id, subject=None)
    listed = uses.of_cameo(connection, cameo_id, before=None, limit=10)
    attempt = connection.execute(select(tables.attempts.c.subject).where(tables.attempts.c.id == f"a{number}")).scalar_one()
    entries, credentials = tables.status_entries.c, tables.credentials.c
    status = connection.execute(select(entries.status).where(entries.jti == f"j{number}")).scalar_one()
    token = connection.execute(select(credentials.token).where(credentials.jti == f"j{number}")).scalar_one_or_none()
    happened = events.after(connection, 0, subject=cameo.subject, limit=20)
    return (
        cameo.state,
        len(listed),
        sum(use.grant.spent_at is not None for use in listed),
        sum(use.grant.revoked_at is not None for use in listed),
        sum(len(use.outputs) for use in listed),
        _is_whole(connection, cameo_id),
        token is not None,
        Status(status),
        attempt,
        tuple(each.kind.value for each in happened),
    )


def _is_whole(connection: Connection, cameo_id: str) -> bool:
    """Return whether a likeness is there, which must then have all of its pictures and sound."""
    try:
        sealed = likenesses.of(connection, cameo_id)
    except NotFoundError:
        return False
    assert media_from_bytes(VAULT.open(sealed)) == MEDIA
    return True


def _lives(subject: str) -> list[Life]:
    """Return what a life is after none, one, two … of the steps."""
    active, revoked, deleted = CameoState.CAMEO_ACTIVE, CameoState.CAMEO_REVOKED, CameoState.CAMEO_DELETED
    told = ("created", "permission_changed", "use_granted", "use_granted", "output_recorded", "revoked", "deleted")
    return [
        (active, 0, 0, 0, 0, True, True, Status.VALID, subject, told[:2]),
        (active, 1, 0, 0, 0, True, True, Status.VALID, subject, told[:3]),
        (active, 2, 0, 0, 0, True, True, Status.VALID, subject, told[:4]),
        (active, 2, 1, 0, 0, True, True, Status.VALID, subject, told[:4]),
        (active, 2, 1, 0, 1, True, True, Status.VALID, subject, told[:5]),
        (revoked, 2, 1, 1, 1, True, True, Status.INVALID, subject, told[:6]),
        (deleted, 2, 1, 1, 1, False, False, Status.INVALID, "", told[:7]),
    ]


def _done(engine: Engine, cameo_id: str) -> int:
    """Return how many steps of a life are done; a life that is between two of them fails the test."""
    with engine.begin() as connection:
        return _lives(f"owner-{cameo_id.removeprefix('cameo-')}").index(_life(connection, cameo_id))


@pytest.fixture(scope="module")
def start() -> Callable[..., BaseProcess]:
    """Start a function in a process that has imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])

    def started(target: Callable[..., None], *args: object) -> BaseProcess:
        process = context.Process(target=target, args=args, daemon=True)
        process.start()
        return process

    return started


def _kill(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    assert ended(process) == -signal.SIGKILL, "it was through before it was killed"


def _rest(pipe: Pipe) -> Iterator[tuple[str, int]]:
    """Return what a process that is dead had still said."""
    with suppress(EOFError):
        while True:
            yield heard(pipe)


@pytest.mark.slow
@pytest.mark.parametrize("engine", [POINTS * LIVES], indirect=True)
def test_a_cut_at_fifty_random_points_leaves_every_step_whole(engine: Engine, start: Callable[..., BaseProcess]) -> None:
    """Kill -9 at 50 random points: what was answered is there, what was not is whole or not begun, and life can go on."""
    chance = random.Random(4)  # noqa: S311 - the same points in every run
    found: dict[str, int] = {}
    for point in range(POINTS):
        cameo_ids = [f"cameo-{point * LIVES + number}" for number in range(LIVES)]
        receive, send = multiprocessing.Pipe(duplex=False)
        process = start(_in_child, engine.url.render_as_string(), cameo_ids, send)
        send.close()
        answered = dict.fromkeys(cameo_ids, 0)
        # After so many answers and a moment more: so the points spread over all steps, however fast the machine is.
        answered.update(heard(receive) for _ in range(chance.randrange(SIDE_BY_SIDE * len(STEPS))))
        process.join(timeout=chance.uniform(0, 0.01))
        _kill(process)
        answered.update(_rest(receive))

        done = {cameo_id: _done(engine, cameo_id) for cameo_id in cameo_ids}
        assert all(answered[each] <= done[each] <= answered[each] + 1 for each in cameo_ids)
        found |= done

    with engine.begin() as connection:
        store_invariants.check(connection)
    assert set(found.values()) == set(range(len(STEPS) + 1)), "the points missed a step"
    asyncio.run(_live(engine, {each: done for each, done in found.items() if 0 < done < len(STEPS)}, lambda *_: None))
    assert {_done(engine, each) for each, done in found.items() if done} == {len(STEPS)}
    with engine.begin() as connection:
        store_invariants.check(connection)


@pytest.mark.parametrize("engine", [1], indirect=True)
@pytest.mark.parametrize("step", ["spend", "revoke", "delete"])
def test_a_cut_before_any_statement_undoes_the_step(engine: Engine, start: Callable[..., BaseProcess], step: str) -> None:
    """Killed before each of its statements in turn, the last time before the commit, a step was not begun; then it is done."""
    before = STEPS.index(step)

    async def live_until() -> None:
        batches = Batches(writing(engine))
        for earlier in STEPS[:before]:
            await _step(batches, earlier, "cameo-0")
        await asyncio.to_thread(batches.close)

    asyncio.run(live_until())
    for statement in itertools.count():
        process = start(_killed_before, engine.url.render_as_string(), "cameo-0", step, statement)
        if (code := ended(process)) == 0:
            break
        assert code == -signal.SIGKILL
        assert _done(engine, "cameo-0") == before

    assert statement > 5
    assert _done(engine, "cameo-0") == before + 1
    with engine.begin() as connection:
        store_invariants.check(connection)


@pytest.mark.parametrize("engine", [0], indirect=True)
def test_a_cut_while_a_likeness_is_kept_leaves_all_of_it_or_nothing(engine: Engine, start: Callable[..., BaseProcess]) -> None:
    """Killed before each statement of an acceptance in turn: vectors, pictures and sound are there together, or not at all."""
    for statement in itertools.count():
        process = start(_enrolled_before, engine.url.render_as_string(), statement)
        if (code := ended(process)) == 0:
            break
        assert code == -signal.SIGKILL
        with engine.begin() as connection:
            assert not _is_whole(connection, "cameo-0")
            assert connection.execute(select(tables.attempts.c.id)).all() == []

    assert statement > 5
    with engine.begin() as connection:
        assert _is_whole(connection, "cameo-0")
        store_invariants.check(connection)
