"""Invariants of a database with cameos, which hold between any two transactions, whatever was interrupted."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from cameo_credential.token_status import Status
from cameo_verifier.cameo.model import CameoState, EventKind
from cameo_verifier.store.cameos.cameos import from_row
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row, Table

_STATE_AFTER = {
    EventKind.WAS_CREATED: CameoState.CAMEO_ACTIVE,
    EventKind.WAS_RESUMED: CameoState.CAMEO_ACTIVE,
    EventKind.WAS_PAUSED: CameoState.CAMEO_PAUSED,
    EventKind.WAS_REVOKED: CameoState.CAMEO_REVOKED,
    EventKind.WAS_DELETED: CameoState.CAMEO_DELETED,
}
_STATUSES = {
    CameoState.CAMEO_ACTIVE: {Status.VALID, Status.INVALID},
    CameoState.CAMEO_PAUSED: {Status.SUSPENDED, Status.INVALID},
    CameoState.CAMEO_REVOKED: {Status.INVALID},
    CameoState.CAMEO_DELETED: set[Status](),
}
"""What the entry of a credential may say by the state of its cameo; of a deleted one no credential is kept."""
_ASKED = {EventKind.CHANGE_PROPOSED, EventKind.CHANGE_APPROVED, EventKind.CHANGE_REFUSED, EventKind.CHANGE_WITHDRAWN}
_CHANGES = {*_STATE_AFTER, EventKind.PERMISSION_CHANGED, *_ASKED}


def check(connection: Connection) -> None:
    """Assert all invariants."""
    if connection.dialect.name == "sqlite":
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    _events_have_no_gap(connection)
    _cameos_stand_where_their_events_say(connection)
    _every_use_is_told(connection)
    _nothing_is_open_that_was_taken_back(connection)
    _what_is_deleted_is_gone_and_nothing_else_is(connection)
    _every_credential_has_its_status(connection)


def _all(connection: Connection, table: Table) -> Sequence[Row[Any]]:
    return connection.execute(select(table)).all()


def _events(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(select(tables.events).order_by(tables.events.c.number)).all()


def _events_have_no_gap(connection: Connection) -> None:
    """Event numbers are 1, 2, 3 … up to the counter."""
    last = connection.execute(select(tables.event_counter.c.last)).scalar_one()
    assert [event.number for event in _events(connection)] == list(range(1, last + 1))


def _cameos_stand_where_their_events_say(connection: Connection) -> None:
    """State and version of a cameo follow from its events, each addressed to its owner."""
    told: dict[str, list[Row[Any]]] = defaultdict(list)
    for event in _events(connection):
        if EventKind(event.kind) in _CHANGES:
            told[event.cameo_id].append(event)
    found = {cameo.id: cameo for cameo in _all(connection, tables.cameos)}
    assert told.keys() == found.keys()
    for identifier, cameo in found.items():
        kinds = [EventKind(event.kind) for event in told[identifier]]
        assert kinds[0] is EventKind.WAS_CREATED
        # One change of a minor's can be several events (the last approval, and what then holds) or none (a further pause).
        assert cameo.minor_safeguards or cameo.version == len(kinds), f"{identifier}: version {cameo.version}, {kinds}"
        assert CameoState(cameo.state) is [_STATE_AFTER[kind] for kind in kinds if kind in _STATE_AFTER][-1]
        assert {event.subject for event in told[identifier]} == {cameo.subject}


def _every_use_is_told(connection: Connection) -> None:
    """Each cameo of each grant has the event with its number, each output one per cameo, and there is no other such event."""
    uses = {(use.number, use.cameo_id, use.grant_id) for use in _all(connection, tables.grant_cameos)}
    events = _events(connection)
    granted = {(e.number, e.cameo_id, e.grant_id) for e in events if e.kind == EventKind.USE_GRANTED.value}
    assert granted == uses
    grants = {grant.id: grant for grant in _all(connection, tables.grants)}
    assert grants.keys() == {grant_id for _, _, grant_id in uses}

    of_grant = defaultdict(set)
    for _, cameo_id, grant_id in uses:
        of_grant[grant_id].add(cameo_id)
    outputs = _all(connection, tables.outputs)
    assert all(grants[output.grant_id].spent_at is not None for output in outputs)
    recorded = {(e.output_id, e.cameo_id) for e in events if e.kind == EventKind.OUTPUT_RECORDED.value}
    assert recorded == {(output.id, cameo_id) for output in outputs for cameo_id in of_grant[output.grant_id]}


def _nothing_is_open_that_was_taken_back(connection: Connection) -> None:
    """A grant is spent or revoked or neither; open grants are of active cameos only."""
    state = {cameo.id: CameoState(cameo.state) for cameo in _all(connection, tables.cameos)}
    open_grants = set()
    for grant in _all(connection, tables.grants):
        assert grant.spent_at is None or grant.revoked_at is None
        assert (grant.spent_at is None) == (grant.spent_by_request is None)
        if grant.spent_at is None and grant.revoked_at is None:
            open_grants.add(grant.id)
    for use in _all(connection, tables.grant_cameos):
        assert use.grant_id not in open_grants or state[use.cameo_id] is CameoState.CAMEO_ACTIVE


def _what_is_deleted_is_gone_and_nothing_else_is(connection: Connection) -> None:
    """A tombstone leads to no recording and has no likeness; of any other cameo likeness, attempt and challenge are there."""
    attempts = {attempt.id: attempt for attempt in _all(connection, tables.attempts)}
    challenges = {challenge.id: challenge for challenge in _all(connection, tables.challenges)}
    likenesses = {likeness.cameo_id: likeness.attempt_id for likeness in _all(connection, tables.likenesses)}
    for cameo in _all(connection, tables.cameos):
        if CameoState(cameo.state) is CameoState.CAMEO_DELETED:
            assert cameo.attempt_id is None
            assert cameo.id not in likenesses
            assert not any(value for name, value in cameo.terms.items() if name != "who")
            assert (cameo.terms["who"], cameo.reason) == ("only_me", "")
        else:
            assert likenesses[cameo.id] == cameo.attempt_id
            assert attempts[cameo.attempt_id].subject == cameo.subject
    for attempt in attempts.values():
        challenge = challenges[attempt.challenge_id]
        assert attempt.subject == challenge.subject
        if not attempt.subject:
            assert challenge.request_id is None
    for credential in _all(connection, tables.credentials):
        assert attempts[credential.attempt_id].subject


def _every_credential_has_its_status(connection: Connection) -> None:
    """Every credential has one entry, no more valid than its cameo and its owner's terms, and each list counts its own."""
    entries = _all(connection, tables.status_entries)
    statuses = {entry.jti: Status(entry.status) for entry in entries}
    cameos = {cameo.id: from_row(cameo) for cameo in _all(connection, tables.cameos)}
    for credential in _all(connection, tables.credentials):
        cameo = cameos[credential.cameo_id]
        assert statuses[credential.jti] in _STATUSES[cameo.state]
        assert cameo.terms.let_hold(credential.audience) or statuses[credential.jti] is Status.INVALID
    for receipt in _all(connection, tables.receipts):
        assert statuses[receipt.jti] is not Status.INVALID
    taken = Counter(entry.list_number for entry in entries)
    assert {kept.number: kept.used for kept in _all(connection, tables.status_lists) if kept.used} == taken
