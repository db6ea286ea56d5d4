"""Progress bars of long commands: on standard error if that is a terminal, and removed when the command is done.

Standard output is not redirected: rich would send what is printed meanwhile to the terminal, not to the pipe or file it is for.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from cameo_verifier.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.progress import ProgressColumn

ItemT = TypeVar("ItemT")


class Bar:
    """A progress bar over a known number of items; made by `progress`."""

    def __init__(self, shown: Progress, total: int) -> None:
        self._shown = shown
        self._task = shown.add_task("", total=total)

    def each(self, made: Iterable[ItemT], named: Callable[[ItemT], str]) -> Iterator[ItemT]:
        """Yield the items, counting each, with the name that `named` returns for it."""
        for item in made:
            self.done(named(item))
            yield item

    def done(self, name: str) -> None:
        """Count one item."""
        self._shown.update(self._task, advance=1, description=name)

    def print_json(self, document: object) -> None:
        """Print a document on standard output; the bar is hidden meanwhile, because it may be the same terminal."""
        self._shown.stop()
        print_json(document)
        self._shown.start()


@contextmanager
def progress(what: str, total: int) -> Iterator[Bar]:
    """Show the number done out of `total`, and the remaining time."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with _shown(TextColumn(what), *columns) as shown:
        yield Bar(shown, total)


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show a spinner for work of unknown length."""
    with _shown(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as shown:
        shown.add_task(what, total=None)
        yield


def _shown(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, redirect_stdout=False, disable=not sys.stderr.isatty())
