"""Removals: an owner asks for an output to go, whoever shows or holds it answers. States only ever move on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from cameo_verifier.cameo.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from datetime import datetime


class RemovalState(StrEnum):
    """Where a removal stands."""

    REMOVAL_REQUESTED = "requested"
    REMOVAL_DELIVERED = "delivered"
    """The holder was told."""
    REMOVAL_ACKNOWLEDGED = "acknowledged"
    """The holder says that it will remove it."""
    REMOVAL_DONE = "done"
    REMOVAL_REFUSED = "refused"


FINISHED = frozenset({RemovalState.REMOVAL_DONE, RemovalState.REMOVAL_REFUSED})


class HolderKind(StrEnum):
    """What kind of caller shows or holds an output; the values are those of the callers' roles."""

    HELD_BY_PLATFORM = "platform"
    HELD_BY_GENERATOR = "generator"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has to remove an output: the platform it names, or the generator that made it."""

    kind: HolderKind
    name: str


class RemovalAnswer(StrEnum):
    """What a holder says to a removal."""

    HOLDER_WILL_REMOVE = "will_remove"
    HOLDER_REMOVED = "removed"
    HOLDER_REFUSES = "refuses"


@dataclass(frozen=True, slots=True)
class Removal:
    """One output that one cameo's owner wants gone from one holder. number: of the event that says so, which orders them."""

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
    """Why, in the owner's words."""
    answer_reason: str
    """What the holder says to its answer."""
    requested_at: datetime
    due_at: datetime
    delivered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    finished_at: datetime | None = None

    def overdue(self, now: datetime) -> bool:
        """Whether it should be done or refused by now, and is neither."""
        return self.state not in FINISHED and now >= self.due_at


_LEADS_TO = {
    RemovalAnswer.HOLDER_WILL_REMOVE: RemovalState.REMOVAL_ACKNOWLEDGED,
    RemovalAnswer.HOLDER_REMOVED: RemovalState.REMOVAL_DONE,
    RemovalAnswer.HOLDER_REFUSES: RemovalState.REMOVAL_REFUSED,
}


def answered(removal: Removal, answer: RemovalAnswer, *, reason: str, now: datetime) -> Removal:
    """Return a removal after its holder's answer; itself where that answer was given already.

    1. What is done stays done.
    2. What was refused can still be removed, and nothing else.

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
