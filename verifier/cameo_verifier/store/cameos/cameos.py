"""Cameos in the database: created of an accepted attempt, changed by their owner, deleted to a tombstone.

Every function runs inside a transaction of the caller, locks the cameo's row until that ends, and adds its event to it. `subject`
is the caller: another's cameo is unknown to them; None is the app, which sees all.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from cameo_credential.token_status import Status
from cameo_verifier.cameo import guardians
from cameo_verifier.cameo.consent_record import RecordKind
from cameo_verifier.cameo.model import (
    ANALYSTS,
    OWNER,
    Cameo,
    CameoState,
    EventKind,
    Terms,
    UseCategory,
)
from cameo_verifier.cameo.permissions import new_cameo, require_changeable, require_consent_time, takes_back, widens
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.cameo.verification_options import Enrolment
from cameo_verifier.store.cameos import events, guardianships, likenesses
from cameo_verifier.store.cameos.consent_records import rekeyed
from cameo_verifier.store.credentials import credentials, receipts, statuses
from cameo_verifier.store.db import documents, tables
from cameo_verifier.store.evidence import ends, erasure
from cameo_verifier.store.evidence.ends import End
from cameo_verifier.types import Ruling, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from cameo_verifier.store.cameos.consent_records import ConsentRecords

_READ_ONE = select(tables.cameos).where(tables.cameos.c.id == bindparam("identifier"))
_READ_SEVERAL = (
    select(tables.cameos).where(tables.cameos.c.id.in_(bindparam("identifiers", expanding=True))).order_by(tables.cameos.c.id)
)
# No share locks: their holders can follow each other so closely that an owner's change never gets the row.
_HOLD_ONE, _HOLD_SEVERAL = (query.with_for_update(key_share=True) for query in (_READ_ONE, _READ_SEVERAL))
_STATUS = {
    CameoState.CAMEO_ACTIVE: Status.VALID,
    CameoState.CAMEO_PAUSED: Status.SUSPENDED,
    CameoState.CAMEO_REVOKED: Status.INVALID,
}
"""Status of a cameo's credentials by the cameo's state; deletion erases them."""
_ATTEMPT_COLUMNS = (
    tables.attempts.c.subject,
    tables.attempts.c.verdict,
    tables.attempts.c.ruling,
    tables.attempts.c.minor_safeguards,
    tables.attempts.c.created_at,
    tables.attempts.c.challenge_id,
)


def create(  # noqa: PLR0913 - a consent says this much, each by name
    connection: Connection,
    attempt_id: str,
    *,
    subject: str | None,
    request_id: str,
    text_version: str,
    locale: str,
    agreed_at: datetime,
    now: datetime,
    text_sha256: str = "",
    records: ConsentRecords | None = None,
) -> Cameo:
    """Create the cameo of an attempt that holds, for the owner's use only; a repeated request returns the first one's.

    It is created paused if analysts have suspended it. The consent is recorded in `records`.

    Raises:
        RefusedError: `ATTEMPT_UNKNOWN`, `ATTEMPT_NOT_ACCEPTED`, `ATTEMPT_USED`, `CONSENT_OUT_OF_TIME` or `LIKENESS_NOT_KEPT`.
    """
    attempt = connection.execute(
        select(*_ATTEMPT_COLUMNS).where(tables.attempts.c.id == attempt_id).with_for_update()
    ).one_or_none()
    if attempt is None or (subject is not None and attempt.subject != subject):
        raise RefusedError(Refusal.ATTEMPT_UNKNOWN)
    if attempt.verdict != Verdict.ACCEPTED.value and attempt.ruling != Ruling.APPROVED.value:
        raise RefusedError(Refusal.ATTEMPT_NOT_ACCEPTED)
    earlier = connection.execute(select(tables.cameos).where(tables.cameos.c.attempt_id == attempt_id)).one_or_none()
    if earlier is not None:
        if earlier.request_id != request_id:
            raise RefusedError(Refusal.ATTEMPT_USED)
        return from_row(earlier)
    cameo_id = likenesses.cameo_of(connection, attempt_id)
    if not cameo_id:
        raise RefusedError(Refusal.LIKENESS_NOT_KEPT)
    issued_at = connection.execute(
        select(tables.challenges.c.issued_at).where(tables.challenges.c.id == attempt.challenge_id)
    ).scalar_one()
    require_consent_time(agreed_at, not_before=issued_at, now=now)
    cameo = new_cameo(
        cameo_id,
        Enrolment(text_version, locale, agreed_at, text_sha256, Terms()),
        subject=attempt.subject,
        attempt_id=attempt_id,
        attested_at=attempt.created_at,
        minor_safeguards=attempt.minor_safeguards,
        now=now,
    )
    return add(connection, cameo, request_id=request_id, records=records)


def add(connection: Connection, cameo: Cameo, *, request_id: str, records: ConsentRecords | None) -> Cameo:
    """Store a new cameo with its events and the record of its consent, paused if analysts have suspended it, and return it."""
    kinds = [EventKind.WAS_CREATED]
    if suspended(connection, cameo.id):
        cameo = replace(cameo, state=CameoState.CAMEO_PAUSED, paused_by=frozenset({ANALYSTS}))
        kinds.append(EventKind.WAS_PAUSED)
    connection.execute(insert(tables.cameos).values({**_row(cameo), "request_id": request_id}))
    for kind in kinds:
        events.append(connection, cameo, kind, now=cameo.created_at)
    if records is not None:
        records.note(connection, RecordKind.CONSENT_GIVEN, cameo, now=cameo.created_at)
    return cameo


def get(connection: Connection, identifier: str, *, subject: str | None, hold: bool = False) -> Cameo:
    """Return a cameo, or its tombstone; with `hold`, its row is locked until this transaction ends.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`.
    """
    query = select(tables.cameos).where(tables.cameos.c.id == identifier)
    if hold:
        query = query.with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None or (subject is not None and row.subject != subject):
        raise RefusedError(Refusal.CAMEO_UNKNOWN, metadata={"cameo_id": identifier})
    return from_row(row)


def several(connection: Connection, identifiers: Collection[str], *, hold: bool) -> dict[str, Cameo]:
    """Return the existing ones of the cameos, by id; with `hold`, their rows are locked until this transaction ends."""
    if len(identifiers) == 1:
        [only] = identifiers
        rows = connection.execute(_HOLD_ONE if hold else _READ_ONE, {"identifier": only})
    else:
        rows = connection.execute(_HOLD_SEVERAL if hold else _READ_SEVERAL, {"identifiers": sorted(identifiers)})
    return {row.id: from_row(row) for row in rows}


def of_subject(
    connection: Connection, subject: str, *, after: tuple[datetime, str] | None, limit: int, minors_only: bool = False
) -> list[Cameo]:
    """Return a subject's cameos and tombstones, oldest first, starting after (creation, id)."""
    table = tables.cameos
    query = select(table).where(table.c.subject == subject).order_by(table.c.created_at, table.c.id).limit(limit)
    if minors_only:
        query = query.where(table.c.minor_safeguards)
    if after is not None:
        moment, identifier = after
        query = query.where((table.c.created_at > moment) | ((table.c.created_at == moment) & (table.c.id > identifier)))
    return [from_row(row) for row in connection.execute(query)]


def change(
    connection: Connection,
    identifier: str,
    changed: Callable[[Terms], Terms],
    *,
    subject: str | None,
    version: int,
    now: datetime,
    records: ConsentRecords | None = None,
) -> Cameo:
    """Change the terms of the cameo as it was read at `version`; effective with the transaction.

    A change that is in effect already counts as done, so that a request can be retried. The part of a minor's change that widens
    the cameo waits for the guardians. What widens it is recorded in `records`.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED`, `CAMEO_GONE`, `CAMEO_CHANGED`, `MINOR_NEEDS_GUARDIAN` or
            `TOO_MANY_RESTRICTIONS`.
    """
    cameo = held(connection, identifier, subject)
    require_changeable(cameo)
    said = guardians.requested_terms(cameo)
    terms = changed(said)
    if terms == said:
        return cameo
    if cameo.version != version:
        raise RefusedError(Refusal.CAMEO_CHANGED)
    if cameo.minor_safeguards:
        linked = guardianships.guardians_of(connection, cameo.subject)
        return keep(connection, cameo, guardians.change_terms(cameo, terms, guardians=linked, now=now), now=now)
    kept = keep(connection, cameo, (replace(cameo, terms=terms), (EventKind.PERMISSION_CHANGED,)), now=now)
    if records is not None and widens(cameo.terms, terms):
        records.note(connection, RecordKind.CONSENT_WIDENED, kept, now=now)
    return kept


def pause(connection: Connection, identifier: str, *, subject: str | None, reason: str, now: datetime, by: str = OWNER) -> Cameo:
    """Pause a cameo: nobody may use it, open grants are revoked, its credentials suspended. `by`: the owner or a guardian.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED` or `CAMEO_GONE`.
    """
    cameo = held(connection, identifier, subject)
    require_changeable(cameo)
    end_grants(connection, identifier, now=now)
    return keep(connection, cameo, guardians.pause(cameo, reason, by=by), now=now)


def revoke(
    connection: Connection,
    identifier: str,
    *,
    subject: str | None,
    reason: str,
    now: datetime,
    records: ConsentRecords | None = None,
) -> Cameo:
    """Revoke a cameo, which is final: nobody may use it, open grants and its credentials are revoked; `records` gets it.

    Raises:
        RefusedError: `CAMEO_UNKNOWN` or `CAMEO_GONE`.
    """
    cameo = held(connection, identifier, subject)
    if cameo.state is CameoState.CAMEO_REVOKED:
        return cameo
    require_changeable(cameo)
    end_grants(connection, identifier, now=now)
    ends.note(connection, End.CAMEO_REVOKED, identifier)
    revoked = replace(cameo, state=CameoState.CAMEO_REVOKED, reason=reason, change=None, paused_by=frozenset())
    kept = keep(connection, cameo, (revoked, (EventKind.WAS_REVOKED,)), now=now)
    if records is not None:
        records.note(connection, RecordKind.CONSENT_WITHDRAWN, kept, now=now)
    return kept


def resume(connection: Connection, identifier: str, *, subject: str | None, now: datetime) -> Cameo:
    """Resume a paused cameo under its current terms; a minor's, once the guardians have approved it.

    Its credentials are valid again, except those that were revoked.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED`, `CAMEO_GONE` or `MINOR_NEEDS_GUARDIAN`.
    """
    cameo = held(connection, identifier, subject)
    require_changeable(cameo)
    if cameo.minor_safeguards:
        linked = guardianships.guardians_of(connection, cameo.subject)
        return keep(connection, cameo, guardians.ask_to_resume(cameo, guardians=linked, now=now), now=now)
    return keep(connection, cameo, guardians.end_pause(cameo, by=OWNER), now=now)


def delete(
    connection: Connection, identifier: str, *, subject: str | None, now: datetime, records: ConsentRecords | None = None
) -> Cameo:
    """Delete a cameo's data, see `cameo_verifier.store.evidence.erasure`, and its terms; leave a tombstone.

    The tombstone keeps the subject, the consent and the times: the owner still sees what was made, and that it is deleted. No row
    of the recording or of a credential has the time of the deletion. Of its consent records one is left, of the withdrawal.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`.
    """
    cameo = held(connection, identifier, subject)
    if cameo.state is CameoState.CAMEO_DELETED:
        return cameo
    with nullcontext() if records is None else rekeyed(connection, records.keys, cameo.subject, now=now, dropping=identifier):
        erasure.erase(connection, identifier, cameo.subject)
    end_grants(connection, identifier, now=now)
    no_terms = Terms(items=frozenset())
    emptied = replace(cameo, terms=no_terms, attempt_id="", reason="", change=None, paused_by=frozenset(), attested_at=None)
    gone = replace(emptied, state=CameoState.CAMEO_DELETED)
    kept = keep(connection, cameo, (gone, (EventKind.WAS_DELETED,)), now=now)
    if records is not None:
        records.note(connection, RecordKind.CONSENT_WITHDRAWN, kept, now=now)
    return kept


def held(connection: Connection, identifier: str, subject: str | None) -> Cameo:
    """Return a cameo with its row locked until this transaction ends.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`.
    """
    return get(connection, identifier, subject=subject, hold=True)


def keep(connection: Connection, before: Cameo, ruled: guardians.Ruled, *, now: datetime) -> Cameo:
    """Store the result of the rules for a locked cameo, with an event for each kind; nothing if nothing changed.

    The statuses of its credentials follow its state, that of its receipt a suspension by analysts.
    """
    cameo, kinds = ruled
    if cameo == before:
        return before
    table = tables.cameos
    kept = replace(cameo, version=before.version + 1, updated_at=now)
    statement = update(table).where(table.c.id == cameo.id, table.c.version == before.version).values(_row(kept))
    if connection.execute(statement).rowcount != 1:
        raise RefusedError(Refusal.CAMEO_CHANGED)
    if kept.state is not before.state and kept.state in _STATUS:
        statuses.change_of_cameo(connection, cameo.id, _STATUS[kept.state])
    if kept.suspended is not before.suspended and kept.state is not CameoState.CAMEO_REVOKED:
        receipts.change_of_cameo(connection, cameo.id, Status.SUSPENDED if kept.suspended else Status.VALID)
    if kept.terms != before.terms:
        _end_what_is_taken_back(connection, before, kept, now=now)
        credentials.revoke_unadmitted(connection, kept, now=now)
    for kind in kinds:
        events.append(connection, kept, kind, now=now)
    return kept


def end_grants(connection: Connection, identifier: str, *, now: datetime, audience: str | None = None) -> None:
    """Revoke the open grants of a locked cameo: all, or those of one audience."""
    grants, uses = tables.grants, tables.grant_cameos
    of_cameo = select(uses.c.grant_id).where(uses.c.cameo_id == identifier)
    still_open = grants.c.spent_at.is_(None) & grants.c.revoked_at.is_(None)
    if audience is not None:
        still_open &= grants.c.audience == audience
    connection.execute(update(grants).where(grants.c.id.in_(of_cameo), still_open).values(revoked_at=now))


def _end_what_is_taken_back(connection: Connection, before: Cameo, after: Cameo, *, now: datetime) -> None:
    """End the open grants that a change of terms takes the permission from: a later change does not bring them back."""
    grants, uses = tables.grants, tables.grant_cameos
    query = select(grants.c.id, grants.c.requester, grants.c.purposes, grants.c.audience).join(
        uses, uses.c.grant_id == grants.c.id
    )
    still_open = (uses.c.cameo_id == before.id) & grants.c.spent_at.is_(None) & grants.c.revoked_at.is_(None)
    ended = [
        row.id
        for row in connection.execute(query.where(still_open, grants.c.expires_at > now))
        if takes_back(before, after, row.requester, frozenset(map(UseCategory, row.purposes)), row.audience)
    ]
    if ended:
        connection.execute(update(grants).where(grants.c.id.in_(ended)).values(revoked_at=now))


def suspended(connection: Connection, cameo_id: str) -> bool:
    """Return whether analysts have suspended a cameo, created or not, inside a transaction of the caller."""
    table = tables.suspensions
    query = select(table.c.suspended).where(table.c.cameo_id == cameo_id).order_by(table.c.number.desc()).limit(1)
    return bool(connection.execute(query).scalar_one_or_none())


def _row(cameo: Cameo) -> dict[str, Any]:
    return {
        "id": cameo.id,
        "subject": cameo.subject,
        "attempt_id": cameo.attempt_id or None,
        "state": cameo.state.value,
        "terms": documents.terms_to_json(cameo.terms),
        "minor_safeguards": cameo.minor_safeguards,
        "consent": documents.consent_to_json(cameo.consent),
        "version": cameo.version,
        "created_at": cameo.created_at,
        "updated_at": cameo.updated_at,
        "reason": cameo.reason,
        "change": documents.change_to_json(cameo.change),
        "paused_by": sorted(cameo.paused_by) or None,
        "attested_at": cameo.attested_at,
    }


def from_row(row: Row[Any]) -> Cameo:
    """Return the cameo of a row of `tables.cameos`."""
    return Cameo(
        id=row.id,
        subject=row.subject,
        attempt_id=row.attempt_id or "",
        state=CameoState(row.state),
        terms=documents.terms_from_json(row.terms),
        minor_safeguards=row.minor_safeguards,
        consent=documents.consent_from_json(row.consent),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        reason=row.reason,
        change=documents.change_from_json(row.change),
        paused_by=frozenset(row.paused_by or ()),
        attested_at=row.attested_at,
    )
