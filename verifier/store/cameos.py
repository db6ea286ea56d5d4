"""Cameos: made of an accepted attempt, changed by their owner, and at last a tombstone.

Every verb works inside a transaction of the caller, holds the cameo's row until that ends, and adds its event to it. `subject` is
who asks: another's cameo is unknown to them; None asks for the app, which sees all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from verifier.cameo.model import Cameo, CameoState, Consent, EventKind, Terms, UseCategory, WhoMayUse
from verifier.cameo.permissions import consent_digest, require_changeable, require_terms
from verifier.cameo.refusal import Refusal, RefusedError
from verifier.store import erasure, events, likenesses, statuses, tables
from verifier.token_status import Status
from verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy import Connection, Row

_ATTEMPT_COLUMNS = (tables.attempts.c.subject, tables.attempts.c.verdict, tables.attempts.c.minor_safeguards)


def create(
    connection: Connection,
    attempt_id: str,
    *,
    subject: str | None,
    request_id: str,
    text_version: str,
    locale: str,
    agreed_at: datetime,
    now: datetime,
) -> Cameo:
    """Make the cameo of an accepted attempt, which only its owner may use as yet; a repeated request gets the first one's.

    Raises:
        RefusedError: `ATTEMPT_UNKNOWN`, `ATTEMPT_NOT_ACCEPTED`, `ATTEMPT_USED` or `LIKENESS_NOT_KEPT`.
    """
    attempt = connection.execute(
        select(*_ATTEMPT_COLUMNS).where(tables.attempts.c.id == attempt_id).with_for_update()
    ).one_or_none()
    if attempt is None or (subject is not None and attempt.subject != subject):
        raise RefusedError(Refusal.ATTEMPT_UNKNOWN)
    if attempt.verdict != Verdict.ACCEPTED.value:
        raise RefusedError(Refusal.ATTEMPT_NOT_ACCEPTED)
    earlier = connection.execute(select(tables.cameos).where(tables.cameos.c.attempt_id == attempt_id)).one_or_none()
    if earlier is not None:
        if earlier.request_id != request_id:
            raise RefusedError(Refusal.ATTEMPT_USED)
        return _cameo(earlier)
    cameo_id = likenesses.cameo_of(connection, attempt_id)
    if not cameo_id:
        raise RefusedError(Refusal.LIKENESS_NOT_KEPT)
    digest = consent_digest(
        cameo_id=cameo_id, attempt_id=attempt_id, text_version=text_version, locale=locale, agreed_at=agreed_at
    )
    cameo = Cameo(
        id=cameo_id,
        subject=attempt.subject,
        attempt_id=attempt_id,
        state=CameoState.CAMEO_ACTIVE,
        terms=Terms(),
        minor_safeguards=attempt.minor_safeguards,
        consent=Consent(text_version, locale, agreed_at, digest),
        version=1,
        created_at=now,
        updated_at=now,
        reason="",
    )
    connection.execute(insert(tables.cameos).values({**_row(cameo), "request_id": request_id}))
    events.append(connection, cameo, EventKind.WAS_CREATED, now=now)
    return cameo


def get(connection: Connection, identifier: str, *, subject: str | None, hold: bool = False) -> Cameo:
    """Return a cameo, or its tombstone; with `hold`, it cannot change before this transaction ends.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`.
    """
    query = select(tables.cameos).where(tables.cameos.c.id == identifier)
    if hold:
        query = query.with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None or (subject is not None and row.subject != subject):
        raise RefusedError(Refusal.CAMEO_UNKNOWN, metadata={"cameo_id": identifier})
    return _cameo(row)


def several(connection: Connection, identifiers: Collection[str], *, hold: bool) -> dict[str, Cameo]:
    """Return those of the cameos that exist, by id; with `hold`, none of them can change before this transaction ends."""
    table = tables.cameos
    chosen = table.c.id == next(iter(identifiers)) if len(identifiers) == 1 else table.c.id.in_(sorted(identifiers))
    query = select(table).where(chosen).order_by(table.c.id)
    if hold:
        query = query.with_for_update(read=True)
    return {row.id: _cameo(row) for row in connection.execute(query)}


def of_subject(connection: Connection, subject: str, *, after: tuple[datetime, str] | None, limit: int) -> list[Cameo]:
    """Return a subject's cameos and tombstones, oldest first, beginning after (creation, id)."""
    table = tables.cameos
    query = select(table).where(table.c.subject == subject).order_by(table.c.created_at, table.c.id).limit(limit)
    if after is not None:
        moment, identifier = after
        query = query.where((table.c.created_at > moment) | ((table.c.created_at == moment) & (table.c.id > identifier)))
    return [_cameo(row) for row in connection.execute(query)]


def change(
    connection: Connection,
    identifier: str,
    changed: Callable[[Terms], Terms],
    *,
    subject: str | None,
    version: int,
    now: datetime,
) -> Cameo:
    """Change the terms of the cameo as it was read at `version`; effective with the transaction.

    A change that is in force already counts as done, so that a lost reply can be asked for again.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED`, `CAMEO_GONE`, `CAMEO_CHANGED` or `MINOR_NEEDS_GUARDIAN`.
    """
    cameo = _held(connection, identifier, subject)
    require_changeable(cameo)
    terms = changed(cameo.terms)
    if terms == cameo.terms:
        return cameo
    if cameo.version != version:
        raise RefusedError(Refusal.CAMEO_CHANGED)
    require_terms(terms, minor_safeguards=cameo.minor_safeguards)
    return _keep(connection, replace(cameo, terms=terms), EventKind.PERMISSION_CHANGED, now=now)


def pause(connection: Connection, identifier: str, *, subject: str | None, reason: str, now: datetime) -> Cameo:
    """Let nobody use a cameo until it is resumed; open grants die, its credentials are suspended.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED` or `CAMEO_GONE`.
    """
    cameo = _held(connection, identifier, subject)
    require_changeable(cameo)
    if cameo.state is CameoState.CAMEO_PAUSED:
        return cameo
    _end_grants(connection, identifier, now=now)
    statuses.change_of_cameo(connection, identifier, Status.SUSPENDED, now=now)
    paused = replace(cameo, state=CameoState.CAMEO_PAUSED, reason=reason)
    return _keep(connection, paused, EventKind.WAS_PAUSED, now=now)


def revoke(connection: Connection, identifier: str, *, subject: str | None, reason: str, now: datetime) -> Cameo:
    """Let nobody use a cameo ever again; open grants die, its credentials are revoked.

    Raises:
        RefusedError: `CAMEO_UNKNOWN` or `CAMEO_GONE`.
    """
    cameo = _held(connection, identifier, subject)
    if cameo.state is CameoState.CAMEO_REVOKED:
        return cameo
    require_changeable(cameo)
    _end_grants(connection, identifier, now=now)
    statuses.change_of_cameo(connection, identifier, Status.INVALID, now=now)
    revoked = replace(cameo, state=CameoState.CAMEO_REVOKED, reason=reason)
    return _keep(connection, revoked, EventKind.WAS_REVOKED, now=now)


def resume(connection: Connection, identifier: str, *, subject: str | None, now: datetime) -> Cameo:
    """Let a paused cameo be used again, under the terms it has; its credentials hold again, but for those that were revoked.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED` or `CAMEO_GONE`.
    """
    cameo = _held(connection, identifier, subject)
    require_changeable(cameo)
    if cameo.state is CameoState.CAMEO_ACTIVE:
        return cameo
    statuses.change_of_cameo(connection, identifier, Status.VALID, now=now)
    resumed = replace(cameo, state=CameoState.CAMEO_ACTIVE, reason="")
    return _keep(connection, resumed, EventKind.WAS_RESUMED, now=now)


def delete(connection: Connection, identifier: str, *, subject: str | None, now: datetime) -> Cameo:
    """Destroy what is kept of a cameo, see `verifier.store.erasure`, and its terms; leave a tombstone.

    The tombstone keeps the subject, the consent and the times: the owner still sees what was made, and that it is gone.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`.
    """
    cameo = _held(connection, identifier, subject)
    if cameo.state is CameoState.CAMEO_DELETED:
        return cameo
    erasure.erase(connection, cameo, now=now)
    _end_grants(connection, identifier, now=now)
    gone = replace(cameo, state=CameoState.CAMEO_DELETED, terms=Terms(), attempt_id="", reason="")
    return _keep(connection, gone, EventKind.WAS_DELETED, now=now)


def _end_grants(connection: Connection, identifier: str, *, now: datetime) -> None:
    grants, uses = tables.grants, tables.grant_cameos
    of_cameo = select(uses.c.grant_id).where(uses.c.cameo_id == identifier)
    still_open = grants.c.spent_at.is_(None) & grants.c.revoked_at.is_(None)
    connection.execute(update(grants).where(grants.c.id.in_(of_cameo), still_open).values(revoked_at=now))


def _held(connection: Connection, identifier: str, subject: str | None) -> Cameo:
    return get(connection, identifier, subject=subject, hold=True)


def _keep(connection: Connection, cameo: Cameo, kind: EventKind, *, now: datetime) -> Cameo:
    table = tables.cameos
    kept = replace(cameo, version=cameo.version + 1, updated_at=now)
    statement = update(table).where(table.c.id == cameo.id, table.c.version == cameo.version).values(_row(kept))
    if connection.execute(statement).rowcount != 1:
        raise RefusedError(Refusal.CAMEO_CHANGED)
    events.append(connection, kept, kind, now=now)
    return kept


def _row(cameo: Cameo) -> dict[str, Any]:
    return {
        "id": cameo.id,
        "subject": cameo.subject,
        "attempt_id": cameo.attempt_id or None,
        "state": cameo.state.value,
        "terms": _terms_to_json(cameo.terms),
        "minor_safeguards": cameo.minor_safeguards,
        "consent": {
            "text_version": cameo.consent.text_version,
            "locale": cameo.consent.locale,
            "agreed_at": cameo.consent.agreed_at.isoformat(),
            "digest": cameo.consent.digest,
        },
        "version": cameo.version,
        "created_at": cameo.created_at,
        "updated_at": cameo.updated_at,
        "reason": cameo.reason,
    }


def _cameo(row: Row[Any]) -> Cameo:
    consent = row.consent
    return Cameo(
        id=row.id,
        subject=row.subject,
        attempt_id=row.attempt_id or "",
        state=CameoState(row.state),
        terms=_terms_from_json(row.terms),
        minor_safeguards=row.minor_safeguards,
        consent=Consent(
            consent["text_version"], consent["locale"], datetime.fromisoformat(consent["agreed_at"]), consent["digest"]
        ),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        reason=row.reason,
    )


def _terms_to_json(terms: Terms) -> dict[str, Any]:
    return {
        "who": terms.who.value,
        "selected": sorted(terms.selected),
        "words": list(terms.words),
        "categories": sorted(category.value for category in terms.categories),
        "appearance_notes": terms.appearance_notes,
        "voice_notes": terms.voice_notes,
    }


def _terms_from_json(document: dict[str, Any]) -> Terms:
    return Terms(
        who=WhoMayUse(document["who"]),
        selected=frozenset(document["selected"]),
        words=tuple(document["words"]),
        categories=frozenset(map(UseCategory, document["categories"])),
        appearance_notes=document["appearance_notes"],
        voice_notes=document["voice_notes"],
    )
