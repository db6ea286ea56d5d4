"""The services about cameos, opened together: they share two queues of batched transactions, one to read and one to write."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cameo.v1 import (
    cameo_service_pb2_grpc,
    data_subject_service_pb2_grpc,
    guardian_service_pb2_grpc,
    relationship_service_pb2_grpc,
    removal_service_pb2_grpc,
)
from cameo_verifier.cameo.webhooks import Schedule
from cameo_verifier.server import retention_schedule
from cameo_verifier.server.delivering import Delivering, public_models
from cameo_verifier.server.event_feed import EventFeed, StreamLimits
from cameo_verifier.server.exporting import Exporting
from cameo_verifier.server.rate import Rate
from cameo_verifier.server.services.cameo_service import CameoService, Permissions, UseLimits
from cameo_verifier.server.services.data_subject_service import DataSubjectService, policy
from cameo_verifier.server.services.guardian_service import GuardianService
from cameo_verifier.server.services.relationships import GrpcRelationships, RelationshipService, TableRelationships
from cameo_verifier.server.services.removal_service import RemovalService
from cameo_verifier.store.cameos import uses
from cameo_verifier.store.cameos.consent_records import ConsentRecords
from cameo_verifier.store.db.batches import Batches
from cameo_verifier.store.db.engine import scrub, writing
from cameo_verifier.store.db.inline import InlineBatches
from cameo_verifier.webhooks.endpoints import read_endpoints
from cameo_verifier.webhooks.sender import WebhookIssuer, WebhookLimits, WebhookSender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    import grpc
    from sqlalchemy import Engine

    from cameo_verifier.review.evidence_room import EvidenceRoom
    from cameo_verifier.server.auth.requester import RequesterTokens
    from cameo_verifier.server.issuing import Issuer
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.cameos.vault import Vault
    from cameo_verifier.store.db.batches import Together

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@asynccontextmanager
async def opened(
    server: grpc.aio.Server,
    engine: Engine,
    issuer: Issuer,
    vault: Vault,
    room: EvidenceRoom,
    settings: Settings,
    clock: Callable[[], datetime],
    requesters: RequesterTokens | None,
) -> AsyncIterator[asyncio.Event]:
    """Register the services, and yield the event that tells streams of the server's stop; at the end, close what they use."""
    async with AsyncExitStack() as opening:
        reads, writes = Batches(engine), Batches(writing(engine))
        for batches in (reads, writes):
            opening.push_async_callback(asyncio.to_thread, batches.close)
        own = not settings.relationships
        source = TableRelationships(reads) if own else GrpcRelationships(settings.relationships)
        opening.push_async_callback(source.close)
        stopping = asyncio.Event()
        feed = EventFeed(reads, StreamLimits(settings.event_streams, settings.event_streams_a_caller), stopping=stopping)
        opening.push_async_callback(feed.close)
        due_in = timedelta(hours=settings.removal_due_h)
        records = ConsentRecords(room.keys, policy(settings))
        cameo_service_pb2_grpc.add_CameoServiceServicer_to_server(
            CameoService(
                reads=reads,
                writes=writes,
                records=records,
                permissions=Permissions(
                    _often(opening, uses.check_all, reads, engine),
                    _often(opening, uses.authorize_all, writes, writing(engine)),
                    *(Rate(settings.permission_checks_s, limit="CAMEO_PERMISSION_CHECKS_S") for _ in range(2)),
                ),
                requesters=requesters,
                relationships=source,
                delivering=Delivering(vault, issuer, public_models(settings)),
                limits=UseLimits(
                    settings.job_cameos,
                    timedelta(seconds=settings.grant_s),
                    timedelta(seconds=settings.permission_cache_s),
                    due_in,
                    settings.grant_outputs,
                ),
                scrub=partial(scrub, engine),
                clock=clock,
                feed=feed,
            ),
            server,
        )
        guardian_service_pb2_grpc.add_GuardianServiceServicer_to_server(
            GuardianService(reads=reads, writes=writes, records=records, clock=clock), server
        )
        data_subject_service_pb2_grpc.add_DataSubjectServiceServicer_to_server(
            DataSubjectService(
                Exporting(
                    engine, room, vault, records, issuer, retention_schedule.schedule(settings), settings.expose_scores, clock
                ),
                reads=reads,
                stall_s=settings.stall_s,
            ),
            server,
        )
        relationship_service_pb2_grpc.add_RelationshipServiceServicer_to_server(
            RelationshipService(source=source, writes=writes, own=own), server
        )
        if settings.webhooks is not None:
            schedule = Schedule(timedelta(seconds=settings.webhook_retry_s), timedelta(hours=settings.webhook_give_up_h))
            sender = WebhookSender(
                read_endpoints(settings.webhooks),
                reads=reads,
                writes=writes,
                issuer=WebhookIssuer(issuer.name, issuer.keys, issuer.pairwise),
                new_id=issuer.new_id,
                limits=WebhookLimits(settings.webhook_timeout_s, schedule),
                clock=clock,
                jitter=secrets.SystemRandom().random,
            )
            sender.start()
            opening.push_async_callback(sender.stop)
        removal_service_pb2_grpc.add_RemovalServiceServicer_to_server(
            RemovalService(reads=reads, writes=writes, due_in=due_in, new_id=issuer.new_id, clock=clock), server
        )
        yield stopping


def _often(
    opening: AsyncExitStack, together: Together[ItemT, ResultT], batches: Batches, engine: Engine
) -> Callable[[ItemT], asyncio.Future[ResultT]]:
    """Return the function that submits a frequent kind of work: inline with SQLite, in a thread with other databases."""
    if engine.dialect.name != "sqlite":
        return partial(batches.submit_among, together)
    inline = InlineBatches(engine, together, otherwise=batches)
    opening.push_async_callback(inline.close)
    return inline.submit
