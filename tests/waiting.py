"""Bounded waits for processes."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess


def heard(pipe: Connection) -> Any:
    """Return what the other end of a pipe sends next; a silent one fails the test."""
    assert pipe.poll(PATIENCE_S), "the other process says nothing"
    return pipe.recv()


def ended(process: BaseProcess) -> int:
    """Wait for a process that ends by itself, and return its exit code."""
    process.join(PATIENCE_S)
    assert process.exitcode is not None, "the process does not end"
    return process.exitcode


@contextmanager
def running(command: list[Any], **how: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a program that speaks text; whatever happens it has ended afterwards."""
    with subprocess.Popen(command, text=True, **how) as process:
        try:
            yield process
        finally:
            process.kill()


async def until(condition: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
    """Wait until `condition` holds; what it looks at is in another process."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.02)
