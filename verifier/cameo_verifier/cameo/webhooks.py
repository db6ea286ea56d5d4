"""Webhooks: recipients, bodies and the retry schedule of failed deliveries. No IO here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cameo_verifier.cameo.model import EventKind

if TYPE_CHECKING:
    from datetime import datetime

    from cameo_credential.pairwise import PairwiseKey
    from cameo_credential.webhook_secret import WebhookSecret
    from cameo_verifier.cameo.model import Event
    from cameo_verifier.cameo.removals import Holder, Removal

LONGEST_WAIT = timedelta(hours=1)
"""Maximum time between two attempts, so that a receiver that recovers is served soon."""

ENDS = frozenset({EventKind.WAS_PAUSED, EventKind.WAS_RESUMED, EventKind.WAS_REVOKED, EventKind.WAS_DELETED})
"""Event kinds that a generator or platform receives for a cameo it uses."""

TOLD_TO_HOLDERS = ENDS | {EventKind.REMOVAL_WAS_REQUESTED}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint, as the site configures it.

    Attributes:
        name: the key of its delivery state.
        url: where messages are posted.
        audience: the receiver's name, which each message carries.
        holder: the generator or platform whose events it receives; None is the app, which receives all.
        kinds: of the events it receives.
        private: True permits an address that is not public.
        secrets: its own, for signatures by the scheme `v1`, the newest first.
    """

    name: str
    url: str
    audience: str
    holder: Holder | None
    kinds: frozenset[EventKind]
    private: bool = False
    secrets: tuple[WebhookSecret, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """A retry schedule: `first_wait` after the first failure, doubled each time, and none later than `give_up`."""

    first_wait: timedelta
    give_up: timedelta

    def wait(self, attempts: int, *, jitter: float) -> timedelta:
        """Return the wait after this many failures in a row; jitter: 0 to 1, spreads the retries of several endpoints."""
        longest = min(self.first_wait * 2.0 ** min(attempts - 1, 32), LONGEST_WAIT)
        return longest * (0.5 + 0.5 * jitter)


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """The delivery state of an endpoint.

    Attributes:
        name: the endpoint's name.
        cursor: number of the last event that was delivered or did not concern it; all earlier ones are done too.
        delivered: deliveries so far.
        delivered_at: time of the last delivery, None before the first.
        attempts: failures in a row.
        failing_since: time of the first of these failures.
        next_at: earliest time of the next attempt, None for at once.
        last_error: why the last attempt failed.
        stopped_at: when deliveries were stopped, None if they go on.
    """

    name: str
    cursor: int
    delivered: int = 0
    delivered_at: datetime | None = None
    attempts: int = 0
    failing_since: datetime | None = None
    next_at: datetime | None = None
    last_error: str = ""
    stopped_at: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Return whether a message may be sent now."""
        return self.stopped_at is None and (self.next_at is None or now >= self.next_at)

    def after_success(self, event: Event, *, now: datetime) -> DeliveryState:
        """Return the state after a successful delivery."""
        return DeliveryState(self.name, event.number, self.delivered + 1, now)

    def after_failure(self, error: str, *, wait: timedelta, give_up: timedelta, gone: bool, now: datetime) -> DeliveryState:
        """Return the state after a failure; gone: the receiver wants no more messages.

        Deliveries stop if the next attempt, after `wait` but an hour at most, would be later than `give_up` after the first
        failure.
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

    def revived(self) -> DeliveryState:
        """Return the state of an endpoint that is to be retried at once."""
        return replace(self, attempts=0, failing_since=None, next_at=None, stopped_at=None)


def identifier(event: Event) -> str:
    """Return the `webhook-id` of an event: the same for every attempt, without a full stop."""
    return f"evt_{event.number}"


def _ids(event: Event) -> tuple[tuple[str, str], ...]:
    return (("grant", event.grant_id), ("output", event.output_id), ("credential", event.credential_id))


def message(
    event: Event, removal: Removal | None, endpoint: Endpoint, *, issuer: str, cursor: str, pairwise: PairwiseKey
) -> dict[str, Any]:
    """Return the body of a webhook: ids and times, nothing of a face, a voice or what an owner wrote.

    removal: the one the event is about. cursor: the event's cursor, as in `WatchCameoEvents`. pairwise: of the aliases by which
    endpoints other than the app's know cameos.
    """
    cameo_id = event.cameo_id if endpoint.holder is None else pairwise.alias(event.cameo_id, endpoint.audience)
    data: dict[str, Any] = {"cursor": cursor}
    match event.kind:
        case EventKind.ATTEMPT_WAS_DECIDED:
            name = "attempt.decided"
            data |= {"attempt": event.attempt_id, "decision": event.ruling}
        case EventKind.SESSION_WAS_JUDGED | EventKind.SESSION_HAS_ENDED | EventKind.SESSION_HAS_EXPIRED:
            name = event.kind.value.replace("_", ".")
            data |= {"session": event.session_id}
            data |= {"attempt": event.attempt_id} if event.attempt_id else {}
        case _:
            name = f"cameo.{event.kind.value}"
            data |= {"cameo": cameo_id}
    data |= {name: value for name, value in _ids(event) if value}
    if removal is not None:
        data["removal"] = {
            "id": removal.id,
            "sha256": removal.sha256,
            "c2pa_manifest": removal.c2pa_manifest,
            "holder": removal.holder.name,
            "due": removal.due_at.isoformat(),
        }
    return {
        "type": name,
        "timestamp": event.at.isoformat(),
        "issuer": issuer,
        "audience": endpoint.audience,
        "data": data,
    }
