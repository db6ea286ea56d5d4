"""Pytest hooks that bound hanging tests, rerun none that hung, and name a failure at once.

`--timeout` raises in the main thread, once: an asyncio callback swallows that, and after a failure pytest-timeout and pytest's
watchdog both stand down, so that a fixture which cannot clean up after it waits without end. So pytest's watchdog, a thread that
needs no interpreter, prints where every thread stands and ends the process (`faulthandler_exit_on_timeout`), and is set again for
each cleaning up. pytest-xdist's scheduler by files would hand a test that ended its process to the next one, and so on.

An asynchronous test is bounded before any of that, so that its failure names what it waited for.
"""

from __future__ import annotations

import asyncio
import faulthandler
import functools
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

BOUND_S = 2 * PATIENCE_S
"""Seconds for an asynchronous test, fixtures aside."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Bound the waits of an asynchronous test."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj) and not hasattr(item.obj, "hypothesis"):
        item.obj = _bounded(item.obj)


def _bounded(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    @functools.wraps(test)
    async def bounded(*arguments: Any, **named: Any) -> None:
        async with asyncio.timeout(BOUND_S):
            await test(*arguments, **named)

    return bounded


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print the name of what failed at once, on standard error: a session that is ended prints no summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\nfailed: {report.nodeid} ({report.when})", file=sys.__stderr__, flush=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Set pytest's watchdog again, by its own settings; pytest removes it when the test is over."""
    watchdog: Any = item.config.pluginmanager.getplugin("faulthandler")
    if watchdog is not None and (limit_s := watchdog.get_timeout_config_value(item.config)):
        ends = watchdog.get_exit_on_timeout_config_value(item.config)
        faulthandler.dump_traceback_later(limit_s, file=item.config.stash[watchdog.fault_handler_stderr_fd_key], exit=ends)
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Return pytest-xdist's scheduler by files, changed to rerun no test whose process ended."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - only where it is used

    class OnceEach(LoadFileScheduling):
        def remove_node(self, node: Any) -> str | None:
            work = self.assigned_work[node]
            running = next(((unit, test) for unit in work.values() for test, done in unit.items() if not done), None)
            if running is not None:
                unit, test = running
                unit[test] = True
            super().remove_node(node)
            return running and running[1]

    return OnceEach(config, log)
