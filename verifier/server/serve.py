"""Run a server until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import structlog

from verifier.server.app import open_server
from verifier.settings import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from verifier.server.app import Server
    from verifier.settings import Settings

log = structlog.get_logger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run(
    settings: Settings,
    *,
    announce: Callable[[Server], None],
    opener: Callable[[Settings], Coroutine[Any, Any, Server]] = open_server,
) -> None:
    """Open a server, `announce` it once it is ready, and stop it on SIGTERM or SIGINT.

    The first signal drains: what is under way is finished within `settings.drain_s`. A second one ends the process at once.

    Raises:
        CameoError: the server could not be opened, see `open_server`.
    """
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in _SIGNALS:
        loop.add_signal_handler(number, told.set)
    opening = asyncio.create_task(opener(settings))
    stopping = asyncio.create_task(told.wait())
    await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not opening.done():
        opening.cancel()
        await asyncio.wait({opening})
        return
    try:
        server = opening.result()
        # What is loaded by now stays to the end. The garbage collector need not walk it again and again: it stops every call
        # for 0.1 s each time.
        gc.collect()
        gc.freeze()
        announce(server)
        await stopping
    finally:
        stopping.cancel()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    await server.stop()


def warn_of_unknown_settings() -> None:
    """Name in the log what begins like our variables and is none: whoever set it expects something of it."""
    for told in unknown(os.environ):
        log.warning(told)


def log_to_stderr() -> None:
    """Write the log to standard error: for people on a terminal, one JSON object a line otherwise."""
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
