"""Webhooks: whom they go to, what they say, and when a delivery that failed is tried again. No IO here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cameo_verifier.cameo.model import EventKind

if TYPE_CHECKING:
    from datetime import datetime

    from cameo_verifier.cameo.model import Event
    from cameo_verifier.cameo.removals import Holder, Removal

LONGEST_WAIT = timedelta(hours=1)
"""Between two attempts, so that a receiver that is back is not kept waiting."""

ENDS = frozenset({EventKind.WAS_PAUSED, EventKind.WAS_RESUMED, EventKind.WAS_REVOKED, EventKind.WAS_DELETED})
"""What a generator or platform is told of a cameo it uses."""

TOLD_TO_HOLDERS = ENDS | {EventKind.REMOVAL_WAS_REQUESTED}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One receiver as the site names it.

    name: what its state is kept under. audience: the receiver's name, which each message carries. holder: the generator or
    platform whose events it gets; None is the app, which gets all. private: it may be at an address that is not public.
    """

    name: str
    url: str
    audience: str
    holder: Holder | None
    kinds: frozenset[EventKind]
    private: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to try again: `first_wait` after the first failure, then twice as long each time, and not after `give_up`."""

    first_wait: timedelta
    give_up: timedelta

    def wait(self, attempts: int, *, jitter: float) -> timedelta:
        """Return how long to wait after so many failures in a row; jitter: 0 to 1, so that not all come back at once."""
        longest = min(self.first_wait * 2.0 ** min(attempts - 1, 32), LONGEST_WAIT)
        return longest * (0.5 + 0.5 * jitter)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an endpoint stands: everything up to event `cursor` was delivered or did not concern it."""

    name: str
    cursor: int
    delivered: int = 0
    delivered_at: datetime | None = None
    attempts: int = 0
    """Failures in a row."""
    failing_since: datetime | None = None
    next_at: datetime | None = None
    last_error: str = ""
    stopped_at: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether a message may be sent now."""
        return self.stopped_at is None and (self.next_at is None or now >= self.next_at)

    def after_success(self, event: Event, *, now: datetime) -> Standing:
        """Return the standing once an event was taken."""
        return Standing(self.name, event.number, self.delivered + 1, now)

    def after_failure(self, error: str, *, wait: timedelta, give_up: timedelta, gone: bool, now: datetime) -> Standing:
        """Return the standing after a failure; gone: the receiver wants no more.

        It is stopped if the next attempt, after `wait` but an hour at most, came later than `give_up` after the first failure.
        """
        since, next_at = self.failing_since or now, now + min(wait, LONGEST_WAIT)
        return replace(
            self,
            attempts=self.attempts + 1,
            failing_since=since,
            next_at=next_at,
            last_error=error,
            stopped_at=now if gone or next_at > since + give_up else None,
        )

    def revived(self) -> Standing:
        """Return the standing of an endpoint that is to be tried again at once."""
        return replace(self, attempts=0, failing_since=None, next_at=None, stopped_at=None)


def identifier(event: Event) -> str:
    """Return the `webhook-id` of an event: the same for every attempt, without a full stop."""
    return f"evt_{event.number}"


def message(event: Event, removal: Removal | None, endpoint: Endpoint, *, issuer: str, cursor: str) -> dict[str, Any]:
    """Return the body of a webhook: ids and times, nothing of a face, a voice or what an owner wrote.

    removal: the one the event is about. cursor: of the event, as `WatchCameoEvents` has it.
    """
    decided = event.kind is EventKind.ATTEMPT_WAS_DECIDED
    data: dict[str, Any] = {"cursor": cursor}
    data |= {"attempt": event.attempt_id, "decision": event.ruling} if decided else {"cameo": event.cameo_id}
    data |= {name: value for name, value in (("grant", event.grant_id), ("output", event.output_id)) if value}
    if removal is not None:
        data["removal"] = {
            "id": removal.id,
            "sha256": removal.sha256,
            "c2pa_manifest": removal.c2pa_manifest,
            "holder": removal.holder.name,
            "due": removal.due_at.isoformat(),
        }
    return {
        "type": "attempt.decided" if decided else f"cameo.{event.kind.value}",
        "timestamp": event.at.isoformat(),
        "issuer": issuer,
        "audience": endpoint.audience,
        "data": data,
    }
