"""The README, typed: from an environment that is there to an opened credential, with a real server, models and recording.

Each block of commands is typed into a terminal of its own, `bash` in a folder that holds what a clone holds, after the block that
makes it ready. `Terminals.otherwise` is all that is typed otherwise than the README has it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import av
import pytest

from tests.patience import PATIENCE_S
from tests.readme.terminal import ending
from tests.sources import PYTHONPATH

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PATH = README.split("\n## How an app calls it\n")[1].split("\n## ")[0]
TRIES = 3
"""A rendered person is asked to try again now and then, as anyone is; the README says what they do then."""
STEP = re.compile(r"(say|turn): (?:\"([a-z ]+)\"|([A-Z]+))\n")


class Terminals:
    """Terminals of one new user in one clone."""

    def __init__(self, folder: Path, ready: str) -> None:
        """Lay the clone out in `folder`; `ready` is typed first in every terminal."""
        self._ready = ready
        self.folder = folder / "clone"
        self.folder.mkdir()
        for entry in ROOT.iterdir():
            if entry.name not in {".venv", ".git"}:
                (self.folder / entry.name).symlink_to(entry)
        (self.folder / ".venv").symlink_to(sys.prefix)
        # The ports, which others of this machine may hold; the paths are those of the README.
        self.otherwise = {f":{port}": f":{free}" for port, free in zip((50051, 8080), _free_ports(), strict=True)}
        # No site of this account is touched, and nobody's patience ends because the cores are busy.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CAMEO_") or name == "CAMEO_MODELS"}
        self._environment = kept | {"XDG_DATA_HOME": str(folder / "share"), "CAMEO_CHALLENGE_TTL_S": "3600"}
        self._environment |= {"PYTHONPATH": PYTHONPATH}

    def open(self, block: str, *, log: IO[bytes] | None = None) -> subprocess.Popen[str]:
        """Type the commands of a block of the README into a new terminal."""
        typed = "\n".join(line[2:] for line in (self._ready + block).splitlines() if line.startswith("$ "))
        return subprocess.Popen(
            ["/bin/bash", "-euc", self.meant(typed)],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log or subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def meant(self, said: str) -> str:
        """Return what is typed for what the README says."""
        for each, otherwise in self.otherwise.items():
            said = said.replace(each, otherwise)
        return said

    def type(self, block: str) -> str:
        """Type a block and return what it prints, once it has ended well."""
        with ending(self.open(block)) as typed:
            out, err = typed.communicate(timeout=PATIENCE_S)
        assert typed.returncode == 0, (block, out, err)
        return out

    @contextmanager
    def serving(self, block: str) -> Iterator[str]:
        """Type a block whose last command serves; yield its first line, and press Ctrl-C at the end."""
        with (self.folder.parent / "log").open("w+b") as log, ending(self.open(block, log=log)) as server:
            try:
                assert server.stdout
                ready = server.stdout.readline()
                assert ready, (self.folder.parent / "log").read_text("utf-8")
                yield ready
            finally:
                os.killpg(server.pid, signal.SIGINT)
                server.communicate(timeout=PATIENCE_S)


def _length_s(recording: Path) -> float:
    with av.open(str(recording)) as opened:
        assert opened.duration
        return opened.duration / av.time_base


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def _asked(errors: IO[str]) -> dict[str, list[dict[str, str]]]:
    """Read what the client asks for until it waits for the file, as JSON."""
    steps = []
    for line in errors:
        if "The file:" in line:
            return {"steps": steps}
        found = STEP.fullmatch(line)
        assert found, line
        steps.append({found[1]: found[2] or found[3].lower()})
    raise AssertionError("the client asked for no file")


@pytest.mark.slow
def test_a_new_user_gets_from_the_readme_to_an_opened_credential(tmp_path: Path, kit: object) -> None:
    """Every command and program between the demo and the opened credential does what the README says it does."""
    assert kit
    blocks = re.findall(r"```(\w+)\n(.*?)```", PATH, re.DOTALL)
    consoles = [block for language, block in blocks if language == "console"]
    ready, serve, register, client, render, opening = consoles
    [generator] = (block for language, block in blocks if language == "python")
    assert "python docs/client.py" in client
    terminals = Terminals(tmp_path, ready)
    example = re.findall(r"--challenge ('[^']*')", render)[0]
    with terminals.serving(serve) as line:
        assert line.startswith("ready on 127.0.0.1:")
        terminals.type(register)
        for _ in range(TRIES):
            with ending(terminals.open(client)) as asking:
                assert asking.stdin
                assert asking.stderr
                terminals.otherwise[example] = shlex.quote(json.dumps(_asked(asking.stderr)))
                asked_s = time.monotonic()
                answer = terminals.folder / "answer.mp4"
                answer.unlink(missing_ok=True)
                terminals.type(render)
                # Nobody answers in less time than the answer lasts, and the studio may be quicker than that.
                time.sleep(max(0.0, asked_s + _length_s(answer) - time.monotonic()))
                asking.stdin.write("answer.mp4\n")
                asking.stdin.close()
                told = asking.stderr.read()
            if asking.returncode == 0:
                break
        assert told == "ACCEPTED\n"
        table = terminals.type(opening)
        (terminals.folder / "generator.py").write_text(terminals.meant(generator))
        ran = terminals.type("$ python generator.py")
    assert "no site there yet: making a new one" in (tmp_path / "log").read_text("utf-8")
    assert "verified credential" in table
    assert "512 values of face-embedding" in table
    subject, rest = ran.split(maxsplit=1)
    assert subject in table
    assert rest.startswith("(512,) speech_and_turns ('")
