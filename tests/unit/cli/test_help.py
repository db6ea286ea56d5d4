"""Help of the commands: every command has it, and a line in docs/commands.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from cameo_verifier.cli import app

if TYPE_CHECKING:
    import click

PAGE = (Path(__file__).parents[3] / "docs" / "commands.md").read_text("utf-8")


def commands(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, typer.core.TyperGroup):
        below = [found for name, sub in command.commands.items() for found in commands(sub, (*path, name))]
        return [(path, command), *below] if command.invoke_without_command else below
    return [(path, command)]


EVERY = commands(typer.main.get_command(app))


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) for path, _ in EVERY])
def test_every_command_explains_itself(path: tuple[str, ...], command: click.Command) -> None:
    """A command says what it does, each option what it is for, and docs/commands.md names it."""
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{' '.join(path)} {parameter.name}"
    assert f"`cameo {' '.join(path)}" in PAGE or (f"`cameo {path[0]}" in PAGE and f"`{path[-1]}`" in PAGE)
