"""Faces of protected and enrolled people, which the gallery searches, transformed by `cameo_verifier.screening.transform`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Collection as Several
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

_AT_ONCE = 10_000
"""Rows per query, about 5 MB."""
_ASKED_AT_ONCE = 500


class Collection(StrEnum):
    """The collection a face belongs to."""

    PROTECTED = "protected"
    """Faces of people the operator named; the owner is the name."""
    ENROLLED = "enrolled"
    """Faces of accepted attempts; the owner is the subject."""


@dataclass(frozen=True, slots=True)
class Code:
    """A transformed face, the id of the key that transformed it and the digest of its model (64 hex digits)."""

    code: bytes = field(repr=False)
    key_id: str
    model: str


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of a face. attempt_id: the attempt it was enrolled with; empty for a protected person."""

    collection: Collection
    owner: str
    attempt_id: str = ""


@dataclass(frozen=True, slots=True)
class Protected:
    """A protected person: the numbers of their faces, since when, and the subjects that are that person."""

    name: str
    numbers: tuple[int, ...]
    created_at: datetime
    subjects: tuple[str, ...]


class FaceStore:
    """Faces in the database behind `engine`. Every method raises `StoreError` if the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def after(self, number: int, *, key_id: str, model: str) -> Iterator[list[tuple[int, bytes]]]:
        """Yield the faces of a key and a model with higher numbers, in order, in batches."""
        table = tables.faces
        of_these = (table.c.key_id == key_id) & (table.c.model == model)
        with store_errors(), self._engine.connect() as connection:
            while True:
                statement = select(table.c.number, table.c.code).where(of_these, table.c.number > number)
                rows = connection.execute(statement.order_by(table.c.number).limit(_AT_ONCE)).all()
                if not rows:
                    return
                yield [(row.number, row.code) for row in rows]
                number = rows[-1].number

    def codes(self, numbers: Several[int]) -> list[tuple[int, bytes]]:
        """Return each face number that still exists, with its face."""
        table, wanted = tables.faces, sorted(numbers)
        found: list[tuple[int, bytes]] = []
        with store_errors(), self._engine.connect() as connection:
            for start in range(0, len(wanted), _ASKED_AT_ONCE):
                some = table.c.number.in_(wanted[start : start + _ASKED_AT_ONCE])
                found.extend(
                    (row.number, row.code) for row in connection.execute(select(table.c.number, table.c.code).where(some))
                )
        return found

    def models(self, *, key_id: str) -> list[str]:
        """Return the models of the faces of a key."""
        table = tables.faces
        with store_errors(), self._engine.connect() as connection:
            return list(connection.scalars(select(table.c.model).where(table.c.key_id == key_id).distinct()))

    def numbers(self, *, key_id: str, model: str) -> list[int]:
        """Return the numbers of all faces of a key and a model."""
        table = tables.faces
        with store_errors(), self._engine.connect() as connection:
            return list(connection.scalars(select(table.c.number).where(table.c.key_id == key_id, table.c.model == model)))

    def holders(self, numbers: Several[int]) -> dict[int, Holder]:
        """Return the holder of each face number that still exists."""
        table, wanted = tables.faces, sorted(numbers)
        found: dict[int, Holder] = {}
        with store_errors(), self._engine.connect() as connection:
            for start in range(0, len(wanted), _ASKED_AT_ONCE):
                some = table.c.number.in_(wanted[start : start + _ASKED_AT_ONCE])
                columns = (table.c.number, table.c.collection, table.c.owner, table.c.attempt_id)
                for row in connection.execute(select(*columns).where(some)):
                    found[row.number] = Holder(Collection(row.collection), row.owner, row.attempt_id or "")
        return found

    def of_attempt(self, attempt_id: str) -> tuple[int, Code] | None:
        """Return the number and the face that was enrolled with an attempt; None if there is none, or it was deleted."""
        table = tables.faces
        with store_errors(), self._engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.attempt_id == attempt_id).limit(1)).one_or_none()
        return None if row is None else (row.number, Code(row.code, row.key_id, row.model))

    def allowed(self, subject: str) -> frozenset[str]:
        """Return the names of the protected people that this subject is."""
        table = tables.protected_allowances
        with store_errors(), self._engine.connect() as connection:
            return frozenset(connection.scalars(select(table.c.name).where(table.c.subject == subject)))

    def protect(self, name: str, codes: Sequence[Code], *, now: datetime) -> None:
        """Add faces of a protected person, in one transaction."""
        with store_errors(), self._engine.begin() as connection:
            for code in codes:
                _add(connection, Holder(Collection.PROTECTED, name), code, now=now)

    def protected(self) -> list[Protected]:
        """Return the protected people by name."""
        table, allowances = tables.faces, tables.protected_allowances
        statement = select(table.c.owner, table.c.number, table.c.created_at).where(table.c.collection == Collection.PROTECTED)
        with store_errors(), self._engine.connect() as connection:
            rows = connection.execute(statement.order_by(table.c.owner, table.c.number)).all()
            pairs = connection.execute(select(allowances.c.name, allowances.c.subject).order_by(allowances.c.subject)).all()
        return [
            Protected(
                name,
                tuple(row.number for row in rows if row.owner == name),
                min(row.created_at for row in rows if row.owner == name),
                tuple(pair.subject for pair in pairs if pair.name == name),
            )
            for name in dict.fromkeys(row.owner for row in rows)
        ]

    def unprotect(self, name: str) -> int:
        """Delete a protected person with all allowances, and return the number of faces.

        Raises:
            NotFoundError: nobody of this name is protected.
        """
        with store_errors(), self._engine.begin() as connection:
            gone = _remove(connection, Holder(Collection.PROTECTED, name))
            if not gone:
                raise NotFoundError(f"nobody named {name!r} is protected")
            connection.execute(delete(tables.protected_allowances).where(tables.protected_allowances.c.name == name))
            return gone

    def allow(self, name: str, subject: str, *, now: datetime) -> None:
        """Permit a subject to enrol as a protected person; idempotent.

        Raises:
            NotFoundError: nobody of this name is protected.
        """
        faces, table = tables.faces, tables.protected_allowances
        known = select(faces.c.number).where(faces.c.collection == Collection.PROTECTED, faces.c.owner == name).limit(1)
        with store_errors():
            try:
                with self._engine.begin() as connection:
                    if connection.execute(known).first() is None:
                        raise NotFoundError(f"nobody named {name!r} is protected")
                    connection.execute(insert(table).values(name=name, subject=subject, created_at=now))
            except IntegrityError:
                return

    def disallow(self, name: str, subject: str) -> bool:
        """Revoke an allowance; return whether there was one."""
        table = tables.protected_allowances
        with store_errors(), self._engine.begin() as connection:
            statement = delete(table).where(table.c.name == name, table.c.subject == subject)
            return connection.execute(statement).rowcount > 0

    def forget(self, subject: str) -> int:
        """Delete the faces a subject enrolled, and return their number."""
        with store_errors(), self._engine.begin() as connection:
            return forget(connection, subject)

    def unreadable(self, *, key_id: str, model: str | None = None) -> int:
        """Return the number of faces transformed by another key, or, if a model is given, made by another model."""
        with store_errors(), self._engine.connect() as connection:
            found = connection.scalar(select(func.count()).select_from(tables.faces).where(_other(key_id, model)))
        return int(found or 0)

    def drop_unreadable(self, *, key_id: str, model: str) -> int:
        """Delete the faces of other keys and models, with which nothing can be compared; return their number."""
        with store_errors(), self._engine.begin() as connection:
            return connection.execute(delete(tables.faces).where(_other(key_id, model))).rowcount


def enrol(connection: Connection, subject: str, code: Code, *, attempt_id: str, now: datetime) -> None:
    """Store the face of an accepted attempt, inside a transaction of the caller."""
    _add(connection, Holder(Collection.ENROLLED, subject), code, attempt_id=attempt_id, now=now)


def forget(connection: Connection, subject: str) -> int:
    """Delete the faces a subject enrolled, inside a transaction of the caller, and return their number."""
    return _remove(connection, Holder(Collection.ENROLLED, subject))


def forget_without_likeness(connection: Connection, subject: str) -> int:
    """Delete the faces of a subject enrolled with attempts whose likenesses were deleted, and return their number.

    Runs inside a transaction of the caller.
    """
    table, likenesses = tables.faces, tables.likenesses
    kept = select(likenesses.c.attempt_id).where(likenesses.c.attempt_id == table.c.attempt_id).exists()
    of_subject = (table.c.collection == Collection.ENROLLED.value) & (table.c.owner == subject)
    return connection.execute(delete(table).where(of_subject, ~kept)).rowcount


def _add(connection: Connection, holder: Holder, code: Code, *, now: datetime, attempt_id: str | None = None) -> None:
    connection.execute(
        insert(tables.faces).values(
            collection=holder.collection.value,
            owner=holder.owner,
            attempt_id=attempt_id,
            key_id=code.key_id,
            model=code.model,
            code=code.code,
            created_at=now,
        )
    )


def _remove(connection: Connection, holder: Holder) -> int:
    table = tables.faces
    statement = delete(table).where(table.c.collection == holder.collection.value, table.c.owner == holder.owner)
    return connection.execute(statement).rowcount


def _other(key_id: str, model: str | None) -> ColumnElement[bool]:
    table = tables.faces
    return table.c.key_id != key_id if model is None else or_(table.c.key_id != key_id, table.c.model != model)
