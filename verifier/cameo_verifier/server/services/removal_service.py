"""`cameo.v1.RemovalService`: removals of outputs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from cameo.v1 import removal_service_pb2, removal_service_pb2_grpc
from cameo_verifier.cameo.cursor import Listing
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.wire import cameo_input as given
from cameo_verifier.server.wire import removal_convert as convert
from cameo_verifier.server.wire.request_id import require_request_id
from cameo_verifier.store.cameos import cameos, removals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from grpc.aio import ServicerContext as Context
    from sqlalchemy import Connection

    from cameo.v1.removal_pb2 import Removal as RemovalMessage
    from cameo.v1.removal_service_pb2 import (
        AcknowledgeRemovalRequest,
        ListPendingRemovalsRequest,
        ListPendingRemovalsResponse,
        ListRemovalsRequest,
        ListRemovalsResponse,
        RequestRemovalRequest,
        RequestRemovalResponse,
    )
    from cameo_verifier.cameo.removals import Removal
    from cameo_verifier.store.db.batches import Batches

ResultT = TypeVar("ResultT")


class RemovalService(removal_service_pb2_grpc.RemovalServiceServicer):
    """Opens, lists and answers removals."""

    def __init__(
        self,
        *,
        reads: Batches,
        writes: Batches,
        due_in: timedelta,
        new_id: Callable[[], str],
        clock: Callable[[], datetime],
    ) -> None:
        """Keep the parts; due_in: time within which a holder must remove or refuse."""
        self._reads = reads
        self._writes = writes
        self._due_in = due_in
        self._new_id = new_id
        self._clock = clock

    async def RequestRemoval(  # noqa: N802 - the contract's
        self,
        request: RequestRemovalRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> RequestRemovalResponse:
        """Request the removal of outputs."""
        require_request_id(request.request_id)
        now, reason = self._clock(), given.note(request.reason, "reason")
        asked = removals.Request(request.cameo_id, convert.what(request), request.request_id.lower(), reason)
        until = await self._write(partial(removals.begin, asked=asked, subject=current_caller().sees, now=now))
        work = partial(removals.open_some, asked=asked, until=until, new_id=self._new_id, now=now, due_in=self._due_in)
        # Each round is a transaction of its own, so that other transactions can run between.
        while await self._write(work):
            pass
        page, token = await self._page(request, before=None, size=given.PAGE_MAX)
        shown = [convert.removal(each, now=now) for each in page]
        return removal_service_pb2.RequestRemovalResponse(removals=shown, next_page_token=token)

    async def ListRemovals(  # noqa: N802 - the contract's
        self,
        request: ListRemovalsRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> ListRemovalsResponse:
        """Return a page of a cameo's removals."""
        size, now = given.page_size(request.page_size), self._clock()
        before = _listed(request).number(request.page_token)
        page, token = await self._page(request, before=before, size=size)
        shown = [convert.removal(each, now=now) for each in page]
        return removal_service_pb2.ListRemovalsResponse(removals=shown, next_page_token=token)

    async def ListPendingRemovals(  # noqa: N802 - the contract's
        self,
        request: ListPendingRemovalsRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> ListPendingRemovalsResponse:
        """Return a page of the removals that the caller has to answer."""
        size, holder, now = given.page_size(request.page_size), convert.require_holder(), self._clock()
        pending = Listing("ListPendingRemovals", (current_caller().role, current_caller().id))
        after = pending.number(request.page_token) or 0
        found = await self._write(partial(removals.pending, holder=holder, after=after, limit=size, now=now))
        # The next page tells whether there are more: a row read ahead would count as delivered.
        token = pending.token(found[-1].number) if len(found) == size else ""
        shown = [convert.removal(each, now=now) for each in found]
        return removal_service_pb2.ListPendingRemovalsResponse(removals=shown, next_page_token=token)

    async def AcknowledgeRemoval(  # noqa: N802 - the contract's
        self,
        request: AcknowledgeRemovalRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> RemovalMessage:
        """Record a holder's answer."""
        (answer, reason), now = convert.answer(request), self._clock()
        holder = convert.require_holder()

        def work(connection: Connection) -> Removal:
            return removals.answer(connection, request.removal_id, answer, holder=holder, reason=reason, now=now)

        return convert.removal(await self._write(work), now=now)

    async def _page(
        self, request: RequestRemovalRequest | ListRemovalsRequest, *, before: int | None, size: int
    ) -> tuple[Sequence[Removal], str]:
        subject, cameo_id, output_id = current_caller().sees, request.cameo_id, request.output_id

        def work(connection: Connection) -> list[Removal]:
            cameos.get(connection, cameo_id, subject=subject)
            return removals.of_cameo(connection, cameo_id, output_id, before=before, limit=size + 1)

        return _listed(request).page(await self._reads.submit(work), size, lambda each: each.number)

    async def _write(self, work: Callable[[Connection], ResultT]) -> ResultT:
        return await self._writes.submit(work)


def _listed(request: RequestRemovalRequest | ListRemovalsRequest) -> Listing:
    return Listing("ListRemovals", (request.cameo_id, request.output_id))
