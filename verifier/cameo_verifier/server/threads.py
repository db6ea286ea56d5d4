"""Threads for blocking work beside the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

ValueT = TypeVar("ValueT")


async def undisturbed(work: Callable[..., ValueT], *arguments: object, **named: object) -> ValueT:
    """Run blocking work in a thread to its end; a cancellation meanwhile is raised afterwards."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
