"""Progress of long commands: shown to people on a terminal, and to nobody else."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.settings import Settings
from cameo_verifier.store.db.engine import open_database
from tests.patience import PATIENCE_S
from tests.sources import PYTHONPATH
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "TERM": "xterm", "PYTHONPATH": PYTHONPATH}
COUNTED = {
    "verify": (["verify", "--cases", "cases.jsonl", "--jsonl"], 3),
    "inspect": (["inspect", "one.mp4", "two.mp4", "--jsonl"], 2),
    "replay": (["replay", "first", "second", "--why", "case 7", "--json", "--data", "data"], 2),
    "replay from recording": (
        ["replay", "first", "second", "--why", "x", "--json", "--data", "data", "--from", "recording", "--workers", "2"],
        2,
    ),
    "evaluate": (["evaluate", ".", "--out", "out", "--json", "--workers", "1"], 2),
    "labelled": (["evaluate", "--labelled", "--why", "x", "--out", "out", "--json", "--data", "data"], 2),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something for each command to be through with soon: nothing in it can be judged."""
    folder = tmp_path_factory.mktemp("cases")
    case = json.dumps({"recording": "one.mp4", "challenge": {"steps": [{"say": "one two"}]}})
    (folder / "cases.jsonl").write_text(f"{case}\nnothing\n{case}\n")
    suite = [{"file": name, "species": "screen"} for name in ("one.mp4", "two.mp4")]
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in suite))
    for name in ("one.mp4", "two.mp4"):
        (folder / name).write_bytes(b"no recording")
    engine = open_database(Settings(data=folder / "data").database)
    site = open_site(engine, folder / "data")
    for attempt in ("first", "second"):
        site.kept(attempt)
    engine.dispose()
    return folder


def at_terminal(command: Sequence[str], folder: Path) -> tuple[str, str]:
    """Run a command whose standard output is a pipe and whose standard error is a terminal; return what went to each."""
    ours, theirs = pty.openpty()
    seen: list[bytes] = []

    def watch() -> None:
        # Linux reports the other end's closing as an error.
        while True:
            try:
                seen.append(os.read(ours, 4096))
            except OSError:
                return

    watching = threading.Thread(target=watch)
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        watching.start()
        out, _ = process.communicate(timeout=PATIENCE_S)
    watching.join(PATIENCE_S)
    os.close(ours)
    return out, b"".join(seen).decode()


@pytest.mark.parametrize("name", COUNTED)
def test_a_terminal_is_shown_how_far_it_is_and_a_program_what_it_always_was(name: str, folder: Path, kit: object) -> None:
    """Of so many, on standard error; standard output has the documents alone, the same as where nobody looks."""
    assert kit
    arguments, count = COUNTED[name]
    if name == "labelled":
        label = [sys.executable, "-m", "cameo_verifier.cli", "label", "--data", "data"]
        subprocess.run([*label, "first", "bona_fide"], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
        subprocess.run([*label, "second", "bona_fide"], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
    command = [sys.executable, "-m", "cameo_verifier.cli", *arguments]
    alone = subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=False, capture_output=True, text=True)
    out, shown = at_terminal(command, folder)
    assert f"{count}/{count}" in shown
    assert f"/{count}" not in alone.stderr
    assert "\x1b" not in alone.stderr
    documents, same = ([json.loads(line) for line in text.splitlines()] for text in (out, alone.stdout))
    for document in (*documents, *same):
        document.pop("made_at", None)
    assert documents == same
    assert bool(documents) == (name != "labelled")
