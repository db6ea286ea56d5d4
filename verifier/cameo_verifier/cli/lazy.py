"""A Typer group that imports a command's module when the command is asked for: each needs a part of the package only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click import Command  # the copy of Click that Typer keeps

COMMANDS = (
    "serve",
    "verify",
    "inspect",
    "evaluate",
    "replay",
    "label",
    "try",
    "demo",
    "webhooks",
    "console",
    "challenge",
    "credential",
    "gallery",
    "attempts",
    "evidence",
    "data",
    "audit",
    "vault",
    "token",
    "models",
)
"""Names of the commands, in the order of the help. A module of this package has each name, and in it the group `app`, or the
function of that name; both end in an underscore where the name is a keyword of Python."""


class LazyGroup(TyperGroup):
    """Group of the commands above."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - those of a group
        """Replace the commands that were registered, none, by those that will be imported."""
        super().__init__(**attributes)
        self.commands: Any = _Imported()


class _Imported(Mapping[str, "Command"]):
    """Commands by name, each imported when it is first looked up."""

    def __init__(self) -> None:
        self._known: dict[str, Command] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS

    def __getitem__(self, name: str) -> Command:
        if name not in COMMANDS:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = _command(name)
        return self._known[name]


def _command(name: str) -> Command:
    own = f"{name}_" if iskeyword(name) else name
    module = import_module(f"{__package__}.{own}")
    only = typer.Typer()
    if hasattr(module, "app"):
        only.add_typer(module.app, name=name)
    else:
        only.command(name)(getattr(module, own))
    return typer.main.get_group(only).commands[name]
