"""Retention: removal of evidence after its time, and of some of it if there is too much; every removal is logged.

The retention period is computed anew at every sweep: a shortened policy applies to existing evidence too, and so does the removal
of a face from the gallery to the evidence kept because of it.

If new evidence would exceed the site's limit, older evidence is removed, the oldest first: of RETRY, then of accepted attempts,
then of rejected ones. None is removed for an attempt of a lesser verdict, so that nobody flushes out a rejection with poor
recordings. Evidence in manual review (REVIEW) and of labelled attempts is never removed for others. If that is not enough, the
new evidence is not stored.
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
"""Time after which an unfinished writer is considered dead."""
_AT_ONCE = 500
CROWDED_OUT = Reader("retention", "room for newer evidence")
_FIRST_TO_GO = (Verdict.RETRY, Verdict.ACCEPTED, Verdict.REJECTED, Verdict.REVIEW)
_KINDS = (Kind.RECORDING, Kind.TRACKS, Kind.RESULT, Kind.CROPS)


def kept_days(policy: Retention, verdict: Verdict, kind: Kind, attempt_id: str, *, enrolled: bool) -> float:
    """Return the retention of a piece of evidence in days; enrolled: True if its attempt's face is in the gallery."""
    match kind:
        case Kind.TRACKS | Kind.RESULT:
            return policy.tracks_days(verdict, attempt_id, enrolled=enrolled)
        case Kind.CROPS:
            return policy.crops_days(verdict, enrolled=enrolled)
    return policy.days(verdict)


@dataclass(frozen=True, slots=True)
class Removed:
    """A removed piece of evidence."""

    attempt_id: str
    kind: Kind
    verdict: Verdict
    finished_at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Swept:
    """The result of a sweep. left_overs: number of orphaned objects and files of killed writers. failed: pieces not removed."""

    removed: tuple[Removed, ...]
    left_overs: int
    failed: tuple[str, ...]


class Sweeper:
    """Enforces a retention policy."""

    def __init__(self, engine: Engine, objects: Objects, vault: EvidenceVault, policy: Retention) -> None:
        self._engine, self._objects, self._vault, self._policy = engine, objects, vault, policy
        self._one_at_a_time = Lock()

    def make_room(self, size_bytes: int, verdict: Verdict, *, now: datetime) -> tuple[Removed, ...]:
        """Make space for new evidence of an attempt of that verdict; return what was removed.

        Raises:
            StorageFullError: too little may be removed; nothing was.
            StorageError: an object cannot be removed; it can be retried.
            StoreError: the database failed.
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
            StoreError: the database failed.
        """
        return tuple(piece for verdict in Verdict for kind in _KINDS for piece in self._due(verdict, kind, now))

    def sweep(self, *, now: datetime) -> Swept:
        """Remove what is due, orphaned objects, and files of killed writers.

        Raises:
            StoreError: the database failed.
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
        """Return the minimum retention of such a piece, whatever its attempt."""
        if kind is Kind.CROPS:
            return self._policy.crops_days(verdict, enrolled=False)
        return self._policy.days(verdict)

    def _used(self) -> int:
        table = tables.evidence
        query = select(func.coalesce(func.sum(table.c.size_bytes), 0)).where(table.c.removed_at.is_(None))
        with store_errors(), self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def _expendable(self, verdicts: Sequence[Verdict], size_bytes: int) -> tuple[Removed, ...]:
        """Return removable evidence in the order of removal, up to that size, or all of it."""
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
                    evidence.c.kind != Kind.RECEIPT.value,
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
