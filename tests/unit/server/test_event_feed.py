"""The event feed: nothing lost, nothing twice, in order, and no stream waits for a slow one."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, insert

from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.model import EventKind
from cameo_verifier.cameo.removals import RemovalState
from cameo_verifier.cameo.webhooks import ENDS
from cameo_verifier.errors import StoreError
from cameo_verifier.server import event_feed
from cameo_verifier.server.auth.caller import Caller
from cameo_verifier.server.event_feed import EventFeed, EventStream, StreamLimits
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.store.cameos import cameos, event_recipients, events
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.batches import Batches
from cameo_verifier.store.db.engine import open_database, writing
from tests.enrolled import AUDIENCE, START, enrol
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Connection, Engine

ADULTS, MINOR = (0, 1, 2), 3
PLATFORM, OTHER = "shorts.example", "https://other.example"
CALLERS = (
    Caller(CallerRole.APP, "backend"),
    *(Caller(CallerRole.OWNER, f"owner-{number}") for number in (*ADULTS, MINOR)),
    Caller(CallerRole.GUARDIAN, "mother"),
    Caller(CallerRole.GUARDIAN, "father"),
    Caller(CallerRole.GENERATOR, AUDIENCE),
    Caller(CallerRole.GENERATOR, OTHER),
    Caller(CallerRole.PLATFORM, PLATFORM),
    Caller(CallerRole.OWNER, "nobody"),
)
UNLIMITED = StreamLimits(10_000, 10_000)
KINDS = sorted({*ENDS, EventKind.PERMISSION_CHANGED})


@asynccontextmanager
async def feeding(engine: Engine, limits: StreamLimits = UNLIMITED) -> AsyncIterator[EventFeed]:
    """Read for streams."""
    reads, stopping = Batches(engine), asyncio.Event()
    feed = EventFeed(reads, limits, stopping=stopping)
    try:
        yield feed
    finally:
        stopping.set()
        await feed.close()
        await asyncio.to_thread(reads.close)


def people(engine: Engine) -> None:
    """Have three adults and a minor, who have a mother and will have a father."""
    with writing(engine).begin() as connection:
        for number in ADULTS:
            enrol(connection, number)
        enrol(connection, MINOR, minor=True)
        link(connection, "mother")


def link(connection: Connection, guardian: str) -> None:
    """Have a guardian answer for the minor."""
    subject = f"owner-{MINOR}"
    kept = {"guardian": guardian, "minor": subject, "state": "linked", "created_at": START, "updated_at": START}
    connection.execute(insert(tables.guardianships).values(kept))
    events.append_of_guardian(connection, subject, EventKind.GUARDIAN_LINKED, now=START)


def happen(connection: Connection, chance: random.Random, name: str) -> None:
    """Have something happen to a cameo: a change, or a use with its output, which is shown and has to go."""
    cameo = cameos.get(connection, f"cameo-{chance.choice((*ADULTS, MINOR))}", subject=None)
    if chance.random() < 0.7:
        events.append(connection, cameo, chance.choice(KINDS), now=START)
        return
    grant = {"id": name, "audience": chance.choice((AUDIENCE, OTHER)), "request_id": name, "requester": "fan", "job_id": "job"}
    connection.execute(insert(tables.grants).values(**grant, purposes=[], created_at=START, expires_at=START))
    number = events.append(connection, cameo, EventKind.USE_GRANTED, now=START, grant_id=name)
    connection.execute(insert(tables.grant_cameos).values(grant_id=name, cameo_id=cameo.id, number=number))
    if chance.random() < 0.5:
        return
    of = {"grant_id": name, "output_id": name}
    number = events.append(connection, cameo, EventKind.OUTPUT_RECORDED, now=START, **of)
    shown = {"id": name, "grant_id": name, "sha256": name, "c2pa_manifest": "", "state": "draft", "creator": "fan"}
    times = {"created_at": START, "updated_at": START, "shown_since": number}
    connection.execute(insert(tables.outputs).values(**shown, **times, platform=PLATFORM))
    number = events.append(connection, cameo, EventKind.REMOVAL_WAS_REQUESTED, now=START, removal_id=name)
    asked = {"id": name, "number": number, "cameo_id": cameo.id, "output_id": name, "request_id": name, "reason": ""}
    held = {"holder_kind": "platform", "holder": PLATFORM, "state": RemovalState.REMOVAL_REQUESTED.value, "answer_reason": ""}
    connection.execute(insert(tables.removals).values(**asked, **held, requested_at=START, due_at=START))


def write(url: str, seed: int, transactions: int) -> None:
    """Write as one server does, some of it in vain."""
    chance, engine = random.Random(seed), writing(open_database(url, busy_timeout_s=PATIENCE_S))  # noqa: S311 - no secret
    try:
        for turn in range(transactions):
            with engine.connect() as connection, connection.begin() as transaction:
                for step in range(chance.randint(1, 3)):
                    happen(connection, chance, f"{seed}-{turn}-{step}")
                if chance.random() < 0.2:
                    transaction.rollback()
            if seed == 0 and turn == transactions // 2:
                with engine.begin() as connection:
                    link(connection, "father")
    finally:
        engine.dispose()


class Reader:
    """Reads a stream; a slow one takes what comes first, and then nothing until it may go on."""

    def __init__(self, feed: EventFeed, caller: Caller, number: int, may_go_on: asyncio.Event) -> None:
        """Begin."""
        self.caller, self.number = caller, number
        self.told: list[int] = []
        self._feed, self._may_go_on = feed, may_go_on
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with self._feed.open(self.caller, self.number) as stream:
            while True:
                self.told += [each.number for each in await stream.read()]
                self._more.set()
                await self._may_go_on.wait()

    async def until(self, number: int) -> list[int]:
        """Return what was told up to an event, once that was."""
        while not self.told or self.told[-1] < number:
            self._more.clear()
            await asyncio.wait({self._task, asyncio.ensure_future(self._more.wait())}, return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                self._task.result()
        return self.told

    async def end(self) -> None:
        """Hang up."""
        self._task.cancel()
        await asyncio.wait({self._task})


async def recorded(feed: EventFeed, caller: Caller, number: int) -> list[int]:
    """Return what a caller finds in the records after an event."""
    found: list[int] = []
    more = True
    while more:
        some, number, more = await feed.after((caller.role, "" if caller.role is CallerRole.APP else caller.id), number)
        found += [each.number for each in some]
    return found


async def test_nothing_is_lost_or_told_twice_while_two_servers_write(
    url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every role, from any cursor, begun at any moment, fast or slow: each is told what the records hold for it, in order."""
    monkeypatch.setattr(event_feed, "WAITING", 3)
    monkeypatch.setattr(event_feed, "AT_ONCE", 5)
    monkeypatch.setattr(event_feed, "POLL_S", 0.001)
    people(engine)
    chance = random.Random(7)  # noqa: S311 - no secret
    at_once, later = asyncio.Event(), asyncio.Event()
    at_once.set()
    async with asyncio.timeout(PATIENCE_S), feeding(engine) as feed:
        joined: Counter[EventStream] = Counter()
        join = feed.join

        async def joining(stream: EventStream) -> None:
            joined[stream] += 1
            await join(stream)

        monkeypatch.setattr(feed, "join", joining)
        readers = [Reader(feed, caller, 0, how) for caller in CALLERS for how in (at_once, later)]
        writers = [asyncio.create_task(asyncio.to_thread(write, url, seed, 40)) for seed in (0, 1)]
        with feed.open(Caller(CallerRole.APP, "pacer"), 0) as pacer:
            for _ in range(8):
                number = chance.randint(0, (await pacer.read())[-1].number)
                readers += [Reader(feed, caller, number, chance.choice((at_once, later))) for caller in CALLERS]
        await asyncio.gather(*writers)
        later.set()
        for reader in readers:
            expected = await recorded(feed, reader.caller, reader.number)
            told = await reader.until(expected[-1]) if expected else reader.told
            assert told == expected, reader.caller
            assert bool(expected) is (reader.caller.id != "nobody")
        assert max(joined.values()) > 1
        for reader in readers:
            await reader.end()


async def test_idle_streams_cost_no_statement_of_their_own(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """One read of the events a round, whether eleven streams wait or 110."""
    monkeypatch.setattr(event_feed, "POLL_S", 0.001)
    people(engine)
    with engine.connect() as connection:
        newest = events.last(connection)
    asked: list[str] = []
    rounds: list[int] = []
    enough = threading.Event()
    after = event_recipients.after

    def counted(connection: Connection, number: int, *, limit: int) -> Any:
        rounds.append(len(asked))
        if len(rounds) == 6:
            enough.set()
        return after(connection, number, limit=limit)

    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    async with asyncio.timeout(PATIENCE_S), feeding(engine) as feed:
        readers: list[Reader] = []
        a_round = []
        caught_up: asyncio.Queue[int] = asyncio.Queue()
        look = feed.after

        async def looked(*of: Any) -> Any:
            found = await look(*of)
            caught_up.put_nowait(len(found))
            return found

        monkeypatch.setattr(feed, "after", looked)
        for streams in (1, 9):
            readers += [Reader(feed, caller, newest, asyncio.Event()) for caller in CALLERS for _ in range(streams)]
            for _ in range(streams * len(CALLERS)):
                await caught_up.get()
            asked.clear()
            rounds.clear()
            enough.clear()
            with monkeypatch.context() as patched:
                patched.setattr(event_recipients, "after", counted)
                await asyncio.to_thread(enough.wait, PATIENCE_S)
            a_round.append({second - first for first, second in pairwise(rounds[:6])})
        assert len(a_round[0]) == 1
        assert a_round[0] == a_round[1]
        for reader in readers:
            await reader.end()


async def test_a_database_that_fails_ends_the_streams_and_the_next_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches is told, and who comes back with its cursor misses nothing."""
    people(engine)

    def fails(*_: Any, **__: Any) -> Any:
        raise StoreError("the disk is full")

    caller = CALLERS[0]
    async with asyncio.timeout(PATIENCE_S), feeding(engine) as feed:
        with feed.open(caller, 0) as stream:
            numbers = [each.number for each in await stream.read()]
            with monkeypatch.context() as patched:
                patched.setattr(event_recipients, "after", fails)
                with pytest.raises(StoreError):
                    await stream.read()
        with writing(engine).begin() as connection:
            events.append(connection, cameos.get(connection, "cameo-0", subject=None), EventKind.WAS_PAUSED, now=START)
        with feed.open(caller, numbers[-1]) as stream:
            assert [each.number for each in await stream.read()] == [numbers[-1] + 1]


async def test_places_are_free_again_however_a_stream_ends(engine: Engine) -> None:
    """A caller and all together hold so many; a stream that is cancelled, whatever it waits for, gives its place back."""
    people(engine)
    app, other = CALLERS[0], CALLERS[1]
    async with asyncio.timeout(PATIENCE_S), feeding(engine, StreamLimits(1, 2)) as feed:
        at_once = asyncio.Event()
        at_once.set()
        for turns in (0, 1, 5, None):
            streams = [Reader(feed, caller, 0, at_once) for caller in (app, app, other)]
            for _ in range(turns or 0):
                await asyncio.sleep(0)
            if turns is None:
                assert [(await stream.until(1))[0] for stream in streams] == [1, 1, 1]
            if turns != 0:
                for caller, limit in ((app, "event_streams_a_caller"), (other, "event_streams")):
                    with pytest.raises(RequestError) as refused, feed.open(caller, 0):
                        pass
                    assert refused.value.metadata == {"limit": limit}
            for stream in streams:
                await stream.end()
        with feed.open(app, 0), feed.open(app, 0), feed.open(other, 0):
            pass
