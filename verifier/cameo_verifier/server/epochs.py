"""Epochs of the vault key, as a periodic task of a server: a new one begins when the present one has expired."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from cameo_credential.errors import KeyFileError
from cameo_verifier.errors import StoreError
from cameo_verifier.review.vault_rotation import turn_epoch

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from cameo_verifier.server.clock_watch import ClockWatch
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.evidence.rewrapping import Rewrapped

log = structlog.get_logger(__name__)

_LOOK_S = 3600.0


class _StoppedError(Exception):
    """The server stops: whichever goes on, this or another, continues."""


async def turn(engine: Engine, settings: Settings, watch: ClockWatch) -> None:
    """Begin an epoch when the present one is over, while the clock is trusted; at start, then hourly."""
    stopped = threading.Event()
    try:
        while True:
            if settings.vault_epoch_days and (now := await asyncio.to_thread(watch.look)) is not None:
                await asyncio.to_thread(_turn, engine, settings, now, stopped)
            await asyncio.sleep(_LOOK_S)
    finally:
        stopped.set()


def _turn(engine: Engine, settings: Settings, now: datetime, stopped: threading.Event) -> None:
    def go_on(_: Rewrapped) -> None:
        if stopped.is_set():
            raise _StoppedError

    lasts = timedelta(days=settings.vault_epoch_days)
    try:
        turned = turn_epoch(engine, settings.vault_key, lasts=lasts, now=now, done=go_on)
    except (KeyFileError, StoreError) as error:
        log.warning("no epoch of the vault key could be begun: what is deleted stays in old copies", error=str(error))
    except _StoppedError:
        log.info("an epoch of the vault key is begun; the next server goes on")
    else:
        if turned is not None:
            log.info("an epoch of the vault key began", data_keys=turned.data_keys, unreadable=turned.unreadable)
