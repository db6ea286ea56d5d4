"""Event feed: the server reads new events once, for all streams, and passes them to the streams they concern.

A stream gets every event that concerns it, once and in order:

1. It joins between two reads of the feed, and is passed whatever the feed reads from then on.
2. Then it catches up: it reads the events after its cursor from the database, by itself, until there are no more. Events it
   has read there are skipped when the feed passes them, by their number.
3. From then on it reads nothing by itself, and waits for the feed.
4. Up to `WAITING` events are buffered for it. If its caller is slower, the feed drops it: it returns the buffered events and
   begins again at step 1. So does a guardian's stream when somebody is or may be newly linked, whose past it gets too.

The feed reads only while somebody watches. It reads the database and not this server's actions, so it includes what other servers
on the same database do.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from cameo.v1 import error_reason_pb2
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.model import EventKind
from cameo_verifier.cameo.removals import Holder, HolderKind
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.store.cameos import event_recipients, events, watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from cameo_verifier.cameo.model import Event
    from cameo_verifier.server.auth.caller import Caller
    from cameo_verifier.store.cameos.event_recipients import Addressed
    from cameo_verifier.store.db.batches import Batches

Viewer: TypeAlias = tuple[CallerRole, str]
"""Whose events: the role and the caller's id, which is empty for the app, which gets all."""

POLL_S = 0.2
"""Polling interval while nothing is new."""
AT_ONCE = 200
"""Maximum number of events per read."""
WAITING = 200
"""Maximum number of events buffered per stream."""
FULL_RETRY_S = 10.0
"""Retry delay while all places are taken: when a caller will hang up is unknown."""

_HOLDERS = {CallerRole(kind.value): kind for kind in HolderKind}


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Limits on open streams: of all callers, and of one. `a_caller` further ones are reserved for the app."""

    in_all: int
    a_caller: int


class EventFeed:
    """The feed; see the module. Close it before `reads`."""

    def __init__(self, reads: Batches, limits: StreamLimits, *, stopping: asyncio.Event) -> None:
        """Keep the parts; `stopping` is set when the server stops, and ends all streams."""
        self._reads = reads
        self._limits = limits
        self._stopping = stopping
        self._callers: Counter[tuple[CallerRole, str]] = Counter()
        self._live: dict[Viewer, set[EventStream]] = defaultdict(set)
        self._joining: list[tuple[EventStream, asyncio.Future[None]]] = []
        self._number = 0
        self._is_reading = False
        self._running: asyncio.Task[None] | None = None

    @contextmanager
    def open(self, caller: Caller, number: int) -> Iterator[EventStream]:
        """Reserve a place and yield the stream of events after a number, to be read within the block.

        Raises:
            RequestError: `OVERLOADED`: the limit on open streams is reached, of this caller or in all.
        """
        key, limits = (caller.role, caller.id), self._limits
        if self._callers[key] >= limits.a_caller:
            raise _full("event_streams_a_caller", f"{limits.a_caller} streams of this caller are open: read one of those")
        of_app = sum(count for (role, _), count in self._callers.items() if role is CallerRole.APP)
        has_own = caller.role is CallerRole.APP and of_app < limits.a_caller
        if not has_own and self._callers.total() - min(of_app, limits.a_caller) >= limits.in_all:
            raise _full("event_streams", "as many streams as may be are open")
        self._callers[key] += 1
        stream = EventStream(self, (caller.role, "" if caller.role is CallerRole.APP else caller.id), number)
        try:
            yield stream
        finally:
            self.leave(stream)
            self._callers[key] -= 1
            if not self._callers[key]:
                del self._callers[key]

    async def close(self) -> None:
        """Stop reading."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def join(self, stream: EventStream) -> None:
        """Add a stream to the feed; it is passed whatever is read from here on.

        Raises:
            RequestError: `SERVER_STOPPING`.
            StoreError: the database failed.
        """
        self.require_running()
        if self._running is None or self._running.done():
            self._is_reading = True
            self._running = asyncio.create_task(self._run())
        if self._is_reading:
            # The position of the feed is known once its first read is done; the same rule holds for every read.
            joined = asyncio.get_running_loop().create_future()
            self._joining.append((stream, joined))
            await joined
        else:
            self._add(stream)

    def leave(self, stream: EventStream) -> None:
        """Remove a stream from the feed."""
        stream.live = False
        of_viewer = self._live.get(stream.viewer, set())
        of_viewer.discard(stream)
        if not of_viewer:
            self._live.pop(stream.viewer, None)

    def require_running(self) -> None:
        """Check that the server is not stopping.

        Raises:
            RequestError: `SERVER_STOPPING`.
        """
        if self._stopping.is_set():
            raise _stopping()

    async def after(self, viewer: Viewer, number: int) -> tuple[list[Event], int, bool]:
        """Return a viewer's events after a number, from the database: see `_caught_up`."""
        return await self._reads.submit(partial(_caught_up, viewer=viewer, number=number))

    def _add(self, stream: EventStream) -> None:
        stream.live = True
        self._live[stream.viewer].add(stream)

    async def _run(self) -> None:
        try:
            while (self._live or self._joining) and not self._stopping.is_set():
                if not await self._round():
                    await _either(self._stopping, POLL_S)
        finally:
            self._end(_stopping())

    async def _round(self) -> bool:
        """Read once and pass on new events; return whether there may be more."""
        self._is_reading = True
        try:
            found: list[Addressed] = []
            if self._live:
                found = await self._reads.submit(partial(event_recipients.after, number=self._number, limit=AT_ONCE))
            else:
                self._number = await self._reads.submit(events.last)
        except Exception as error:  # noqa: BLE001 - the error is passed to every stream
            self._end(error)
            return False
        finally:
            self._is_reading = False
        there_may_be_more = len(found) == AT_ONCE
        for addressed in found:
            self._pass_on(addressed, there_may_be_more=there_may_be_more)
        if found:
            self._number = found[-1].event.number
        joining, self._joining = self._joining, []
        for stream, joined in joining:
            if not joined.cancelled():
                self._add(stream)
                joined.set_result(None)
        return there_may_be_more

    def _pass_on(self, addressed: Addressed, *, there_may_be_more: bool) -> None:
        event = addressed.event
        for viewer in _viewers(addressed):
            # Guardianships are as of now, possibly by a link whose event was not read yet.
            has_a_past = viewer[0] is CallerRole.GUARDIAN and (there_may_be_more or event.kind is EventKind.GUARDIAN_LINKED)
            for stream in tuple(self._live.get(viewer, ())):
                if has_a_past or not stream.tell(event):
                    self.leave(stream)
                    stream.stir()

    def _end(self, error: Exception) -> None:
        """End every stream of the feed, and those that are joining."""
        for stream in [stream for of_viewer in self._live.values() for stream in of_viewer]:
            self.leave(stream)
            stream.fail(error)
        joining, self._joining = self._joining, []
        for _, joined in joining:
            if not joined.cancelled():
                joined.set_exception(error)


class EventStream:
    """Events after a number that concern one viewer. Made by `EventFeed.open`; one task reads it."""

    def __init__(self, feed: EventFeed, viewer: Viewer, number: int) -> None:
        """Start after event `number`."""
        self.viewer = viewer
        self.live = False
        """True while the feed passes it new events."""
        self._feed = feed
        self._number = number
        self._catching_up = False
        self._waiting: deque[Event] = deque()
        self._stirred = asyncio.Event()
        self._error: Exception | None = None

    async def read(self) -> list[Event]:
        """Return the next events, oldest first, as soon as there are any.

        Raises:
            RefusedError: `PAGE_TOKEN_INVALID`: the stream begins beyond the newest event.
            RequestError: `SERVER_STOPPING`.
            StoreError: the database failed.
        """
        found: list[Event] = []
        while not found:
            self._feed.require_running()
            if self._error is not None:
                raise self._error
            if self._catching_up:
                found, self._number, self._catching_up = await self._feed.after(self.viewer, self._number)
            elif self._waiting:
                found = [event for event in self._waiting if event.number > self._number]
                self._waiting.clear()
                self._number = found[-1].number if found else self._number
            elif not self.live:
                await self._feed.join(self)
                self._catching_up = True
            else:
                self._stirred.clear()
                await self._stirred.wait()
        return found

    def tell(self, event: Event) -> bool:
        """Buffer an event until it is read; return False if the buffer is full."""
        if len(self._waiting) >= WAITING:
            return False
        self._waiting.append(event)
        self.stir()
        return True

    def stir(self) -> None:
        """Wake the reader."""
        self._stirred.set()

    def fail(self, error: Exception) -> None:
        """Raise an error in the reader, now or at its next read."""
        self._error = error
        self.stir()


def _viewers(addressed: Addressed) -> Iterator[Viewer]:
    yield CallerRole.APP, ""
    yield CallerRole.OWNER, addressed.subject
    for guardian in addressed.guardians:
        yield CallerRole.GUARDIAN, guardian
    for holder in addressed.holders:
        yield CallerRole(holder.kind.value), holder.name


def _caught_up(connection: Connection, *, viewer: Viewer, number: int) -> tuple[list[Event], int, bool]:
    """Return the next events, the number up to which there are no others, and whether there may be more after it.

    Raises:
        RefusedError: `PAGE_TOKEN_INVALID`: the number is beyond the newest event, so the stream would wait for those between.
    """
    events.require_reached(connection, number)
    role, name = viewer
    if role in _HOLDERS:
        found, upto = watching.after(connection, number, holder=Holder(_HOLDERS[role], name), limit=AT_ONCE)
        return found, upto, upto > number
    if role is CallerRole.GUARDIAN:
        found = events.of_guardian(connection, number, guardian=name, limit=AT_ONCE)
    else:
        found = events.after(connection, number, subject=None if role is CallerRole.APP else name, limit=AT_ONCE)
    return found, found[-1].number if found else number, len(found) == AT_ONCE


def _full(setting: str, message: str) -> RequestError:
    told = f"{message}; try again in {FULL_RETRY_S:.0f} s"
    return RequestError(error_reason_pb2.ERROR_REASON_OVERLOADED, told, metadata={"limit": setting}, retry_after_s=FULL_RETRY_S)


def _stopping() -> RequestError:
    return RequestError(error_reason_pb2.ERROR_REASON_SERVER_STOPPING, "the server is stopping; go on elsewhere")


async def _either(event: asyncio.Event, wait_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            await event.wait()
