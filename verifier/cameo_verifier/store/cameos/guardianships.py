"""Guardianships: links between guardians and minors. Every function runs inside a transaction of the caller.

One row per pair, created by the side that consents first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from cameo_verifier.cameo.model import Guardianship, GuardianshipState
from cameo_verifier.store.db import documents, tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select


def guardians_of(connection: Connection, minor: str) -> frozenset[str]:
    """Return the guardians that are linked to a minor."""
    table = tables.guardianships
    query = select(table.c.guardian).where(table.c.minor == minor, table.c.state == GuardianshipState.LINKED.value)
    return frozenset(connection.execute(query).scalars())


def minors_of(guardian: str) -> Select[tuple[str]]:
    """Return the query for the minors that a guardian is linked to."""
    table = tables.guardianships
    return select(table.c.minor).where(table.c.guardian == guardian, table.c.state == GuardianshipState.LINKED.value)


def held(connection: Connection, *, guardian: str, minor: str) -> Guardianship | None:
    """Return the guardianship of two people, None if there is none, and lock all of this minor's until the transaction ends.

    All rows of the minor are locked: of two guardians who step down concurrently, the second sees that the first is gone.
    """
    table = tables.guardianships
    query = select(table).where(table.c.minor == minor).order_by(table.c.guardian).with_for_update()
    return next((_guardianship(row) for row in connection.execute(query).all() if row.guardian == guardian), None)


def of_person(
    connection: Connection, person: str, *, as_guardian: bool, after: tuple[datetime, str] | None, limit: int
) -> list[Guardianship]:
    """Return the guardianships of a guardian, or else of a minor, oldest first, starting after (creation, the other's id)."""
    table = tables.guardianships
    mine, other = (table.c.guardian, table.c.minor) if as_guardian else (table.c.minor, table.c.guardian)
    query = select(table).where(mine == person).order_by(table.c.created_at, other).limit(limit)
    if after is not None:
        moment, identifier = after
        query = query.where((table.c.created_at > moment) | ((table.c.created_at == moment) & (other > identifier)))
    return [_guardianship(row) for row in connection.execute(query)]


def add(connection: Connection, guardianship: Guardianship) -> Guardianship:
    """Add the guardianship of a new pair."""
    connection.execute(insert(tables.guardianships).values(_row(guardianship)))
    return guardianship


def keep(connection: Connection, guardianship: Guardianship, *, now: datetime) -> Guardianship:
    """Store a locked guardianship after a change."""
    table = tables.guardianships
    kept = replace(guardianship, updated_at=now)
    mine = (table.c.guardian == kept.guardian) & (table.c.minor == kept.minor)
    connection.execute(update(table).where(mine).values(_row(kept)))
    return kept


def _row(guardianship: Guardianship) -> dict[str, Any]:
    by_guardian, by_minor = guardianship.guardian_consent, guardianship.minor_consent
    return {
        "guardian": guardianship.guardian,
        "minor": guardianship.minor,
        "state": guardianship.state.value,
        "guardian_consent": by_guardian and documents.consent_to_json(by_guardian),
        "minor_consent": by_minor and documents.consent_to_json(by_minor),
        "created_at": guardianship.created_at,
        "updated_at": guardianship.updated_at,
    }


def _guardianship(row: Row[Any]) -> Guardianship:
    return Guardianship(
        guardian=row.guardian,
        minor=row.minor,
        state=GuardianshipState(row.state),
        guardian_consent=row.guardian_consent and documents.consent_from_json(row.guardian_consent),
        minor_consent=row.minor_consent and documents.consent_from_json(row.minor_consent),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
