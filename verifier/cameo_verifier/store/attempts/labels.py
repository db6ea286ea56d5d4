"""Labels: the ground truth of attempts according to analysts. Nothing is overwritten: a changed opinion is another label.

Of each analyst the latest label counts that is not withdrawn. If the sure ones agree, the attempt is settled; if they do not, it
is disputed and used in no rate until somebody changes their label.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, insert, or_, select, update

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.audit import Entry, Reader

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine, FromClause, Row

    from cameo_verifier.store.evidence.audit import AuditLog

MAX_NOTE = 4000
_MAX_ANALYST = 128
_SPECIES = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")
_AT_ONCE = 500


class Truth(StrEnum):
    """The ground truth of an attempt."""

    BONA_FIDE = "bona_fide"
    ATTACK = "attack"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Label:
    """A label by one analyst.

    Attributes:
        id: the label's id.
        attempt_id: the attempt.
        truth: the ground truth.
        species: species of an attack, otherwise empty.
        note: the analyst's explanation.
        analyst: who gave it.
        number: its position among the attempt's labels, from 1.
        created_at: time in UTC.
        withdrawn_at: when it was withdrawn; None while it counts.
    """

    id: str
    attempt_id: str
    truth: Truth
    species: str
    note: str
    analyst: str
    number: int
    created_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Consensus:
    """The consensus of an attempt's current labels: `labels`, the latest of each analyst, oldest first."""

    labels: tuple[Label, ...]

    @property
    def settled(self) -> Label | None:
        """The latest sure label, if all sure ones agree in truth and species; None if they disagree, or none is sure."""
        sure = [label for label in self.labels if label.truth is not Truth.UNSURE]
        return sure[-1] if len({(label.truth, label.species) for label in sure}) == 1 else None

    @property
    def disputed(self) -> bool:
        """True if two analysts are sure of different labels."""
        return len({(label.truth, label.species) for label in self.labels if label.truth is not Truth.UNSURE}) > 1


class LabelStore:
    """Labels in the database behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(  # the fields of a label, by name
        self,
        identifier: str,
        *,
        attempt_id: str,
        truth: Truth,
        species: str = "",
        note: str = "",
        analyst: str,
        now: datetime,
    ) -> Label:
        """Add a label; a repeated id returns the existing label, and adds nothing.

        Raises:
            InvalidRequestError: an attack has no species or something else has one, or a text is too long or empty.
            NotFoundError: there is no such attempt.
            StoreError: the database failed.
        """
        if bool(_SPECIES.fullmatch(species)) != (truth is Truth.ATTACK) or (species and truth is not Truth.ATTACK):
            raise InvalidRequestError(
                "an attack, and nothing else, has a species: lower case letters, digits and _, such as screen_replay"
            )
        if len(note) > MAX_NOTE:
            raise InvalidRequestError(f"a note has at most {MAX_NOTE} characters")
        if not analyst.strip() or len(analyst) > _MAX_ANALYST:
            raise InvalidRequestError(f"say who labels, in 1 to {_MAX_ANALYST} characters")
        table, attempts = tables.labels, tables.attempts
        with store_errors(), writing(self._engine).begin() as connection:
            # Locked until commit, so that two labels of one attempt do not get the same number.
            row = connection.execute(select(attempts.c.id).where(attempts.c.id == attempt_id).with_for_update()).one_or_none()
            if row is None:
                raise NotFoundError("no attempt has this id")
            given = connection.execute(select(table).where(table.c.id == identifier)).one_or_none()
            if given is not None:
                return _label(given)
            last = select(func.coalesce(func.max(table.c.number), 0)).where(table.c.attempt_id == attempt_id)
            number = connection.execute(last).scalar_one() + 1
            label = Label(identifier, attempt_id, truth, species, note, analyst, number, now)
            connection.execute(insert(table).values({name: getattr(label, name) for name in Label.__slots__}))
        return label

    def withdraw(self, attempt_id: str, number: int, *, analyst: str, audit: AuditLog, now: datetime) -> Label:
        """Withdraw an analyst's last label of an attempt; their previous one counts again. The audit log records it.

        A withdrawn label stays withdrawn.

        Args:
            attempt_id: the attempt.
            number: of the label.
            analyst: who withdraws it; only their own.
            audit: the log.
            now: the time.

        Raises:
            InvalidRequestError: it is not theirs, or not their last label that counts.
            NotFoundError: there is no such attempt.
            StoreError: the database failed; nothing changed.
        """
        table, attempts = tables.labels, tables.attempts
        theirs = (table.c.attempt_id == attempt_id) & (table.c.analyst == analyst)
        last = select(func.max(table.c.number)).where(theirs, table.c.withdrawn_at.is_(None))
        with store_errors(), writing(self._engine).begin() as connection:
            # Locked until commit, as in `add`.
            held = connection.execute(select(attempts.c.id).where(attempts.c.id == attempt_id).with_for_update()).one_or_none()
            if held is None:
                raise NotFoundError("no attempt has this id")
            row = connection.execute(select(table).where(theirs, table.c.number == number)).one_or_none()
            if row is None:
                raise InvalidRequestError("you gave this attempt no label of that number")
            label = _label(row)
            if label.withdrawn_at is not None:
                return label
            if connection.execute(last).scalar_one() != number:
                raise InvalidRequestError("only the last of your labels that stands can be taken back")
            connection.execute(update(table).where(table.c.id == label.id).values(withdrawn_at=now))
            said = " ".join(filter(None, ["took back", label.truth.value, label.species]))
            entry = Entry("unlabel", attempt_id, f"label {number}")
            audit.append_within(connection, [entry], reader=Reader(analyst, said), now=now)
            return replace(label, withdrawn_at=now)

    def history(self, attempt_id: str) -> tuple[Label, ...]:
        """Return every label of an attempt, oldest first, including withdrawn ones.

        Raises:
            StoreError: the database failed.
        """
        table = tables.labels
        query = select(table).where(table.c.attempt_id == attempt_id).order_by(table.c.number)
        with store_errors(), self._engine.connect() as connection:
            return tuple(_label(row) for row in connection.execute(query))

    def consensus(self, attempt_ids: Collection[str]) -> Mapping[str, Consensus]:
        """Return the current labels of attempts; those without a label are left out.

        Raises:
            StoreError: the database failed.
        """
        wanted = sorted(set(attempt_ids))
        found: dict[str, list[Label]] = {}
        with store_errors(), self._engine.connect() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                for label in _latest(connection, tables.labels.c.attempt_id.in_(wanted[start : start + _AT_ONCE])):
                    found.setdefault(label.attempt_id, []).append(label)
        return {attempt_id: Consensus(tuple(labels)) for attempt_id, labels in found.items()}

    def species(self) -> tuple[str, ...]:
        """Return every species named by a label that is not withdrawn, sorted.

        Raises:
            StoreError: the database failed.
        """
        column = tables.labels.c.species
        with store_errors(), self._engine.connect() as connection:
            return tuple(
                connection.scalars(select(column).where(column != "", _stands(tables.labels)).distinct().order_by(column))
            )

    def labelled(self) -> tuple[str, ...]:
        """Return the ids of all attempts with a label that is not withdrawn.

        Raises:
            StoreError: the database failed.
        """
        table = tables.labels
        with store_errors(), self._engine.connect() as connection:
            return tuple(
                connection.scalars(select(table.c.attempt_id).where(_stands(table)).distinct().order_by(table.c.attempt_id))
            )


def says(**wanted: str) -> ColumnElement[bool]:
    """Return the condition that some analyst's latest label of an attempt has these values."""
    table = tables.labels
    values = [table.c[name] == value for name, value in wanted.items()]
    return exists().where(table.c.attempt_id == tables.attempts.c.id, _counts(table), *values)


def labelled() -> ColumnElement[bool]:
    """Return the condition that an attempt has a label that is not withdrawn."""
    return exists().where(tables.labels.c.attempt_id == tables.attempts.c.id, _stands(tables.labels))


def disputed() -> ColumnElement[bool]:
    """Return the condition that two analysts are sure of different labels of an attempt, see `Consensus`."""
    one, other = tables.labels.alias(), tables.labels.alias()
    sure = [each.c.truth != Truth.UNSURE.value for each in (one, other)]
    of_it = [each.c.attempt_id == tables.attempts.c.id for each in (one, other)]
    differ = or_(one.c.truth != other.c.truth, one.c.species != other.c.species)
    return exists().where(*of_it, *sure, differ, _counts(one), _counts(other))


def _counts(table: FromClause) -> ColumnElement[bool]:
    """Return the condition that a label is its analyst's latest that is not withdrawn."""
    later = tables.labels.alias()
    changed = (later.c.attempt_id == table.c.attempt_id, later.c.analyst == table.c.analyst, later.c.number > table.c.number)
    return and_(_stands(table), ~exists().where(*changed, _stands(later)))


def _stands(table: FromClause) -> ColumnElement[bool]:
    return table.c.withdrawn_at.is_(None)


def _latest(connection: Connection, condition: ColumnElement[bool]) -> list[Label]:
    table = tables.labels
    of_each: dict[tuple[str, str], Label] = {}
    for row in connection.execute(select(table).where(condition, _stands(table)).order_by(table.c.attempt_id, table.c.number)):
        label = _label(row)
        of_each.pop((label.attempt_id, label.analyst), None)
        of_each[label.attempt_id, label.analyst] = label
    return list(of_each.values())


def _label(row: Row[Any]) -> Label:
    said = (Truth(row.truth), row.species, row.note)
    return Label(row.id, row.attempt_id, *said, row.analyst, row.number, row.created_at, row.withdrawn_at)
