"""Maintenance: periodic tasks of a server, which run until it stops; an error of the store does not stop them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from cameo_credential.errors import KeyFileError
from cameo_verifier.errors import StoreError
from cameo_verifier.store.cameos import events
from cameo_verifier.store.db import engine as engines
from cameo_verifier.store.evidence import unlinking
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
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
    from cameo_verifier.store.attempts.sessions import SessionStore
    from cameo_verifier.store.cameos.likenesses import LikenessStore
    from cameo_verifier.store.credentials.credentials import CredentialStore
    from cameo_verifier.store.evidence.retention import Sweeper

log = structlog.get_logger(__name__)

TOKEN_KEPT = timedelta(days=1)
"""Time for which an encrypted credential is kept for a retry after a lost reply."""

CHALLENGE_KEPT = timedelta(hours=1)
"""Time for which an expired challenge or live session is kept, so that a late answer is refused as expired."""

UNCLAIMED_KEPT = timedelta(days=7)
"""Time for which the encrypted likeness of an accepted attempt waits for its owner to create a cameo of it."""

_UPKEEP_S = 60.0
_REWRITE_S = 3600.0


async def publish(publisher: StatusPublisher, interval_s: float) -> None:
    """Publish fresh status lists before they are requested."""
    while True:
        try:
            await asyncio.to_thread(publisher.refresh)
        except (KeyFileError, StoreError) as error:
            log.warning("status lists could not be made", error=str(error))
        await asyncio.sleep(interval_s)


async def rewrite(engine: Engine) -> None:
    """Shuffle what is left of deleted people, and VACUUM so that free pages keep no deleted data; at start, then hourly."""
    done = 0
    while True:
        with suppress(StoreError):
            last = await asyncio.to_thread(events.last_overwritten, engine)
            if last > done and not await asyncio.to_thread(engines.is_rewritten, engine, last):
                await asyncio.to_thread(unlinking.shuffle, engine)
                if not await asyncio.to_thread(engines.rewrite, engine, last):
                    last = done
            done = max(done, last)
        await asyncio.sleep(_REWRITE_S)


async def sweep(sweeper: Sweeper, interval_s: float, watch: ClockWatch) -> None:
    """Remove evidence whose retention is over, while the clock is trusted."""
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
    """Renew the server's lease, and take over from those whose leases expired."""
    while True:
        await asyncio.sleep(interval_s)
        try:
            await taking_over.renew()
        except StoreError as error:
            log.warning("the lease could not be renewed", error=str(error))


@dataclass(frozen=True, slots=True)
class Kept:
    """The data with a limited lifetime.

    Attributes:
        challenges, sessions, credentials, fingerprints, likenesses: the stores.
        protection: the faces in memory; None where there is no gallery.
        deciding: declines attempts that nobody decides.
        consents: drops the records of consents that were withdrawn before a time.
        overdue: flags grants that were spent before a time, and of which nothing came.
    """

    challenges: ChallengeStore
    sessions: SessionStore
    credentials: CredentialStore
    fingerprints: FingerprintStore
    likenesses: LikenessStore
    protection: FaceIdentification | None
    deciding: Deciding
    consents: Callable[..., int]
    overdue: Callable[..., int]


async def forget(kept: Kept, settings: Settings, watch: ClockWatch) -> None:
    """Delete data whose lifetime is over, while the clock is trusted.

    This is unanswered challenges, unused live sessions, tokens that were not requested again, fingerprints, unclaimed
    likenesses, undecided attempts, which are declined, records of consents that were withdrawn long ago, and deleted faces in the
    index.
    """
    while True:
        with suppress(StoreError):
            if (now := await asyncio.to_thread(watch.look)) is not None:
                await asyncio.to_thread(kept.challenges.drop_unanswered, expired_before=now - CHALLENGE_KEPT)
                while await asyncio.to_thread(kept.sessions.expire, now=now):
                    pass
                await asyncio.to_thread(kept.sessions.drop_unused, expired_before=now - CHALLENGE_KEPT)
                await asyncio.to_thread(kept.credentials.drop_tokens, issued_before=now - TOKEN_KEPT)
                await asyncio.to_thread(kept.fingerprints.drop, before=now - timedelta(days=settings.fingerprint_days))
                await asyncio.to_thread(kept.likenesses.drop_unclaimed, before=now - UNCLAIMED_KEPT)
                await asyncio.to_thread(kept.consents, before=now - timedelta(days=settings.consent_days))
                due = timedelta(hours=settings.output_due_h)
                await asyncio.to_thread(kept.overdue, before=now - due, now=now)
                await asyncio.to_thread(kept.deciding.expire, before=now - timedelta(days=settings.review_wait_days))
            if kept.protection is not None:
                await asyncio.to_thread(kept.protection.refresh)
            await asyncio.to_thread(kept.likenesses.scrub)
        await asyncio.sleep(_UPKEEP_S)
