"""The server process: opens the server and runs it until a signal."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import structlog

from cameo_verifier import offline
from cameo_verifier.server.app import open_server
from cameo_verifier.server.unblocked import unblock_stderr
from cameo_verifier.settings import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from cameo_verifier.server.app import Server
    from cameo_verifier.settings import Settings

log = structlog.get_logger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run(
    settings: Settings,
    *,
    announce: Callable[[Server], None],
    opener: Callable[[Settings], Coroutine[Any, Any, Server]] = open_server,
) -> None:
    """Open a server, call `announce` once it is ready, and stop it on SIGTERM or SIGINT.

    The first signal drains: calls in progress are finished within `settings.drain_s`. Before that, if it is SIGTERM, health
    reports NOT_SERVING for `settings.lame_duck_s` while new calls are still accepted. A second signal ends the process at once.

    Raises:
        CameoError: the server could not be opened, see `open_server`.
    """
    offline.hide()
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    heard: list[signal.Signals] = []

    def tell(number: signal.Signals) -> None:
        heard.append(number)
        told.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, tell, number)
    opening = asyncio.create_task(opener(settings))
    stopping = asyncio.create_task(told.wait())
    await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not opening.done():
        opening.cancel()
        await asyncio.wait({opening})
        return
    try:
        server = opening.result()
        # Objects that exist by now stay until the end. Frozen, they are not scanned by the garbage collector, which would delay
        # every call by 0.1 s each time.
        gc.collect()
        gc.freeze()
        announce(server)
        await stopping
    finally:
        stopping.cancel()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    # A server stopped from a terminal has no load balancer.
    await server.stop(lame_duck_s=settings.lame_duck_s if signal.SIGTERM in heard else 0.0)


def warn_of_unknown_settings() -> None:
    """Log variables that begin like ours and are unknown, because whoever set them expects an effect."""
    for told in unknown(os.environ):
        log.warning(told)


def log_to_stderr() -> None:
    """Log to standard error without blocking: for people on a terminal, otherwise one JSON object a line."""
    unblock_stderr()
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
