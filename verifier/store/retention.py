"""Retention: evidence whose time is over goes, and whoever swept says what went.

How long evidence is kept is asked anew at every sweep: a policy that was shortened takes what is there already with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from verifier.store import tables
from verifier.store.audit import Reader
from verifier.store.evidence import is_object_name, live_names
from verifier.store.evidence_errors import EvidenceError
from verifier.store.faults import store_errors
from verifier.store.sealed_object import Kind
from verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Engine

    from verifier.settings import Retention
    from verifier.store.evidence import EvidenceVault
    from verifier.store.objects import Objects

SWEEPER = Reader("retention", "its time is over")
UNFINISHED_AFTER = timedelta(hours=1)
"""A writer that takes longer than this is dead."""
_AT_ONCE = 500


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

    def due(self, *, now: datetime) -> tuple[Removed, ...]:
        """Return what a sweep would remove now.

        Raises:
            StoreError: the database could not do it.
        """
        return tuple(piece for verdict in Verdict for piece in self._due(verdict, now))

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

    def _due(self, verdict: Verdict, now: datetime) -> Iterator[Removed]:
        evidence, attempts = tables.evidence, tables.attempts
        query = (
            select(evidence.c.attempt_id, evidence.c.kind, evidence.c.size_bytes, attempts.c.finished_at)
            .select_from(evidence.join(attempts, attempts.c.id == evidence.c.attempt_id))
            .where(
                attempts.c.verdict == verdict.value,
                attempts.c.finished_at <= now - timedelta(days=self._policy.days(verdict)),
                evidence.c.kind != Kind.CREDENTIAL.value,
                evidence.c.removed_at.is_(None),
            )
            .order_by(attempts.c.finished_at, evidence.c.attempt_id, evidence.c.kind)
        )
        with store_errors(), self._engine.connect() as connection:
            for row in connection.execute(query).all():
                yield Removed(row.attempt_id, Kind(row.kind), verdict, row.finished_at, row.size_bytes)

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
