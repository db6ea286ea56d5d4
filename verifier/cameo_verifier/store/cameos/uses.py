"""Uses: grants for one job, the time each was spent, and the outputs. Every function runs inside a transaction of the caller.

`attested_since`: recordings judged earlier are too old to vouch for a person; None accepts any.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import bindparam, func, insert, select, update

from cameo_credential.errors import CameoError
from cameo_verifier.cameo.grants import require_spendable
from cameo_verifier.cameo.model import EventKind, Grant, Output, OutputState, Use, UseCategory
from cameo_verifier.cameo.permissions import Answer, decide
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.cameos import cameos, events
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from cameo_verifier.cameo.model import Cameo
    from cameo_verifier.cameo.permissions import Relationships

ResultT = TypeVar("ResultT")

AT_MOST = 8
"""Outputs of a grant, unless the site sets another number."""
_GRANTS = tables.grants
_OF_REQUESTS = select(_GRANTS.c.id, _GRANTS.c.audience, _GRANTS.c.request_id).where(
    _GRANTS.c.audience.in_(bindparam("audiences", expanding=True)),
    _GRANTS.c.request_id.in_(bindparam("requests", expanding=True)),
)
_ADD_GRANTS, _ADD_GRANT_CAMEOS = insert(_GRANTS), insert(tables.grant_cameos)


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a generator requests permission for."""

    audience: str
    request_id: str
    requester: str
    job_id: str
    cameo_ids: tuple[str, ...]
    purposes: frozenset[UseCategory]


@dataclass(frozen=True, slots=True)
class ReportedOutput:
    """An output that a generator reports. platform: who shows it; empty if not given."""

    sha256: str
    c2pa_manifest: str
    state: OutputState
    creator: str
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A permission check: whether `requester` may use a cameo for these purposes."""

    cameo_id: str
    requester: str
    purposes: frozenset[UseCategory]
    relationships: Relationships
    attested_since: datetime | None = None
    generator: str = ""


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """A requested grant: its job, its id, its creation and expiry times, and the known relationships."""

    job: Job
    identifier: str
    relationships: Relationships
    now: datetime
    expires_at: datetime
    attested_since: datetime | None = None


Granted: TypeAlias = "tuple[Grant, tuple[Cameo, ...]]"


def check_all(connection: Connection, questions: Sequence[Question]) -> list[Answer | CameoError]:
    """Return whether each use is permitted now, or the error that `permissions.decide` raises."""
    found = cameos.several(connection, {each.cameo_id for each in questions}, hold=False)
    return [_answer(found, each) for each in questions]


def authorize(
    connection: Connection, job: Job, *, identifier: str, relationships: Relationships, now: datetime, expires_at: datetime
) -> Granted:
    """Grant one job the use of all its cameos or of none; a repeated request gets the first one's grant, while it is permitted.

    Raises:
        RefusedError: `CAMEO_UNKNOWN` or `USE_NOT_PERMITTED`, with the cameo in the metadata; `REQUEST_ID_REUSED`; of an earlier
            request's grant, `GRANT_REVOKED` or `GRANT_EXPIRED`.
        RelationshipNeededError: see `cameo_verifier.cameo.permissions`.
    """
    return _only(authorize_all(connection, [GrantRequest(job, identifier, relationships, now, expires_at)]))


def authorize_all(connection: Connection, asked: Sequence[GrantRequest]) -> list[Granted | CameoError]:
    """Return each job's grant as `authorize` does, or the error of its refusal; nothing is written before all are decided."""
    found = cameos.several(connection, {cameo_id for each in asked for cameo_id in each.job.cameo_ids}, hold=True)
    earlier = _by_request(connection, [each.job for each in asked])
    answers: list[Granted | CameoError] = []
    new: list[tuple[GrantRequest, Granted]] = []
    for each in asked:
        job = each.job
        try:
            permitted = _require_permitted(found, job, each.relationships, each.attested_since)
            grant = earlier.get((job.audience, job.request_id))
            if grant is None:
                purposes = job.purposes
                grant = Grant(
                    each.identifier, job.audience, job.requester, job.job_id, job.cameo_ids, purposes, each.now, each.expires_at
                )
                earlier[job.audience, job.request_id] = grant
                new.append((each, (grant, permitted)))
            else:
                _require_same(grant, job, now=each.now)
            answers.append((grant, permitted))
        except CameoError as error:
            answers.append(error)
    if new:
        _keep(connection, new)
    return answers


def _keep(connection: Connection, granted: Sequence[tuple[GrantRequest, Granted]]) -> None:
    rows = [
        {
            "id": grant.id,
            "audience": grant.audience,
            "request_id": asked.job.request_id,
            "requester": grant.requester,
            "job_id": grant.job_id,
            "purposes": sorted(grant.purposes),
            "created_at": grant.created_at,
            "expires_at": grant.expires_at,
        }
        for asked, (grant, _) in granted
    ]
    connection.execute(_ADD_GRANTS, rows)
    uses = [(grant, cameo) for _, (grant, found) in granted for cameo in found]
    numbers = events.append_all(
        connection, [events.Happened(cameo, EventKind.USE_GRANTED, grant.created_at, grant.id) for grant, cameo in uses]
    )
    rows = [
        {"grant_id": grant.id, "cameo_id": cameo.id, "number": number}
        for number, (grant, cameo) in zip(numbers, uses, strict=True)
    ]
    connection.execute(_ADD_GRANT_CAMEOS, rows)


def spend(
    connection: Connection,
    identifier: str,
    *,
    audience: str,
    request_id: str,
    relationships: Relationships,
    now: datetime,
    attested_since: datetime | None = None,
) -> tuple[Grant, tuple[Cameo, ...]]:
    """Spend a grant: of concurrent calls exactly one succeeds, and only while each of its cameos still permits the use.

    Raises:
        RefusedError: `GRANT_UNKNOWN`, `GRANT_SPENT`, `GRANT_REVOKED`, `GRANT_EXPIRED`, `CAMEO_UNKNOWN` or `USE_NOT_PERMITTED`.
        RelationshipNeededError: see `cameo_verifier.cameo.permissions`.
    """
    grant = _grant(connection, identifier, audience)
    again = grant.spent_at is not None and grant.spent_by_request == request_id
    require_spendable(replace(grant, spent_at=None) if again else grant, now=now)
    held = cameos.several(connection, grant.cameo_ids, hold=True)
    found = _require_permitted(held, grant, relationships, attested_since)
    if not again:
        table = tables.grants
        spendable = (table.c.id == identifier) & table.c.spent_at.is_(None) & table.c.revoked_at.is_(None)
        statement = update(table).where(spendable, table.c.expires_at > now).values(spent_at=now, spent_by_request=request_id)
        if connection.execute(statement).rowcount != 1:
            require_spendable(_grant(connection, identifier, audience), now=now)
            raise RuntimeError("a spendable grant was not spent")
        grant = _grant(connection, identifier, audience)
    return grant, found


def record(
    connection: Connection,
    grant_id: str,
    made: ReportedOutput,
    *,
    audience: str,
    identifier: str,
    now: datetime,
    at_most: int = AT_MOST,
) -> Output:
    """Record an output of a job whose grant was spent, even if the owner has revoked the permission since: the owner must see it.

    The same output again returns the first record; a draft can become published, never the other way. A missing platform can be
    added, and stays. A generator records a file under one grant alone, and `at_most` files under each.

    Raises:
        RefusedError: `GRANT_UNKNOWN`, `GRANT_NOT_SPENT`, `TOO_MANY_OUTPUTS` or `OUTPUT_RECORDED_OTHERWISE`.
    """
    grant = _grant(connection, grant_id, audience, hold=True)
    if grant.spent_at is None:
        raise RefusedError(Refusal.GRANT_NOT_SPENT)
    # Locked before anything is written, in the common lock order: cameos, outputs, the counter of events.
    found = cameos.several(connection, grant.cameo_ids, hold=True)
    table = tables.outputs
    mine = (table.c.grant_id == grant_id) & (table.c.sha256 == made.sha256)
    row = connection.execute(select(table).where(mine)).one_or_none()
    if row is None:
        _require_new(connection, grant_id, made, audience=audience, at_most=at_most)
        values = {
            "id": identifier,
            "grant_id": grant_id,
            "audience": audience,
            "sha256": made.sha256,
            "c2pa_manifest": made.c2pa_manifest,
            "state": made.state.value,
            "creator": made.creator,
            "platform": made.platform,
            "created_at": now,
            "updated_at": now,
        }
        connection.execute(insert(table).values(values))
        named = bool(made.platform)
    else:
        earlier = _output(row)
        facts = (earlier.c2pa_manifest, earlier.creator) == (made.c2pa_manifest, made.creator)
        platform = earlier.platform or made.platform
        moved = made.platform not in {"", platform}
        if not facts or moved or (earlier.state, made.state) == (OutputState.PUBLISHED, OutputState.DRAFT):
            raise RefusedError(Refusal.OUTPUT_RECORDED_OTHERWISE)
        if (earlier.state, earlier.platform) == (made.state, platform):
            return earlier
        named = platform != earlier.platform
        values = {"state": made.state.value, "platform": platform, "updated_at": now}
        connection.execute(update(table).where(table.c.id == earlier.id).values(values))
    output = _output(connection.execute(select(table).where(mine)).one())
    number = 0
    for cameo in _in_order(found, grant.cameo_ids):
        number = events.append(connection, cameo, EventKind.OUTPUT_RECORDED, now=now, grant_id=grant_id, output_id=output.id)
    if named:
        connection.execute(update(table).where(table.c.id == output.id).values(shown_since=number))
    return output


def _require_new(connection: Connection, grant_id: str, made: ReportedOutput, *, audience: str, at_most: int) -> None:
    """Check that a held grant may have one more output, and that no other of its generator's has this one."""
    table = tables.outputs
    again = select(table.c.id).where(table.c.audience == audience, table.c.sha256 == made.sha256)
    if connection.execute(again).first() is not None:
        raise RefusedError(Refusal.OUTPUT_RECORDED_OTHERWISE)
    count = connection.execute(select(func.count()).select_from(table).where(table.c.grant_id == grant_id)).scalar_one()
    if count >= at_most:
        raise RefusedError(Refusal.TOO_MANY_OUTPUTS, metadata={"at_most": str(at_most)})


def of_cameo(connection: Connection, cameo_id: str, *, before: int | None, limit: int) -> list[Use]:
    """Return the uses of a cameo, the latest first, with numbers below `before`, without the other cameos of a job.

    Raises:
        RefusedError: `PAGE_TOKEN_INVALID`: `before` is beyond the newest event.
    """
    events.require_reached(connection, before)
    uses, grants, outputs = tables.grant_cameos, tables.grants, tables.outputs
    query = select(uses.c.number, grants).join(grants, grants.c.id == uses.c.grant_id).where(uses.c.cameo_id == cameo_id)
    if before is not None:
        query = query.where(uses.c.number < before)
    rows = connection.execute(query.order_by(uses.c.number.desc()).limit(limit)).all()
    made: dict[str, list[Output]] = defaultdict(list)
    of_these = outputs.c.grant_id.in_([row.id for row in rows])
    for row in connection.execute(select(outputs).where(of_these).order_by(outputs.c.created_at, outputs.c.id)):
        made[row.grant_id].append(_output(row))
    return [Use(row.number, _to_grant(row, (cameo_id,)), tuple(made[row.id])) for row in rows]


def _require_permitted(
    found: Mapping[str, Cameo], use: Job | Grant, relationships: Relationships, attested_since: datetime | None
) -> tuple[Cameo, ...]:
    for cameo_id in use.cameo_ids:
        cameo = _known(found, cameo_id)
        answer = decide(cameo, use.requester, use.purposes, relationships, generator=use.audience, attested_since=attested_since)
        if answer is not Answer.PERMITTED:
            raise RefusedError(Refusal.USE_NOT_PERMITTED, metadata={"cameo_id": cameo_id, "answer": answer.name})
    return _in_order(found, use.cameo_ids)


def _answer(found: Mapping[str, Cameo], question: Question) -> Answer | CameoError:
    try:
        cameo, since = _known(found, question.cameo_id), question.attested_since
        return decide(
            cameo,
            question.requester,
            question.purposes,
            question.relationships,
            generator=question.generator,
            attested_since=since,
        )
    except CameoError as error:
        return error


def _only(answers: Sequence[ResultT | CameoError]) -> ResultT:
    [answer] = answers
    if isinstance(answer, CameoError):
        raise answer
    return answer


def _known(found: Mapping[str, Cameo], cameo_id: str) -> Cameo:
    try:
        return found[cameo_id]
    except KeyError:
        raise RefusedError(Refusal.CAMEO_UNKNOWN, metadata={"cameo_id": cameo_id}) from None


def _in_order(found: Mapping[str, Cameo], cameo_ids: tuple[str, ...]) -> tuple[Cameo, ...]:
    return tuple(found[cameo_id] for cameo_id in cameo_ids)


def _by_request(connection: Connection, jobs: Sequence[Job]) -> dict[tuple[str, str], Grant]:
    """Return the existing grants of these requests, by audience and request."""
    known = {"audiences": sorted({job.audience for job in jobs}), "requests": sorted({job.request_id for job in jobs})}
    asked = {(job.audience, job.request_id) for job in jobs}
    rows = connection.execute(_OF_REQUESTS, known).all()
    return {
        (row.audience, row.request_id): _grant(connection, row.id, row.audience)
        for row in rows
        if (row.audience, row.request_id) in asked
    }


def _require_same(grant: Grant, job: Job, *, now: datetime) -> None:
    """Check that an earlier request's grant answers this one too."""
    asked = (job.requester, job.job_id, frozenset(job.cameo_ids), job.purposes)
    if (grant.requester, grant.job_id, frozenset(grant.cameo_ids), grant.purposes) != asked:
        raise RefusedError(Refusal.REQUEST_ID_REUSED)
    if grant.spent_at is None:
        require_spendable(grant, now=now)


def _grant(connection: Connection, identifier: str, audience: str, *, hold: bool = False) -> Grant:
    grants, uses = tables.grants, tables.grant_cameos
    mine = (grants.c.id == identifier) & (grants.c.audience == audience)
    query = select(grants, uses.c.cameo_id).join(uses, uses.c.grant_id == grants.c.id).where(mine).order_by(uses.c.number)
    rows = connection.execute(query.with_for_update() if hold else query).all()
    if not rows:
        raise RefusedError(Refusal.GRANT_UNKNOWN)
    return _to_grant(rows[0], tuple(row.cameo_id for row in rows))


def _to_grant(row: Row[Any], cameo_ids: tuple[str, ...]) -> Grant:
    return Grant(
        id=row.id,
        audience=row.audience,
        requester=row.requester,
        job_id=row.job_id,
        cameo_ids=cameo_ids,
        purposes=frozenset(map(UseCategory, row.purposes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        spent_at=row.spent_at,
        spent_by_request=row.spent_by_request or "",
        revoked_at=row.revoked_at,
        overdue_at=row.overdue_at,
    )


def _output(row: Row[Any]) -> Output:
    return Output(
        id=row.id,
        grant_id=row.grant_id,
        sha256=row.sha256,
        c2pa_manifest=row.c2pa_manifest,
        state=OutputState(row.state),
        creator=row.creator,
        created_at=row.created_at,
        updated_at=row.updated_at,
        platform=row.platform,
    )
