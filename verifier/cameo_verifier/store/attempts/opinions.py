"""Opinions of analysts on attempts in manual review, and the decision they lead to.

Of each analyst the last opinion counts, until the attempt is decided; later ones are refused. An attempt is decided once as many
analysts as the site requires, one or two, agree. Everything that follows is one transaction: the line in the audit log, the
likeness that waited, the receipt, the face in the gallery, and the event for the app.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.errors import StoreConflictError
from cameo_verifier.store.attempts import attempts
from cameo_verifier.store.cameos import events, faces, likenesses
from cameo_verifier.store.credentials import receipts
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.audit import Entry, Reader
from cameo_verifier.types import Ruling

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.cameos.faces import Code
    from cameo_verifier.store.cameos.vault import SealedLikeness
    from cameo_verifier.store.credentials.receipts import KeptReceipt
    from cameo_verifier.store.evidence.audit import AuditLog

_ACTIONS = {Ruling.APPROVED: "approve", Ruling.DECLINED: "decline"}
_EXPIRY = Reader("retention", "nobody decided in time")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class OpinionRequest:
    """An analyst's opinion on an attempt. identifier: the same whenever the same request of theirs is sent again."""

    identifier: str
    attempt_id: str
    ruling: Ruling
    reason: str
    analyst: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """A stored opinion.

    Attributes:
        id: its identifier.
        attempt_id: the attempt.
        number: its position among the attempt's opinions, from 1.
        ruling: approved or declined.
        reason: why, in the analyst's words.
        analyst: who gave it.
        created_at: time in UTC.
    """

    id: str
    attempt_id: str
    number: int
    ruling: Ruling
    reason: str
    analyst: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApprovalResult:
    """The results of an approval. face: the transformed face for the gallery, None if there is none."""

    receipt: KeptReceipt
    face: Code | None


class OpinionStore:
    """Opinions in the database behind `engine`; every decision is in the `audit` log. needed: analysts who must agree."""

    def __init__(self, engine: Engine, audit: AuditLog, *, needed: int) -> None:
        self._engine, self._audit, self._needed = writing(engine), audit, needed

    def given(self, attempt_id: str) -> tuple[Opinion, ...]:
        """Return the opinions on an attempt, oldest first.

        Raises:
            StoreError: the database failed.
        """
        with store_errors(), self._engine.connect() as connection:
            return _given(connection, attempt_id)

    def waits_since(self, attempt_id: str) -> datetime | None:
        """Return since when the likeness of an attempt waits; None if none does, so that it cannot be approved.

        Raises:
            StoreError: the database failed.
        """
        table = tables.waiting_likenesses
        with store_errors(), self._engine.connect() as connection:
            return connection.execute(select(table.c.created_at).where(table.c.attempt_id == attempt_id)).scalar_one_or_none()

    def basis(self, said: OpinionRequest) -> tuple[Attempt, SealedLikeness] | None:
        """Return the data of the receipt that this opinion requires; None if it does not complete an approval.

        Raises:
            NotFoundError: there is no such attempt.
            RefusedError: as `keep`.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.begin() as connection:
            attempt = attempts.get(connection, said.attempt_id)
            if said.ruling is not Ruling.APPROVED or _repeated(connection, said) or not self._settles(connection, attempt, said):
                return None
            waiting = likenesses.waiting(connection, said.attempt_id)
            if waiting is None:
                raise RefusedError(Refusal.LIKENESS_NOT_KEPT)
            return attempt, waiting

    def keep(self, said: OpinionRequest, *, now: datetime, earned: ApprovalResult | None = None) -> Attempt:
        """Store an opinion, and decide the attempt if that settles it; a repeated one is stored once.

        Raises:
            NotFoundError: there is no such attempt.
            RefusedError: `ATTEMPT_NOT_IN_REVIEW`, `ATTEMPT_ALREADY_DECIDED`, `LIKENESS_NOT_KEPT` or `REQUEST_ID_REUSED`.
            StoreConflictError: another analyst gave an opinion meanwhile; get the basis again.
            StoreError: the database failed; nothing was stored.
        """
        with store_errors(), self._engine.begin() as connection:
            held = select(tables.attempts.c.id).where(tables.attempts.c.id == said.attempt_id).with_for_update()
            connection.execute(held)
            attempt = attempts.get(connection, said.attempt_id)
            if _repeated(connection, said):
                return attempt
            settles = self._settles(connection, attempt, said)
            if (earned is not None) != (settles and said.ruling is Ruling.APPROVED):
                raise StoreConflictError("another analyst spoke meanwhile; send the same request again")
            _add(connection, said, now=now)
            entry = Entry(_ACTIONS[said.ruling], attempt.id, "decided" if settles else "first of two")
            self._audit.append_within(connection, [entry], reader=Reader(said.analyst, said.reason), now=now)
            if settles:
                _decide(connection, attempt, said.ruling, earned, now=now)
            return attempts.get(connection, said.attempt_id)

    def expire(self, *, before: datetime, now: datetime) -> int:
        """Decline attempts that have waited since before a time, in a batch, and return their number.

        Raises:
            StoreError: the database failed.
        """
        table = tables.waiting_likenesses
        due = select(table.c.attempt_id).where(table.c.created_at < before).order_by(table.c.created_at).limit(_AT_ONCE)
        with store_errors(), self._engine.begin() as connection:
            ids = connection.execute(due.with_for_update(skip_locked=True)).scalars().all()
            for attempt_id in ids:
                self._audit.append_within(connection, [Entry("decline", attempt_id, "decided")], reader=_EXPIRY, now=now)
                _decide(connection, attempts.get(connection, attempt_id), Ruling.DECLINED, None, now=now)
            return len(ids)

    def _settles(self, connection: Connection, attempt: Attempt, said: OpinionRequest) -> bool:
        if attempt.ruling is not None:
            raise RefusedError(Refusal.ATTEMPT_ALREADY_DECIDED)
        if not attempt.waits:
            raise RefusedError(Refusal.ATTEMPT_NOT_IN_REVIEW)
        last = {opinion.analyst: opinion.ruling for opinion in _given(connection, attempt.id)} | {said.analyst: said.ruling}
        return sum(ruling is said.ruling for ruling in last.values()) >= self._needed


def _decide(connection: Connection, attempt: Attempt, ruling: Ruling, earned: ApprovalResult | None, *, now: datetime) -> None:
    table = tables.attempts
    connection.execute(update(table).where(table.c.id == attempt.id).values(ruling=ruling.value, ruled_at=now, asked=None))
    if earned is not None:
        likeness = likenesses.waiting(connection, attempt.id)
        if likeness is None:
            raise RefusedError(Refusal.LIKENESS_NOT_KEPT)
        likenesses.add(connection, attempt.id, likeness, now=now)
        receipts.add(connection, earned.receipt)
        if earned.face is not None:
            faces.enrol(connection, attempt.subject, earned.face, attempt_id=attempt.id, now=now)
    likenesses.stop_waiting(connection, attempt.id)
    events.append_of_attempt(connection, attempt.id, attempt.subject, ruling, now=now)


def _repeated(connection: Connection, said: OpinionRequest) -> bool:
    table = tables.opinions
    row = connection.execute(select(table).where(table.c.id == said.identifier)).one_or_none()
    if row is None:
        return False
    if (row.attempt_id, row.ruling, row.reason) != (said.attempt_id, said.ruling.value, said.reason):
        raise RefusedError(Refusal.REQUEST_ID_REUSED)
    return True


def _add(connection: Connection, said: OpinionRequest, *, now: datetime) -> None:
    table = tables.opinions
    last = select(func.coalesce(func.max(table.c.number), 0)).where(table.c.attempt_id == said.attempt_id)
    row: dict[str, Any] = {
        "id": said.identifier,
        "attempt_id": said.attempt_id,
        "number": connection.execute(last).scalar_one() + 1,
        "ruling": said.ruling.value,
        "reason": said.reason,
        "analyst": said.analyst,
        "created_at": now,
    }
    connection.execute(insert(table).values(row))


def _given(connection: Connection, attempt_id: str) -> tuple[Opinion, ...]:
    table = tables.opinions
    query = select(table).where(table.c.attempt_id == attempt_id).order_by(table.c.number)
    return tuple(_opinion(row) for row in connection.execute(query))


def _opinion(row: Row[Any]) -> Opinion:
    return Opinion(row.id, row.attempt_id, row.number, Ruling(row.ruling), row.reason, row.analyst, row.created_at)
