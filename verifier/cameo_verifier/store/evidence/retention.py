"""Retention: evidence whose time is over goes, so does some of it where there is too much, and whoever swept says what went.

How long evidence is kept is asked anew at every sweep: a policy that was shortened takes what is there already with it, and a
face that left the gallery takes with it what is kept for its sake.

Where new evidence would exceed what a site keeps at once, older evidence makes room, the oldest first: of RETRY, then of accepted
attempts, then of rejected ones. None goes for an attempt of a lesser kind, so that nobody washes out a rejection by bad pictures.
What waits for a person (REVIEW) and what somebody has labelled never goes for others. Where that is not enough, the new is not
kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, select

from cameo_verifier.store.attempts.labels import labelled
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.evidence.errors import EvidenceError, StorageFullError
from cameo_verifier.store.evidence.evidence import is_object_name, live_names
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from cameo_verifier.settings import Retention
    from cameo_verifier.store.evidence.evidence import EvidenceVault
    from cameo_verifier.store.evidence.objects import Objects

SWEEPER = Reader("retention", "its time is over")
UNFINISHED_AFTER = timedelta(hours=1)
"""A writer that takes longer than this is dead."""
_AT_ONCE = 500
CROWDED_OUT = Reader("retention", "room for newer evidence")
_FIRST_TO_GO = (Verdict.RETRY, Verdict.ACCEPTED, Verdict.REJECTED, Verdict.REVIEW)
_KINDS = (Kind.RECORDING, Kind.TRACKS, Kind.RESULT, Kind.CROPS)


def kept_days(policy: Retention, verdict: Verdict, kind: Kind, attempt_id: str, *, enrolled: bool) -> float:
    """Return how long a piece of evidence is kept; enrolled: the gallery keeps the face of its attempt."""
    match kind:
        case Kind.TRACKS | Kind.RESULT:
            return policy.tracks_days(verdict, attempt_id, enrolled=enrolled)
        case Kind.CROPS:
            return policy.crops_days(verdict, enrolled=enrolled)
    return policy.days(verdict)


@dataclass(frozen=True, slots=True)
class Removed:
    """A piece of evidence that went."""

    attempt_id: str
    kind: Kind
    verdict: Verdict
    finished_at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did. left_overs: objects without a row, and pieces of a killed writer. failed: what could not be removed."""

    removed: tuple[Removed, ...]
    left_overs: int
    failed: tuple[str, ...]


class Sweeper:
    """Enforces a policy."""

    def __init__(self, engine: Engine, objects: Objects, vault: EvidenceVault, policy: Retention) -> None:
        self._engine, self._objects, self._vault, self._policy = engine, objects, vault, policy
        self._one_at_a_time = Lock()

    def make_room(self, size_bytes: int, verdict: Verdict, *, now: datetime) -> tuple[Removed, ...]:
        """Have room for new evidence of an attempt of that verdict; return what went for it.

        Raises:
            StorageFullError: there is not enough that may go; nothing went.
            StorageError: an object cannot be removed; it can be tried again.
            StoreError: the database could not do it.
        """
        with self._one_at_a_time:
            over = self._used() + size_bytes - self._policy.max_bytes
            going = self._expendable(_FIRST_TO_GO[: _FIRST_TO_GO.index(verdict) + 1], over)
            if sum(piece.size_bytes for piece in going) < over:
                raise StorageFullError(
                    f"no room: CAMEO_RETENTION_MAX_BYTES allows {self._policy.max_bytes} bytes, and what is there may not go"
                )
            for piece in going:
                self._vault.remove(piece.attempt_id, [piece.kind], reader=CROWDED_OUT, now=now)
            return going

    def due(self, *, now: datetime) -> tuple[Removed, ...]:
        """Return what a sweep would remove now.

        Raises:
            StoreError: the database could not do it.
        """
        return tuple(piece for verdict in Verdict for kind in _KINDS for piece in self._due(verdict, kind, now))

    def sweep(self, *, now: datetime) -> Swept:
        """Remove what is due and what killed writers left.

        Raises:
            StoreError: the database could not do it.
        """
        removed, failed = [], []
        for piece in self.due(now=now):
            try:
                self._vault.remove(piece.attempt_id, [piece.kind], reader=SWEEPER, now=now)
            except EvidenceError as error:
                failed.append(str(error))
            else:
                removed.append(piece)
        left_overs = 0
        try:
            left_overs = self._clear(now - UNFINISHED_AFTER)
        except EvidenceError as error:
            failed.append(str(error))
        return Swept(tuple(removed), left_overs, tuple(failed))

    def _due(self, verdict: Verdict, kind: Kind, now: datetime) -> Iterator[Removed]:
        evidence, attempts, faces = tables.evidence, tables.attempts, tables.faces
        enrolled = exists().where(faces.c.attempt_id == attempts.c.id)
        query = (
            select(evidence.c.attempt_id, evidence.c.size_bytes, attempts.c.finished_at, enrolled.label("enrolled"))
            .select_from(evidence.join(attempts, attempts.c.id == evidence.c.attempt_id))
            .where(
                attempts.c.verdict == verdict.value,
                attempts.c.finished_at <= now - timedelta(days=self._least(verdict, kind)),
                evidence.c.kind == kind.value,
                evidence.c.removed_at.is_(None),
            )
            .order_by(attempts.c.finished_at, evidence.c.attempt_id)
        )
        with store_errors(), self._engine.connect() as connection:
            for row in connection.execute(query).all():
                days = kept_days(self._policy, verdict, kind, row.attempt_id, enrolled=row.enrolled)
                if row.finished_at <= now - timedelta(days=days):
                    yield Removed(row.attempt_id, kind, verdict, row.finished_at, row.size_bytes)

    def _least(self, verdict: Verdict, kind: Kind) -> float:
        """Return how long every such piece is kept, whatever its attempt."""
        if kind is Kind.CROPS:
            return self._policy.crops_days(verdict, enrolled=False)
        return self._policy.days(verdict)

    def _used(self) -> int:
        table = tables.evidence
        query = select(func.coalesce(func.sum(table.c.size_bytes), 0)).where(table.c.removed_at.is_(None))
        with store_errors(), self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def _expendable(self, verdicts: Sequence[Verdict], size_bytes: int) -> tuple[Removed, ...]:
        """Return what may go, the first to go first, until it has that size, or all there is of it."""
        evidence, attempts = tables.evidence, tables.attempts
        found: list[Removed] = []
        for verdict in verdicts:
            if verdict is Verdict.REVIEW:
                continue
            query = (
                select(evidence.c.attempt_id, evidence.c.kind, evidence.c.size_bytes, attempts.c.finished_at)
                .select_from(evidence.join(attempts, attempts.c.id == evidence.c.attempt_id))
                .where(
                    attempts.c.verdict == verdict.value,
                    evidence.c.kind != Kind.CREDENTIAL.value,
                    evidence.c.removed_at.is_(None),
                    ~labelled(),
                )
                .order_by(attempts.c.finished_at, evidence.c.attempt_id, evidence.c.kind)
            )
            with store_errors(), self._engine.connect() as connection:
                for row in connection.execute(query):
                    if size_bytes <= 0:
                        return tuple(found)
                    found.append(Removed(row.attempt_id, Kind(row.kind), verdict, row.finished_at, row.size_bytes))
                    size_bytes -= row.size_bytes
        return tuple(found)

    def _clear(self, written_before: datetime) -> int:
        count = self._objects.clear_unfinished(written_before=written_before)
        names = [name for name in self._objects.names(written_before=written_before) if is_object_name(name)]
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            with store_errors(), self._engine.connect() as connection:
                kept = live_names(connection, some)
            for name in set(some) - kept:
                self._objects.delete(name)
                count += 1
        return count
