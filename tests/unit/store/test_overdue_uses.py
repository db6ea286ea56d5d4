"""Outputs of a grant: bounded, each under one grant, and told of where none comes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from cameo_verifier.cameo.model import EventKind, OutputState, UseCategory
from cameo_verifier.cameo.permissions import Relationships
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.errors import StoreConflictError
from cameo_verifier.store.cameos import cameos, overdue_uses, uses
from cameo_verifier.store.cameos.uses import Job, ReportedOutput
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors
from tests.enrolled import AUDIENCE, START, enrol

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

OTHER = "https://other.example"
HOUR = timedelta(hours=1)


def spent(connection: Connection, grant_id: str, *cameo_ids: str, audience: str = AUDIENCE, spend: bool = True) -> str:
    """Grant a job the use of cameos, all of them their requester's own, and spend it."""
    subject = f"owner-{cameo_ids[0].removeprefix('cameo-')}"
    job = Job(audience, f"r-{grant_id}", subject, "job", cameo_ids, frozenset({UseCategory.GENERAL}))
    how = {"relationships": Relationships(), "now": START}
    uses.authorize(connection, job, identifier=grant_id, expires_at=START + HOUR, **how)  # type: ignore[arg-type]
    if spend:
        uses.spend(connection, grant_id, audience=audience, request_id="s", **how)  # type: ignore[arg-type]
    return grant_id


def record(connection: Connection, grant_id: str, sha256: str, *, audience: str = AUDIENCE, at_most: int = 2) -> str:
    """Record an output, and return its id."""
    made = ReportedOutput(sha256 * 32, "", OutputState.DRAFT, "ben")
    how = {"identifier": f"{grant_id}-{sha256}", "now": START, "at_most": at_most}
    return uses.record(connection, grant_id, made, audience=audience, **how).id  # type: ignore[arg-type]


def refusal(connection: Connection, grant_id: str, sha256: str, **how: int) -> RefusedError:
    """Record an output that is refused."""
    with pytest.raises(RefusedError) as refused:
        record(connection, grant_id, sha256, **how)  # type: ignore[arg-type]
    return refused.value


def overdue(connection: Connection) -> list[tuple[str, str]]:
    """Return cameo and grant of each event that an output is overdue."""
    table = tables.events
    query = select(table.c.cameo_id, table.c.grant_id).where(table.c.kind == EventKind.OUTPUT_IS_OVERDUE.value)
    return [(row.cameo_id, row.grant_id) for row in connection.execute(query.order_by(table.c.number))]


def test_a_grant_has_so_many_outputs(engine: Engine) -> None:
    """One more is refused, and what is there can still be published."""
    with engine.begin() as connection:
        enrol(connection, 1)
        spent(connection, "g", "cameo-1")
        ids = [record(connection, "g", each) for each in ("aa", "bb")]
        refused = refusal(connection, "g", "cc")
        assert (refused.refusal, refused.metadata) == (Refusal.TOO_MANY_OUTPUTS, {"at_most": "2"})
        assert record(connection, "g", "bb") == ids[1]
        published = ReportedOutput("bb" * 32, "", OutputState.PUBLISHED, "ben")
        uses.record(connection, "g", published, audience=AUDIENCE, identifier="x", now=START, at_most=2)
        assert record(connection, "g", "cc", at_most=3)


def test_a_generator_records_a_file_once(engine: Engine) -> None:
    """Under another grant of its own it is refused; another generator's is no matter, and cannot block it."""
    with engine.begin() as connection:
        enrol(connection, 1)
        for grant_id, audience in (("g", AUDIENCE), ("h", AUDIENCE), ("o", OTHER)):
            spent(connection, grant_id, "cameo-1", audience=audience)
        first = record(connection, "g", "aa")
        assert refusal(connection, "h", "aa").refusal is Refusal.OUTPUT_RECORDED_OTHERWISE
        assert record(connection, "g", "aa") == first
        assert record(connection, "o", "aa", audience=OTHER) != first


def test_two_servers_cannot_record_it_twice(engine: Engine) -> None:
    """The database itself refuses the second row."""
    with engine.begin() as connection:
        enrol(connection, 1)
        for grant_id in ("g", "h"):
            spent(connection, grant_id, "cameo-1")
        record(connection, "g", "aa")
        row = dict(connection.execute(select(tables.outputs)).mappings().one())
    with pytest.raises(StoreConflictError), store_errors(), engine.begin() as connection:
        connection.execute(insert(tables.outputs).values(row | {"id": "other", "grant_id": "h"}))


def test_a_use_of_which_nothing_came_is_told_once(engine: Engine) -> None:
    """To the owner of each cameo; not one with an output, one not spent, nor one whose time is not over."""
    with engine.begin() as connection:
        for number in (1, 2):
            enrol(connection, number)
            cameo = cameos.get(connection, f"cameo-{number}", subject=None)
            connection.execute(tables.cameos.update().where(tables.cameos.c.id == cameo.id).values(subject="owner-1"))
        spent(connection, "made", "cameo-1")
        record(connection, "made", "aa")
        spent(connection, "open", "cameo-1", spend=False)
        spent(connection, "late", "cameo-1", "cameo-2")
    assert overdue_uses.flag(engine, before=START, now=START + HOUR) == 0
    assert overdue_uses.flag(engine, before=START + timedelta(seconds=1), now=START + HOUR) == 1
    assert overdue_uses.flag(engine, before=START + HOUR, now=START + 2 * HOUR) == 0
    with engine.begin() as connection:
        assert overdue(connection) == [("cameo-1", "late"), ("cameo-2", "late")]
        record(connection, "late", "bb")
        flagged = {use.grant.id: use.grant.overdue_at for use in uses.of_cameo(connection, "cameo-1", before=None, limit=9)}
    assert flagged == {"late": START + HOUR, "open": None, "made": None}
