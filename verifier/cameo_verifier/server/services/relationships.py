"""Relationships: whether two people follow each other, from the app's graph or our own table. An unknown one permits nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

import grpc
import structlog

from cameo.v1 import error_reason_pb2, relationship_service_pb2, relationship_service_pb2_grpc
from cameo_verifier.errors import StoreError
from cameo_verifier.server.auth.caller import is_loopback
from cameo_verifier.server.wire.cameo_input import user
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.store.cameos import relationships

if TYPE_CHECKING:
    from cameo.v1.relationship_service_pb2 import AreMutualsRequest, AreMutualsResponse, SetFollowRequest, SetFollowResponse
    from cameo_verifier.store.db.batches import Batches

log = structlog.get_logger(__name__)

DEADLINE_S = 0.5
"""Seconds within which the app must answer: a permission check waits for it."""


class RelationshipSource(Protocol):
    """A source of relationships."""

    async def mutuals(self, one: str, other: str) -> bool | None:
        """Return whether each follows the other; None if that cannot be found out now."""

    async def close(self) -> None:
        """Close the source."""


class TableRelationships:
    """Relationships in the table of this server's database."""

    def __init__(self, reads: Batches) -> None:
        """Keep the queue of reads."""
        self._reads = reads

    async def mutuals(self, one: str, other: str) -> bool | None:
        """See `RelationshipSource`."""
        try:
            return await self._reads.submit(partial(relationships.mutual, one=one, other=other))
        except StoreError:
            return None

    async def close(self) -> None:
        """Do nothing: it has no resources of its own."""


class GrpcRelationships:
    """Relationships in the app's own `RelationshipService` at an address."""

    def __init__(self, address: str, *, deadline_s: float = DEADLINE_S) -> None:
        """Connect; on loopback in the clear, otherwise with TLS and the system's root certificates."""
        self._channel = (
            grpc.aio.insecure_channel(address)
            if is_loopback(address)
            else grpc.aio.secure_channel(address, grpc.ssl_channel_credentials())
        )
        self._stub = relationship_service_pb2_grpc.RelationshipServiceStub(self._channel)
        self._deadline_s = deadline_s

    async def mutuals(self, one: str, other: str) -> bool | None:
        """See `RelationshipSource`."""
        request = relationship_service_pb2.AreMutualsRequest(one=one, other=other)
        try:
            reply: AreMutualsResponse = await self._stub.AreMutuals(request, timeout=self._deadline_s)
        except grpc.RpcError as error:
            log.warning("the app's graph does not answer", code=error.code().name)
            return None
        return bool(reply.mutuals)

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()


class RelationshipService(relationship_service_pb2_grpc.RelationshipServiceServicer):
    """`cameo.v1.RelationshipService`: the table, or the app's own graph."""

    def __init__(self, *, source: RelationshipSource, writes: Batches, own: bool) -> None:
        """Keep the parts; `own`: True if the source is our table."""
        self._source = source
        self._writes = writes
        self._own = own

    async def AreMutuals(  # noqa: N802 - the contract's name
        self,
        request: AreMutualsRequest,
        context: grpc.aio.ServicerContext[AreMutualsRequest, AreMutualsResponse],  # noqa: ARG002 - grpc passes it
    ) -> AreMutualsResponse:
        """Return whether two people follow each other."""
        mutuals = await self._source.mutuals(user(request.one, "one"), user(request.other, "other"))
        if mutuals is None:
            raise RequestError(
                error_reason_pb2.ERROR_REASON_RELATIONSHIPS_UNAVAILABLE, "the app's graph does not answer; try again"
            )
        return relationship_service_pb2.AreMutualsResponse(mutuals=mutuals)

    async def SetFollow(  # noqa: N802 - the contract's name
        self,
        request: SetFollowRequest,
        context: grpc.aio.ServicerContext[SetFollowRequest, SetFollowResponse],  # noqa: ARG002 - grpc passes it
    ) -> SetFollowResponse:
        """Set or clear a follow in the table."""
        if not self._own:
            raise RequestError(
                error_reason_pb2.ERROR_REASON_RELATIONSHIPS_KEPT_ELSEWHERE, "the app keeps the graph itself; change it there"
            )
        follower, followee = user(request.follower, "follower"), user(request.followee, "followee")
        change = partial(relationships.set_follow, follower=follower, followee=followee, follows=request.follows)
        await self._writes.submit(change)
        return relationship_service_pb2.SetFollowResponse()
