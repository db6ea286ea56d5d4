"""A terminal into which the commands of a document are typed.

`cameo` runs in this process, where its imports are done; everything else runs in bash, whose folder and variables stay from line
to line. What serves (`cameo serve`, `cameo console`) goes on in a process of its own.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, chdir, contextmanager, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from typer.testing import CliRunner

from cameo_verifier.cli import app
from tests.readme.blocks import ROOT
from tests.sources import PYTHONPATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_OF_BASH = set("$|;&<(`~*?")
# Where the documents rely on the default ports, which others of this machine may hold.
_PORTS = {"CAMEO_LISTEN": "127.0.0.1:0", "CAMEO_CONSOLE_LISTEN": "127.0.0.1:0"}


@contextmanager
def ending(typed: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Close a terminal, with all that runs in it if it is left before its end."""
    with typed:
        try:
            yield typed
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(typed.pid, signal.SIGKILL)
            raise


class Serving:
    """The processes that serve, each started once for all terminals, and whatever else is to be closed at the end."""

    def __init__(self) -> None:
        self.closing = ExitStack()
        self._first_lines: dict[tuple[str, str], str] = {}

    def first_line(self, line: str, folder: Path, environment: dict[str, str]) -> str:
        """Start what serves a site, unless it does already, and return the first line it printed."""
        served = (line, str((folder / environment["CAMEO_DATA"]).resolve()))
        if served not in self._first_lines:
            log = self.closing.enter_context((Path(environment["TMPDIR"]) / "log").open("w+"))
            process = self.closing.enter_context(
                subprocess.Popen(
                    ["/bin/bash", "-euc", f"exec {line}"],
                    cwd=folder,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            )
            self.closing.callback(process.send_signal, signal.SIGINT)
            assert process.stdout
            self._first_lines[served] = process.stdout.readline()
            log.seek(0)
            assert self._first_lines[served], log.read()
        return self._first_lines[served]


class Terminal:
    """A terminal in a folder that holds what a clone holds.

    Attributes:
        folder: where it is now.
        environment: its variables.
    """

    def __init__(
        self, folder: Path, serving: Serving, given: Mapping[str, Callable[[Terminal, Path], None]], **environment: str
    ) -> None:
        """Open a terminal in a new folder.

        given: how each file is made that the reader of a document has; it is made when it is first named.
        environment: variables, besides those of this process that are no settings.
        """
        self.folder, self.serving, self._given = folder, serving, given
        for made in (folder, folder / "tmp"):
            made.mkdir()
        for entry in ROOT.iterdir():
            if entry.name not in {".venv", ".git"}:
                (folder / entry.name).symlink_to(entry)
        (folder / ".venv").symlink_to(sys.prefix)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CAMEO_") or name == "CAMEO_MODELS"}
        self.environment = kept | _PORTS | environment
        self.environment |= {"TMPDIR": str(folder / "tmp"), "XDG_DATA_HOME": str(folder / "share"), "COLUMNS": "130"}
        self.environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
        self.environment["PYTHONPATH"] = PYTHONPATH

    def type(self, line: str) -> str:
        """Type a line and return what it prints, of what serves the first line; a command that fails fails the test."""
        words = shlex.split(line, comments=True)
        for word in words:
            self._give(word.removeprefix("@"))
        if words[:2] == ["cameo", "serve"] or words == ["cameo", "console"]:
            return self.serving.first_line(line, self.folder, self.environment)
        if words[0] == "cameo" and not _OF_BASH & set("".join(words)):
            return self._cameo(words[1:])
        return self._bash(line)

    def run(self, program: str, name: str) -> str:
        """Run a Python program of a document here, and return what it prints."""
        with self._inside(), redirect_stdout(StringIO()) as printed:
            exec(compile(program, name, "exec"), {"__name__": "__main__"})  # noqa: S102 - the documents' own
        return printed.getvalue()

    def _give(self, word: str) -> None:
        if word in self._given and not (self.folder / word).exists():
            self._given[word](self, self.folder / word)

    def _inside(self) -> ExitStack:
        entered = ExitStack()
        entered.enter_context(mock.patch.dict(os.environ, self.environment, clear=True))
        # What `tempfile` finds in the environment it keeps for the rest of the process.
        entered.enter_context(mock.patch.object(tempfile, "tempdir", self.environment["TMPDIR"]))
        entered.enter_context(chdir(self.folder))
        return entered

    def _cameo(self, words: list[str]) -> str:
        words, into = (words[:-2], words[-1]) if words[-2:-1] == [">"] else (words, None)
        with self._inside():
            ran = CliRunner().invoke(app, words)
        assert ran.exit_code == 0, (words, ran.output, ran.exception)
        if into is None:
            return ran.output
        (self.folder / into).write_text(ran.stdout, "utf-8")
        return ran.stderr

    def _bash(self, line: str) -> str:
        pwd, variables = (Path(self.environment["TMPDIR"]) / name for name in ("pwd", "variables"))
        process = subprocess.Popen(
            ["/bin/bash", "-euc", f"trap 'pwd > {pwd}; env -0 > {variables}' EXIT\n{line}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        with ending(process) as typed:
            printed, _ = typed.communicate()
        assert typed.returncode == 0, (line, printed)
        self.folder = Path(pwd.read_text("utf-8").removesuffix("\n"))
        self.environment = dict(each.split("=", 1) for each in variables.read_text("utf-8").split("\0") if "=" in each)
        return printed
