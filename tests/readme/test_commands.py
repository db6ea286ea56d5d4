"""Every command in the documents is one that exists, with the options it has, and every block is what its fence says.

What needs nothing is typed too, by `test_stories` and `test_typed`; this is about what the text names besides, and about blocks
that need something, which the page says above them.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from cameo_verifier.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

ROOT = Path(__file__).parents[2]
DOCUMENTS = {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "packaging").rglob("*.md")}
PAGES = sorted(DOCUMENTS - {ROOT / "CHANGELOG.md"})
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:cameo|python -m|make) [^`]+)`")
ASSIGNMENT = re.compile(r"[A-Z_]+=.*")
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
OURS = {"cameo", "cameo_challenges", "cameo_credential", "cameo_verifier", "fixtures"}
FOREIGN = {"cmp", "cp", "export", "mkdir", "mv", "pip", "pytest", "source"}
"""Programs that are not ours; what `pip` installs is asked by `test_named`."""


def _typed(page: Path) -> Iterator[list[str]]:
    """Return the words of each command in the console blocks of a page, without assignments and redirections."""
    for language, block in BLOCK.findall(page.read_text("utf-8")):
        if language == "console":
            for line in block.splitlines():
                if line.startswith("$ "):
                    words = shlex.split(line[2:].split(" > ")[0], comments=True)
                    yield words[next(i for i, word in enumerate(words) if not ASSIGNMENT.fullmatch(word)) :]


def _mentioned(page: Path) -> Iterator[list[str]]:
    """Return the words of each command that the text of a page names; an ellipsis stands for what may follow."""
    for span in INLINE.findall(BLOCK.sub("", page.read_text("utf-8"))):
        yield [word for word in shlex.split(span.replace("…", " ").replace("\\|", " ")) if word]


def _command(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that the first words name, and the words after them."""
    command: click.Command = typer.main.get_command(app)
    while isinstance(command, typer.core.TyperGroup) and words and not words[0].startswith("-") and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def _require_options(words: list[str]) -> None:
    command, rest = _command(words[1:])
    assert command.name != "cameo" or words[1].startswith("-"), words
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    assert {word.split("=")[0] for word in rest if word.startswith("--")} <= known, words


def _require_parsed(words: list[str]) -> None:
    """Parse a command as the terminal would, but for files, which need not be there."""
    command, rest = _command(words[1:])
    try:
        command.make_context(command.name, rest)
    except typer.BadParameter as error:
        if "does not exist" not in error.format_message():
            raise AssertionError(f"{' '.join(words)}: {error.format_message()}") from None


def _require_module(module: str, words: list[str]) -> None:
    found = importlib.util.find_spec(module)
    assert found is not None, module
    assert found.origin
    own = Path(found.origin)
    sources = own.parent.rglob("*.py") if own.name == "__init__.py" else [own, *own.parent.glob("table.py")]
    text = "\n".join(source.read_text("utf-8") for source in sources)
    for word in words:
        if word.startswith("--") and word != "--help":
            option = word.split("=")[0]
            assert f'"{option}"' in text or f"{option[2:].replace('-', '_')}:" in text, (module, word)


def _require_imports(program: ast.Module) -> None:
    """Refuse names of our packages that are not there."""
    for node in ast.walk(program):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in OURS:
            module = importlib.import_module(node.module)
            for name in node.names:
                if not hasattr(module, name.name):
                    importlib.import_module(f"{node.module}.{name.name}")


def _require(words: list[str]) -> None:
    match words:
        case ["python", "-m", module, *rest]:
            _require_module(module, rest)
        case ["python", "-c", program]:
            ast.parse(program)
        case ["python", file, *_]:
            assert (ROOT / file).is_file() or file == "generator.py", words
        case ["make", *targets]:
            assert {word for word in targets if "=" not in word} <= TARGETS, words
        case [program, *_]:
            assert program in FOREIGN, words


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_command_exists_with_its_options(page: Path) -> None:
    """What the blocks have people type parses, and what the text mentions has the options it is said to have."""
    for words in _typed(page):
        if words[0] == "cameo":
            _require_parsed(words)
        else:
            _require(words)
    for words in _mentioned(page):
        if words[0] == "cameo":
            _require_options(words)
        else:
            _require(words)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_block_is_what_its_fence_says(page: Path) -> None:
    """Python, TOML and JSON parse; a console block has commands."""
    for language, block in BLOCK.findall(page.read_text("utf-8")):
        match language:
            case "python":
                _require_imports(ast.parse(block))
            case "toml":
                tomllib.loads(block)
            case "json":
                json.loads(block)
            case "console":
                assert re.search(r"^\$ ", block, re.MULTILINE), block
            case _:
                assert language in {"mermaid", "protobuf", "text", "swift", "kotlin"}, f"{page.name}: a block of {language!r}"
