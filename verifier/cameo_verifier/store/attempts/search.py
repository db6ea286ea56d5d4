"""Queries of attempts by condition, in pages, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, func, or_, select, union_all

from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.attempts.attempts import from_row
from cameo_verifier.store.attempts.states import AttemptState
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Engine

    from cameo_verifier.store.attempts.attempts import Attempt

_AT_ONCE = 500


class AttemptSearch:
    """Queries the database behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self, condition: ColumnElement[bool] | None = None, *, after: tuple[datetime, str] | None = None, limit: int = 100
    ) -> list[Attempt]:
        """Return attempts that meet a condition, the newest first.

        Args:
            condition: on `tables.attempts`; None for all.
            after: `created_at` and id of the last attempt of the previous page.
            limit: maximum number.

        Raises:
            StoreError: the database failed.
        """
        table = tables.attempts
        query = select(table).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        if condition is not None:
            query = query.where(condition)
        if after is not None:
            query = query.where(_older(*after))
        with store_errors(), self._engine.connect() as connection:
            return [from_row(row) for row in connection.execute(query)]

    def neighbours(self, condition: ColumnElement[bool], place: tuple[datetime, str]) -> tuple[str, str]:
        """Return the ids of the attempts next to a place among those that meet a condition: the newer one, the older one.

        Args:
            condition: on `tables.attempts`.
            place: `created_at` and id of an attempt, which itself need not meet it.

        Returns:
            both ids, each empty if there is none.

        Raises:
            StoreError: the database failed.
        """
        table = tables.attempts
        moment, identifier = place
        newer = or_(table.c.created_at > moment, and_(table.c.created_at == moment, table.c.id > identifier))
        ids = select(table.c.id).where(condition).limit(1)
        with store_errors(), self._engine.connect() as connection:
            above = connection.execute(ids.where(newer).order_by(table.c.created_at, table.c.id)).scalar_one_or_none()
            below = connection.execute(
                ids.where(_older(moment, identifier)).order_by(table.c.created_at.desc(), table.c.id.desc())
            ).scalar_one_or_none()
        return above or "", below or ""

    def same_file(self, attempt: Attempt, *, limit: int) -> list[Attempt]:
        """Return other attempts whose recordings are the same, byte for byte, the newest first.

        Raises:
            StoreError: the database failed.
        """
        table = tables.attempts
        if not attempt.recording_sha256:
            return []
        return self.page((table.c.recording_sha256 == attempt.recording_sha256) & (table.c.id != attempt.id), limit=limit)

    def that_found(self, faces: Mapping[str, Collection[int]], *, limit: int) -> list[Attempt]:
        """Return attempts for which the gallery found one of these faces, the newest first.

        Args:
            faces: numbers, by their collection.
            limit: maximum number.

        Raises:
            StoreError: the database failed.
        """
        matches = tables.attempts.c.matches
        found = [matches[collection].as_integer().in_(sorted(numbers)) for collection, numbers in faces.items() if numbers]
        return self.page(and_(matches.is_not(None), or_(*found)), limit=limit) if found else []

    def count(self, condition: ColumnElement[bool]) -> int:
        """Return the number of attempts that meet a condition on `tables.attempts`.

        Raises:
            StoreError: the database failed.
        """
        query = select(func.count()).select_from(tables.attempts).where(condition)
        with store_errors(), self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def judged(self, condition: ColumnElement[bool]) -> list[str]:
        """Return the ids of all judged attempts that meet a condition, sorted.

        Raises:
            StoreError: the database failed.
        """
        table = tables.attempts
        query = select(table.c.id).where(condition, table.c.state == AttemptState.JUDGED.value).order_by(table.c.id)
        with store_errors(), self._engine.connect() as connection:
            return list(connection.scalars(query))

    def verdicts(self, attempt_ids: Collection[str]) -> dict[str, Verdict]:
        """Return the stored verdicts of attempts; those without a verdict are left out.

        Raises:
            StoreError: the database failed.
        """
        table, wanted = tables.attempts, sorted(set(attempt_ids))
        found: dict[str, Verdict] = {}
        with store_errors(), self._engine.connect() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = table.c.id.in_(wanted[start : start + _AT_ONCE])
                query = select(table.c.id, table.c.verdict).where(some, table.c.verdict.is_not(None))
                found.update((row.id, Verdict(row.verdict)) for row in connection.execute(query))
        return found

    def with_tracks(self, *, limit: int) -> list[str]:
        """Return the ids of the latest judged attempts whose tracks are kept, sorted, at most `limit`.

        Raises:
            StoreError: the database failed.
        """
        table, evidence = tables.attempts, tables.evidence
        kept = exists().where(
            evidence.c.attempt_id == table.c.id, evidence.c.kind == Kind.TRACKS.value, evidence.c.removed_at.is_(None)
        )
        judged = table.c.state == AttemptState.JUDGED.value
        query = select(table.c.id).where(judged, kept).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        with store_errors(), self._engine.connect() as connection:
            return sorted(connection.scalars(query))

    def require(self, attempt_ids: Collection[str]) -> None:
        """Check that every id is an attempt's.

        Raises:
            NotFoundError: it names those that are not.
            StoreError: the database failed.
        """
        table, wanted = tables.attempts, sorted(set(attempt_ids))
        known: set[str] = set()
        with store_errors(), self._engine.connect() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = table.c.id.in_(wanted[start : start + _AT_ONCE])
                known.update(connection.scalars(select(table.c.id).where(some)))
        if unknown := sorted(set(wanted) - known):
            raise NotFoundError(f"no attempt has the id {' or '.join(unknown)}")

    def require_subject(self, subject: str) -> None:
        """Check that this site knows an account: that it was issued a challenge, or that data of it is stored.

        Raises:
            NotFoundError: it is unknown.
            StoreError: the database failed.
        """
        named = (tables.attempts.c.subject, tables.challenges.c.subject, tables.subject_keys.c.subject, tables.cameos.c.subject)
        query = union_all(*(select(column).where(column == subject) for column in named)).limit(1)
        with store_errors(), self._engine.connect() as connection:
            # Attempts of erased accounts have an empty subject, and PostgreSQL's text cannot contain a null character.
            if not subject or "\0" in subject or connection.execute(query).first() is None:
                raise NotFoundError(f"this site knows no account {subject!r}")


def _older(moment: datetime, identifier: str) -> ColumnElement[bool]:
    table = tables.attempts
    return or_(table.c.created_at < moment, and_(table.c.created_at == moment, table.c.id < identifier))
