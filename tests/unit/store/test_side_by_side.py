"""Concurrent servers over one database: each has a connection and a thread of its own, and none blocks another."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from cameo_verifier.cameo.model import EventKind, OutputState, Terms, WhoMayUse
from cameo_verifier.cameo.permissions import Relationships
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.cameos import cameos, events, guardians, removals, uses
from cameo_verifier.store.cameos.removals import Request
from cameo_verifier.store.cameos.uses import GrantRequest, Job, ReportedOutput
from cameo_verifier.store.db.batches import Batches
from cameo_verifier.store.db.engine import open_database, writing
from tests import store_invariants
from tests.enrolled import AUDIENCE, START, enrol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy import Connection, Engine

    from cameo_verifier.cameo.model import Grant

SERVERS = 4
NOBODY = Relationships({})
LATER = START + timedelta(minutes=5)


class Site:
    """Servers, and the cameos they have."""

    def __init__(self, servers: list[Batches], engine: Engine) -> None:
        """Keep the servers, and what looks at the database beside them."""
        self.servers, self.engine, self._ids = servers, writing(engine), count()

    def enrol(self, *, minor: bool = False) -> str:
        """Make a cameo, which everyone may use unless its owner is a minor."""
        with self.engine.begin() as connection:
            cameo_id, subject = enrol(connection, next(self._ids), minor=minor)
            if not minor:
                terms = Terms(who=WhoMayUse.EVERYONE)
                cameos.change(connection, cameo_id, lambda _: terms, subject=subject, version=1, now=START)
        return cameo_id

    def asked(self, *cameo_ids: str, request_id: str = "", requester: str = "fan") -> GrantRequest:
        """Ask for a grant."""
        number = next(self._ids)
        job = Job(AUDIENCE, request_id or f"r{number}", requester, "job", cameo_ids, frozenset())
        return GrantRequest(job, f"g{number}", NOBODY, START, LATER)

    def grant(self, *cameo_ids: str) -> Grant:
        """Have a grant made."""
        with self.engine.begin() as connection:
            [answer] = uses.authorize_all(connection, [self.asked(*cameo_ids)])
        assert isinstance(answer, tuple)
        return answer[0]

    def spending(self, grant: Grant) -> Callable[[Connection], Grant]:
        """Spend a grant, as a request of its own."""
        how: dict[str, Any] = {"audience": AUDIENCE, "request_id": f"s{next(self._ids)}", "relationships": NOBODY, "now": START}
        return lambda connection: uses.spend(connection, grant.id, **how)[0]

    def check(self) -> None:
        """Assert what holds of every database."""
        with self.engine.begin() as connection:
            store_invariants.check(connection)


@pytest.fixture
async def site(engine: Engine) -> AsyncIterator[Site]:
    """Four servers."""
    async with _servers(engine) as servers:
        yield Site(servers, engine)


@asynccontextmanager
async def _servers(engine: Engine) -> AsyncIterator[list[Batches]]:
    engines = [open_database(engine.url.render_as_string(hide_password=False)) for _ in range(SERVERS)]
    servers = [Batches(writing(each)) for each in engines]
    try:
        yield servers
    finally:
        for each in servers:
            await asyncio.to_thread(each.close)
        for each in engines:
            each.dispose()


async def _ends(answers: list[Awaitable[Any]]) -> list[Any]:
    """Return what came of each: a result, or why it was refused; whatever else was raised is raised."""
    ended = await asyncio.gather(*answers, return_exceptions=True)
    for each in ended:
        if isinstance(each, BaseException) and not isinstance(each, RefusedError):
            raise each
    return [each.refusal if isinstance(each, RefusedError) else each for each in ended]


async def test_a_grant_is_spent_once_whichever_server_is_asked(site: Site) -> None:
    """Every server tries to spend each of 40 grants, twice: one of the eight gets it, the others are told that it is spent."""
    cameo_id = site.enrol()
    grants = [site.grant(cameo_id) for _ in range(40)]
    ends = await _ends([server.submit(site.spending(grant)) for grant in grants for server in site.servers * 2])

    spent = [end for end in ends if not isinstance(end, Refusal)]
    assert sorted(grant.id for grant in spent) == sorted(grant.id for grant in grants)
    assert Counter(end for end in ends if isinstance(end, Refusal)) == {Refusal.GRANT_SPENT: 40 * (2 * SERVERS - 1)}
    site.check()


async def test_a_request_that_every_server_gets_at_once_has_one_grant(site: Site) -> None:
    """The same request id at four servers at the same moment: one grant, and everyone answers with it."""
    cameo_id = site.enrol()
    for number in range(20):
        asked = [site.asked(cameo_id, request_id=f"same-{number}") for _ in site.servers]
        answers = [server.submit_among(uses.authorize_all, each) for server, each in zip(site.servers, asked, strict=True)]
        assert len({grant.id for grant, _ in await _ends(answers)}) == 1
    site.check()


async def test_between_check_and_use_the_owner_s_word_counts(site: Site) -> None:
    """Three servers spend while the fourth revokes: a grant is spent or dead, never both, and none is spent after the event."""
    ids = [site.enrol() for _ in range(12)]
    grants = [site.grant(cameo_id) for cameo_id in ids for _ in range(6)]
    random.Random(1).shuffle(grants)  # noqa: S311 - the same order in every run
    spending = [site.servers[number % 3].submit(site.spending(grant)) for number, grant in enumerate(grants)]
    revoking = [
        site.servers[3].submit(partial(cameos.revoke, identifier=each, subject=None, reason="no", now=START)) for each in ids
    ]
    ends = await _ends([*spending, *revoking])

    assert {end for end in ends if isinstance(end, Refusal)} <= {Refusal.GRANT_REVOKED, Refusal.USE_NOT_PERMITTED}
    again = await _ends([site.servers[0].submit(site.spending(grant)) for grant in grants])
    assert set(again) <= {Refusal.GRANT_REVOKED, Refusal.GRANT_SPENT}
    site.check()


async def test_whatever_servers_do_at_once_nobody_waits_for_ever(site: Site) -> None:
    """600 random pieces of work on a few cameos over four servers: each is done or refused, and the whole holds together."""
    chance = random.Random(7)  # noqa: S311 - the same work in every run
    ids, minor = [site.enrol() for _ in range(3)], site.enrol(minor=True)
    grants = [site.grant(*sorted(chance.sample(ids, 2))) for _ in range(60)]
    numbers = count()
    now, subject = START, f"owner-{minor.removeprefix('cameo-')}"

    def linking(connection: Connection, guardian: str) -> object:
        how: dict[str, Any] = {"guardian": guardian, "minor": subject, "text_version": "1", "locale": "en", "agreed_at": now}
        guardians.consent(connection, by_guardian=True, now=now, **how)
        return guardians.consent(connection, by_guardian=False, now=now, **how)

    def making(connection: Connection, grant: Grant) -> object:
        uses.spend(connection, grant.id, audience=AUDIENCE, request_id=grant.id, relationships=NOBODY, now=now)
        number = next(numbers)
        made = ReportedOutput(f"{number:064x}", "", OutputState.DRAFT, "fan")
        return uses.record(connection, grant.id, made, audience=AUDIENCE, identifier=f"o{number}", now=now)

    def removing(connection: Connection, cameo_id: str) -> object:
        request = Request(cameo_id, "", f"q{next(numbers)}", "no")
        removals.begin(connection, request, subject=None, now=now)
        how: dict[str, Any] = {"new_id": lambda: f"m{next(numbers)}", "now": now, "due_in": timedelta(hours=1)}
        return removals.open_some(connection, request, until=None, **how)

    def piece(server: Batches) -> Awaitable[Any]:
        cameo_id, guardian = chance.choice([*ids, minor]), chance.choice(("mother", "father"))
        several = chance.sample(ids, 2)
        kinds: list[Callable[[], Awaitable[Any]]] = [
            lambda: server.submit_among(uses.authorize_all, site.asked(*several)),
            lambda: server.submit_among(uses.authorize_all, site.asked(minor, requester=subject)),
            lambda: server.submit(partial(making, grant=chance.choice(grants))),
            lambda: server.submit(partial(removing, cameo_id=cameo_id)),
            lambda: server.submit(partial(cameos.pause, identifier=cameo_id, subject=None, reason="", now=now)),
            lambda: server.submit(partial(cameos.resume, identifier=cameo_id, subject=None, now=now)),
            lambda: server.submit(partial(linking, guardian=guardian)),
            lambda: server.submit(partial(guardians.end, guardian=guardian, minor=subject, by_guardian=True, now=now)),
            lambda: server.submit(partial(guardians.pause, identifier=minor, guardian=guardian, reason="", now=now)),
        ]
        return chance.choice(kinds)()

    ends = await _ends([piece(site.servers[number % SERVERS]) for number in range(600)])
    deleting = partial(cameos.delete, identifier=ids[0], subject=None, now=now)
    ended = await _ends([server.submit(deleting) for server in site.servers])

    assert len(ends) == 600
    assert sum(not isinstance(end, Refusal) for end in ends) > 200
    assert len({cameo.version for cameo in ended}) == 1
    with site.engine.begin() as connection:
        told = [each for each in events.after(connection, 0, subject=None, limit=10_000) if each.cameo_id == ids[0]]
    assert [each.kind for each in told].count(EventKind.WAS_DELETED) == 1
    site.check()
