"""The webhook sender: a background task for each endpoint.

Each task repeats:

1. Read the delivery state; wait while the endpoint is not due or was stopped.
2. Read the events after its cursor that it receives; if there are none, poll again soon.
3. Claim the endpoint, so that no other server sends to it meanwhile.
4. Sign and send the oldest; the result is stored, and a delivered message moves the cursor, before the next one is sent.

So messages of an endpoint are in the order of the events. One that was accepted just before the server died is sent again, with
the same `webhook-id`. An endpoint that has failed for as long as the site allows is stopped; the log and `cameo webhooks` show
it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from cameo_credential.encoding import to_json
from cameo_credential.errors import KeyFileError
from cameo_credential.webhook import sign_webhook
from cameo_verifier.cameo import webhooks as rules
from cameo_verifier.cameo.cursor import EVENTS
from cameo_verifier.errors import StoreError
from cameo_verifier.store.cameos import webhooks
from cameo_verifier.webhooks.post import Poster, PostError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cameo_credential.key_set import KeyFile
    from cameo_credential.pairwise import PairwiseKey
    from cameo_verifier.cameo.model import Event
    from cameo_verifier.cameo.removals import Removal
    from cameo_verifier.cameo.webhooks import DeliveryState, Endpoint, Schedule
    from cameo_verifier.store.db.batches import Batches

log = structlog.get_logger(__name__)

ResultT = TypeVar("ResultT")

POLL_S = 0.5
_AT_ONCE = 50
_NOT_BEGUN = -1
_MARGIN = timedelta(seconds=5)
"""How much longer a claim lasts than a delivery can take."""


@dataclass(frozen=True, slots=True)
class WebhookLimits:
    """Limits that a site sets: the time for one message, and the retry schedule."""

    timeout_s: float
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class WebhookIssuer:
    """The issuer of webhooks: its name, its keys, and the key of the aliases by which audiences know cameos."""

    name: str
    keys: KeyFile
    pairwise: PairwiseKey


class WebhookSender:
    """Sends events to the endpoints, until it is stopped."""

    def __init__(
        self,
        endpoints: tuple[Endpoint, ...],
        *,
        reads: Batches,
        writes: Batches,
        issuer: WebhookIssuer,
        new_id: Callable[[], str],
        limits: WebhookLimits,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        """Keep the parts; `issuer` signs, `jitter` returns 0 to 1. Call `start`."""
        self._endpoints = endpoints
        self._reads = reads
        self._writes = writes
        self._issuer = issuer
        self._limits = limits
        self._clock = clock
        self._jitter = jitter
        self._server = new_id()
        self._claimed_for = timedelta(seconds=limits.timeout_s) + _MARGIN
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the tasks, in the running loop."""
        self._tasks = [asyncio.create_task(self._serve(endpoint)) for endpoint in self._endpoints]

    async def stop(self) -> None:
        """Cancel deliveries in progress, which the next server repeats, and release the claims."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(StoreError):
            await self._writes.submit(lambda connection: webhooks.release(connection, self._server))

    async def _serve(self, endpoint: Endpoint) -> None:
        poster = Poster(endpoint.url, private=endpoint.private, timeout_s=self._limits.timeout_s)
        looked = _NOT_BEGUN
        try:
            while True:
                before = looked
                try:
                    looked = await self._round(endpoint, poster, looked)
                except (KeyFileError, StoreError) as error:
                    log.warning("webhooks wait", endpoint=endpoint.name, error=str(error))
                except Exception:
                    log.exception("webhooks wait: a fault of ours, or of a signing backend", endpoint=endpoint.name)
                if looked == before:
                    await asyncio.sleep(POLL_S)
        finally:
            await poster.close()

    async def _round(self, endpoint: Endpoint, poster: Poster, looked: int) -> int:
        """Send pending events; return the number up to which nothing is left."""
        name = endpoint.name
        if looked == _NOT_BEGUN:
            await self._writes.submit(lambda connection: webhooks.begin(connection, name))
        delivery_state = await self._reads.submit(lambda connection: webhooks.delivery_state(connection, name))
        if delivery_state is None or not delivery_state.due(self._clock()):  # step 1
            return looked
        after = max(looked, delivery_state.cursor)
        found, upto = await self._reads.submit(
            partial(webhooks.next_events, endpoint=endpoint, after=after, limit=_AT_ONCE)
        )  # step 2
        if found and not await self._claim(delivery_state):  # step 3
            return looked
        for event, removal in found:
            settled = await self._send(endpoint, poster, delivery_state, event, removal)  # step 4
            if settled is None or settled.attempts:
                return looked
            delivery_state, looked = settled, event.number
        return upto

    async def _claim(self, delivery_state: DeliveryState) -> bool:
        now, name, cursor = self._clock(), delivery_state.name, delivery_state.cursor
        how = {"server": self._server}
        return await self._writes.submit(
            lambda connection: webhooks.claim(connection, name, cursor=cursor, now=now, until=now + self._claimed_for, **how),
        )

    async def _send(
        self, endpoint: Endpoint, poster: Poster, before: DeliveryState, event: Event, removal: Removal | None
    ) -> DeliveryState | None:
        """Return the delivery state after one attempt; None if another server has taken over."""
        issuer, cursor = self._issuer, EVENTS.token(event.number)
        message = rules.message(event, removal, endpoint, issuer=issuer.name, cursor=cursor, pairwise=issuer.pairwise)
        identifier, body, failure = rules.identifier(event), to_json(message), None
        # A signing key may be held elsewhere, behind a slow call.
        headers = await asyncio.to_thread(
            lambda: sign_webhook(
                identifier, body, key=self._issuer.keys.current().active, now=self._clock(), endpoint_secrets=endpoint.secrets
            )
        )
        try:
            await poster.post(headers, body)
        except PostError as error:
            failure = error
        now = self._clock()
        if failure is None:
            after = before.after_success(event, now=now)
        else:
            wait = self._limits.schedule.wait(before.attempts + 1, jitter=self._jitter())
            after = before.after_failure(
                str(failure), wait=max(wait, failure.wait), give_up=self._limits.schedule.give_up, gone=failure.gone, now=now
            )
        until = now + self._claimed_for
        # The app receives every removal; only its holder's own endpoint marks it delivered.
        asked = event.removal_id if failure is None and endpoint.holder is not None else ""
        kept = await self._writes.submit(
            lambda connection: webhooks.settle(connection, before, after, asked=asked, server=self._server, until=until, now=now),
        )
        if failure is not None:
            self._report(after, identifier)
        return after if kept else None

    def _report(self, after: DeliveryState, identifier: str) -> None:
        facts = {"endpoint": after.name, "webhook_id": identifier, "error": after.last_error, "attempts": after.attempts}
        if after.stopped_at is None:
            log.info("webhook failed; it is sent again", **facts)
        else:
            log.error("webhooks STOPPED: run `cameo webhooks --retry` once the receiver is well", **facts)
