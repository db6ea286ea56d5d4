"""Guardians' operations: linking, stepping down, and decisions on a minor's cameos.

Every function runs inside a transaction of the caller. To a guardian, a cameo is unknown unless it is under the safeguards for
minors and of a minor they are linked to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from cameo_verifier.cameo import guardians
from cameo_verifier.cameo.consent_record import RecordKind
from cameo_verifier.cameo.model import Cameo, CameoState, Consent, EventKind, Guardianship, GuardianshipState, Terms
from cameo_verifier.cameo.permissions import require_changeable, require_consent_time
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.cameos import cameos, events, guardianships, uses
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from cameo_verifier.cameo.model import Use
    from cameo_verifier.store.cameos.consent_records import ConsentRecords

_STANDING = (CameoState.CAMEO_ACTIVE.value, CameoState.CAMEO_PAUSED.value)


def consent(
    connection: Connection,
    *,
    guardian: str,
    minor: str,
    by_guardian: bool,
    text_version: str,
    locale: str,
    agreed_at: datetime,
    now: datetime,
    text_sha256: str = "",
) -> Guardianship:
    """Record one side's consent; with both, the two are linked. A repeated consent changes nothing.

    The result does not reveal whether the other person exists.

    Raises:
        RefusedError: `GUARDIAN_IS_A_MINOR` or `CONSENT_OUT_OF_TIME`.
    """
    require_consent_time(agreed_at, now=now)
    if by_guardian and _has_safeguards(connection, guardian):
        raise RefusedError(Refusal.GUARDIAN_IS_A_MINOR)
    side = GuardianshipState.AWAITING_GUARDIAN if by_guardian else GuardianshipState.AWAITING_MINOR
    other = GuardianshipState.AWAITING_MINOR if by_guardian else GuardianshipState.AWAITING_GUARDIAN
    digest = guardians.consent_digest(
        guardian=guardian,
        minor=minor,
        by_guardian=by_guardian,
        text_version=text_version,
        locale=locale,
        agreed_at=agreed_at,
        text_sha256=text_sha256,
    )
    given = Consent(text_version, locale, agreed_at, digest, text_sha256)
    known = guardianships.held(connection, guardian=guardian, minor=minor)
    first = Guardianship(guardian, minor, other, given if by_guardian else None, None if by_guardian else given, now, now)
    if known is None:
        return guardianships.add(connection, first)
    if known.state is GuardianshipState.ENDED:
        return guardianships.keep(connection, replace(first, created_at=known.created_at), now=now)
    if known.state is not side:
        return known
    both = replace(known, guardian_consent=given) if by_guardian else replace(known, minor_consent=given)
    events.append_of_guardian(connection, minor, EventKind.GUARDIAN_LINKED, now=now)
    return guardianships.keep(connection, replace(both, state=GuardianshipState.LINKED), now=now)


def end(connection: Connection, *, guardian: str, minor: str, by_guardian: bool, now: datetime) -> Guardianship:
    """End a link as the guardian, or withdraw or decline an unconfirmed one as either side.

    Raises:
        RefusedError: `GUARDIANSHIP_UNKNOWN` or `GUARDIAN_MUST_STEP_DOWN`.
    """
    known = guardianships.held(connection, guardian=guardian, minor=minor)
    if known is None:
        raise RefusedError(Refusal.GUARDIANSHIP_UNKNOWN)
    if known.state is GuardianshipState.ENDED:
        return known
    linked = known.state is GuardianshipState.LINKED
    if linked and not by_guardian:
        raise RefusedError(Refusal.GUARDIAN_MUST_STEP_DOWN)
    ended = guardianships.keep(connection, replace(known, state=GuardianshipState.ENDED), now=now)
    if linked:
        # Locked before an event is written: lock order is cameos first, then the counter of events.
        standing = [cameos.held(connection, identifier, minor) for identifier in _standing(connection, minor)]
        events.append_of_guardian(connection, minor, EventKind.GUARDIAN_STEPPED_DOWN, now=now)
        left = guardianships.guardians_of(connection, minor)
        for cameo in standing:
            if cameo.state.value in _STANDING:
                cameos.keep(connection, cameo, guardians.step_down(cameo, guardian=guardian, left=left), now=now)
    return ended


def approve(
    connection: Connection,
    identifier: str,
    number: int,
    *,
    guardian: str,
    now: datetime,
    records: ConsentRecords | None = None,
) -> Cameo:
    """Approve a pending change; with the last guardian's approval it takes effect. `records` gets the approval.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED`, `CAMEO_GONE` or `CHANGE_NOT_PENDING`.
    """
    cameo = _held(connection, identifier, guardian)
    linked = guardianships.guardians_of(connection, cameo.subject)
    pending = cameo.pending
    kept = cameos.keep(connection, cameo, guardians.approve(cameo, number, guardian=guardian, guardians=linked), now=now)
    if records is not None and pending is not None and kept is not cameo:
        by = pending.approved_by | {guardian}
        records.note(connection, RecordKind.CONSENT_APPROVED, kept, now=now, terms=pending.terms, guardians=by)
    return kept


def refuse(connection: Connection, identifier: str, number: int, *, guardian: str, now: datetime) -> Cameo:
    """Refuse a pending change, which ends it.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED`, `CAMEO_GONE` or `CHANGE_NOT_PENDING`.
    """
    cameo = _held(connection, identifier, guardian)
    return cameos.keep(connection, cameo, guardians.refuse(cameo, number), now=now)


def narrow(connection: Connection, identifier: str, bound: Callable[[Terms], Terms], *, guardian: str, now: datetime) -> Cameo:
    """Narrow a cameo to at most these terms, at once.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED`, `CAMEO_GONE` or `TOO_MANY_RESTRICTIONS`.
    """
    cameo = _held(connection, identifier, guardian)
    return cameos.keep(connection, cameo, guardians.narrow(cameo, bound, guardian=guardian), now=now)


def pause(connection: Connection, identifier: str, *, guardian: str, reason: str, now: datetime) -> Cameo:
    """Pause a cameo: nobody may use it, and open grants are revoked. The minor cannot end it.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED` or `CAMEO_GONE`.
    """
    _held(connection, identifier, guardian)
    return cameos.pause(connection, identifier, subject=None, reason=reason, now=now, by=guardian)


def resume(connection: Connection, identifier: str, *, guardian: str, now: datetime) -> Cameo:
    """End the guardian's own pause; others' remain.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`, `CAMEO_ENDED` or `CAMEO_GONE`.
    """
    cameo = _held(connection, identifier, guardian)
    return cameos.keep(connection, cameo, guardians.end_pause(cameo, by=guardian), now=now)


def cameos_of(
    connection: Connection, minor: str, *, guardian: str, after: tuple[datetime, str] | None, limit: int
) -> list[Cameo]:
    """Return a minor's cameos, oldest first, starting after (creation, id); none to a guardian who is not linked."""
    if guardian not in guardianships.guardians_of(connection, minor):
        return []
    return cameos.of_subject(connection, minor, after=after, limit=limit, minors_only=True)


def uses_of(connection: Connection, identifier: str, *, guardian: str, before: int | None, limit: int) -> list[Use]:
    """Return the uses of a cameo as its owner sees them.

    Raises:
        RefusedError: `CAMEO_UNKNOWN` or `PAGE_TOKEN_INVALID`.
    """
    require_theirs(connection, cameos.get(connection, identifier, subject=None), guardian)
    return uses.of_cameo(connection, identifier, before=before, limit=limit)


def _held(connection: Connection, identifier: str, guardian: str) -> Cameo:
    cameo = cameos.held(connection, identifier, None)
    require_theirs(connection, cameo, guardian)
    require_changeable(cameo)
    return cameo


def require_theirs(connection: Connection, cameo: Cameo, guardian: str) -> None:
    """Check that this is the cameo of a minor the guardian is linked to, inside a transaction of the caller.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`.
    """
    if not cameo.minor_safeguards or guardian not in guardianships.guardians_of(connection, cameo.subject):
        raise RefusedError(Refusal.CAMEO_UNKNOWN, metadata={"cameo_id": cameo.id})


def _has_safeguards(connection: Connection, person: str) -> bool:
    table = tables.cameos
    query = select(table.c.id).where(table.c.subject == person, table.c.minor_safeguards, table.c.state.in_(_STANDING)).limit(1)
    return connection.execute(query).first() is not None


def _standing(connection: Connection, minor: str) -> list[str]:
    table = tables.cameos
    mine = (table.c.subject == minor) & table.c.minor_safeguards & table.c.state.in_(_STANDING)
    return list(connection.execute(select(table.c.id).where(mine).order_by(table.c.id)).scalars())
