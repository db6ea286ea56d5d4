"""Health checking: each service is SERVING while its dependencies are available, which is checked periodically.

Every service needs the database, and judging needs a live worker.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog
from grpc_health.v1 import health_pb2
from sqlalchemy import text

from cameo_verifier.errors import StoreError
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from grpc_health.v1 import health
    from sqlalchemy import Engine

_STATUS = {True: health_pb2.HealthCheckResponse.SERVING, False: health_pb2.HealthCheckResponse.NOT_SERVING}
_LOOK_S = 1.0
_PATIENCE_S = 5.0
"""Seconds within which the database must answer before it counts as down."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def followed(
    standing: health.aio.HealthServicer,
    services: Collection[str],
    judging: Collection[str],
    *,
    engine: Engine,
    lives: Callable[[], bool],
) -> AsyncIterator[None]:
    """Keep the health of each service up to date within the context; at its end none serves.

    Args:
        standing: the health servicer.
        services: names of the services.
        judging: those of them that need a worker.
        engine: the database.
        lives: whether a worker is alive.
    """
    said: dict[str, bool] = {}
    store = _Store(engine)

    async def look() -> None:
        kept, judged = await store.answers(), lives()
        for service in services:
            serving = kept and (judged or service not in judging)
            if said.get(service) is serving:
                continue
            if service in said or not serving:
                log.warning("health", service=service, serving=serving, store=kept, workers=judged)
            said[service] = serving
            await standing.set(service, _STATUS[serving])

    async def go_on() -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            await look()

    await look()
    looking = asyncio.create_task(go_on())
    try:
        yield
    finally:
        looking.cancel()
        await standing.enter_graceful_shutdown()


class _Store:
    """Probes the database, one query at a time: while one hangs no other is sent."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._asking: asyncio.Task[bool] | None = None

    async def answers(self) -> bool:
        if self._asking is None:
            self._asking = asyncio.create_task(asyncio.to_thread(self._ask))
        done, _ = await asyncio.wait({self._asking}, timeout=_PATIENCE_S)
        if not done:
            return False
        answered, self._asking = self._asking.result(), None
        return answered

    def _ask(self) -> bool:
        try:
            with store_errors(), self._engine.connect() as connection:
                connection.execute(text("SELECT version_num FROM alembic_version")).all()
        except StoreError:
            return False
        return True
