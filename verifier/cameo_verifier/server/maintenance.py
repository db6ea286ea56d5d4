"""What a server does beside answering: each a task without an end, which a fault of the store does not stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from cameo_verifier.errors import StoreError
from cameo_verifier.store.cameos import events
from cameo_verifier.store.db import engine as engines
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from cameo_verifier.screening.identification import FaceIdentification
    from cameo_verifier.server.clock_watch import ClockWatch
    from cameo_verifier.server.deciding import Deciding
    from cameo_verifier.server.taking_over import TakingOver
    from cameo_verifier.settings import Settings
    from cameo_verifier.status.publisher import StatusPublisher
    from cameo_verifier.store.attempts.challenges import ChallengeStore
    from cameo_verifier.store.attempts.fingerprints import FingerprintStore
    from cameo_verifier.store.cameos.likenesses import LikenessStore
    from cameo_verifier.store.credentials.credentials import CredentialStore
    from cameo_verifier.store.evidence.retention import Sweeper

log = structlog.get_logger(__name__)

TOKEN_KEPT = timedelta(days=1)
"""How long an encrypted credential is kept for a reply that got lost."""

CHALLENGE_KEPT = timedelta(hours=1)
"""How long an expired challenge is kept for those who answer it too late to be told so."""

UNCLAIMED_KEPT = timedelta(days=7)
"""How long the likeness of an accepted attempt waits, sealed, for its owner to make a cameo of it."""

_UPKEEP_S = 60.0
_REWRITE_S = 3600.0


async def publish(publisher: StatusPublisher, interval_s: float) -> None:
    """Have a fresh list ready before it is asked for."""
    while True:
        try:
            await asyncio.to_thread(publisher.refresh)
        except StoreError as error:
            log.warning("status lists could not be made", error=str(error))
        await asyncio.sleep(interval_s)


async def rewrite(engine: Engine) -> None:
    """Have no copy of what owners changed or deleted in the unused parts of the database's files; at once, then every hour."""
    done = 0
    while True:
        with suppress(StoreError):
            last = await asyncio.to_thread(events.last_overwritten, engine)
            if last > done and (
                await asyncio.to_thread(engines.is_rewritten, engine, last)
                or await asyncio.to_thread(engines.rewrite, engine, last)
            ):
                done = last
        await asyncio.sleep(_REWRITE_S)


async def sweep(sweeper: Sweeper, interval_s: float, watch: ClockWatch) -> None:
    """Remove evidence whose time is over, while the clock is believed."""
    while True:
        if (now := await asyncio.to_thread(watch.look)) is not None:
            await _sweep(sweeper, now)
        await asyncio.sleep(interval_s)


async def _sweep(sweeper: Sweeper, now: datetime) -> None:
    try:
        swept = await asyncio.to_thread(sweeper.sweep, now=now)
    except StoreError as error:
        log.warning("evidence could not be swept", error=str(error))
        return
    if swept.removed or swept.left_overs:
        gone = {verdict.value: sum(piece.verdict is verdict for piece in swept.removed) for verdict in Verdict}
        log.info("removed evidence", left_overs=swept.left_overs, **gone)
    for failure in swept.failed:
        log.warning("evidence could not be removed", error=failure)


async def live(taking_over: TakingOver, interval_s: float) -> None:
    """Keep the server's lease, and take over from those whose leases ran out."""
    while True:
        await asyncio.sleep(interval_s)
        try:
            await taking_over.renew()
        except StoreError as error:
            log.warning("the lease could not be renewed", error=str(error))


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept for a time only."""

    challenges: ChallengeStore
    credentials: CredentialStore
    fingerprints: FingerprintStore
    likenesses: LikenessStore
    protection: FaceIdentification | None
    deciding: Deciding


async def forget(kept: Kept, settings: Settings, watch: ClockWatch) -> None:
    """Forget what had its time, while the clock is believed.

    Those are challenges nobody answered, tokens nobody asked for again, fingerprints, likenesses nobody claimed, attempts nobody
    decided, which are declined, and faces that were removed.
    """
    while True:
        with suppress(StoreError):
            if (now := await asyncio.to_thread(watch.look)) is not None:
                await asyncio.to_thread(kept.challenges.drop_unanswered, expired_before=now - CHALLENGE_KEPT)
                await asyncio.to_thread(kept.credentials.drop_tokens, issued_before=now - TOKEN_KEPT)
                await asyncio.to_thread(kept.fingerprints.drop, before=now - timedelta(days=settings.fingerprint_days))
                await asyncio.to_thread(kept.likenesses.drop_unclaimed, before=now - UNCLAIMED_KEPT)
                await asyncio.to_thread(kept.deciding.expire, before=now - timedelta(days=settings.review_wait_days))
            if kept.protection is not None:
                await asyncio.to_thread(kept.protection.refresh)
            await asyncio.to_thread(kept.likenesses.scrub)
        await asyncio.sleep(_UPKEEP_S)
