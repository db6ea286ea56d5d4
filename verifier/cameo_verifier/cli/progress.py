"""How far a long command is: on standard error, where that is a terminal, and gone when the command is done.

Standard output is left alone: rich would have what is printed meanwhile go to the terminal and not to the pipe or file it is for.
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
    """Counts what is done of so many; made by `progress`."""

    def __init__(self, shown: Progress, total: int) -> None:
        self._shown = shown
        self._task = shown.add_task("", total=total)

    def each(self, made: Iterable[ItemT], named: Callable[[ItemT], str]) -> Iterator[ItemT]:
        """Yield what is made, counting each with what `named` says of it."""
        for item in made:
            self.done(named(item))
            yield item

    def done(self, name: str) -> None:
        """Count one."""
        self._shown.update(self._task, advance=1, description=name)

    def print_json(self, document: object) -> None:
        """Print a document on standard output, which may be the same terminal: the bar makes way for it."""
        self._shown.stop()
        print_json(document)
        self._shown.start()


@contextmanager
def progress(what: str, total: int) -> Iterator[Bar]:
    """Show how many of `total` are done, and how long the rest will take."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with _shown(TextColumn(what), *columns) as shown:
        yield Bar(shown, total)


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show that something goes on of which nobody knows how much is left."""
    with _shown(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as shown:
        shown.add_task(what, total=None)
        yield


def _shown(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, redirect_stdout=False, disable=not sys.stderr.isatty())
