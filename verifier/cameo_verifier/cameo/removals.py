"""Removals: an owner requests that an output is taken down, and its holder answers. States only move forward."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from cameo_verifier.cameo.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from datetime import datetime


class RemovalState(StrEnum):
    """The state of a removal."""

    REMOVAL_REQUESTED = "requested"
    REMOVAL_DELIVERED = "delivered"
    """The holder was notified."""
    REMOVAL_ACKNOWLEDGED = "acknowledged"
    """The holder has agreed to remove it."""
    REMOVAL_DONE = "done"
    REMOVAL_REFUSED = "refused"


FINISHED = frozenset({RemovalState.REMOVAL_DONE, RemovalState.REMOVAL_REFUSED})


class HolderKind(StrEnum):
    """The kind of caller that shows or holds an output; the values are those of the callers' roles."""

    HELD_BY_PLATFORM = "platform"
    HELD_BY_GENERATOR = "generator"


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of an output: the platform named in it, or the generator that made it."""

    kind: HolderKind
    name: str


class RemovalAnswer(StrEnum):
    """The answer of a holder to a removal."""

    HOLDER_WILL_REMOVE = "will_remove"
    HOLDER_REMOVED = "removed"
    HOLDER_REFUSES = "refuses"


@dataclass(frozen=True, slots=True)
class Removal:
    """A request of one cameo's owner that one holder removes one output.

    Attributes:
        id: the removal's id.
        number: number of the event that announces it, by which removals are ordered.
        cameo_id, output_id, grant_id: what it is about.
        sha256: hex sha256 of the output's file.
        c2pa_manifest: id of the output's C2PA manifest.
        holder: who has to remove it.
        state: how far it is.
        reason: why, in the owner's words.
        answer_reason: what the holder says to its answer.
        requested_at, due_at: times in UTC.
        delivered_at, acknowledged_at, finished_at: times in UTC, each None if not reached.
    """

    id: str
    number: int
    cameo_id: str
    output_id: str
    grant_id: str
    sha256: str
    c2pa_manifest: str
    holder: Holder
    state: RemovalState
    reason: str
    answer_reason: str
    requested_at: datetime
    due_at: datetime
    delivered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    finished_at: datetime | None = None

    def overdue(self, now: datetime) -> bool:
        """Return whether it is past its due time and neither done nor refused."""
        return self.state not in FINISHED and now >= self.due_at


_LEADS_TO = {
    RemovalAnswer.HOLDER_WILL_REMOVE: RemovalState.REMOVAL_ACKNOWLEDGED,
    RemovalAnswer.HOLDER_REMOVED: RemovalState.REMOVAL_DONE,
    RemovalAnswer.HOLDER_REFUSES: RemovalState.REMOVAL_REFUSED,
}


def answered(removal: Removal, answer: RemovalAnswer, *, reason: str, now: datetime) -> Removal:
    """Return a removal after its holder's answer; unchanged if that answer was given already.

    1. What is done stays done.
    2. A refused removal can still be done, but nothing else.

    Raises:
        RefusedError: `REMOVAL_ANSWERED`.
    """
    state = _LEADS_TO[answer]
    if removal.state is state:
        return removal
    if removal.state is RemovalState.REMOVAL_DONE:  # step 1
        raise RefusedError(Refusal.REMOVAL_ANSWERED)
    if removal.state is RemovalState.REMOVAL_REFUSED and answer is not RemovalAnswer.HOLDER_REMOVED:  # step 2
        raise RefusedError(Refusal.REMOVAL_ANSWERED)
    return replace(
        removal,
        state=state,
        answer_reason=reason,
        delivered_at=removal.delivered_at or now,
        acknowledged_at=removal.acknowledged_at or now,
        finished_at=now if state in FINISHED else None,
    )
