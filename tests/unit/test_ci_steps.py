"""What CI runs, with a command in the place of each step's own: a step that fails fails the run, and nothing of it is lost."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STEPS = {
    *("kit", "test", "demo", "lint-protos", "test-browser", "test-s3", "test-ray", "test-speechbrain", "test-python312"),
    *("test-postgresql", "test-protos", "test-pkcs11", "test-interop", "env-s3", "env-ray", "env-speechbrain", "env-python312"),
}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the steps alone."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    return tmp_path


def run(clone: Path, command: str, *given: str, **environment: str) -> tuple[int, str]:
    """Run CI with a command for each step, which is given its name; return the exit status and what was printed."""
    (clone / "step.sh").write_text(command)
    ran = subprocess.run(
        [clone / ".ci" / "run", "RUN=sh step.sh", *given],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return ran.returncode, ran.stdout


def test_all_steps_run_once_and_say_how_long_they_took(clone: Path) -> None:
    """None begins before what it waits for; the output of each stands together, and the table has every step."""
    status, printed = run(clone, 'echo "of $1"; sleep 0.1; echo "more of $1"')
    assert status == 0
    begun = re.findall(r"^(\S+) begins$", printed, re.MULTILINE)
    assert begun[0] == "kit"
    assert sorted(begun) == sorted(STEPS)
    assert {found[1] for found in re.finditer(r"^of (\S+)\nmore of \1$", printed, re.MULTILINE)} == STEPS
    ended = re.findall(r"^===== (\S+): exit status 0", printed, re.MULTILINE)
    assert ended.index("test") < min(ended.index(name) for name in STEPS if name.startswith("test-"))
    assert ended.index("test-browser") < ended.index("test-postgresql")
    table = printed.split("Where the time went")[1]
    assert set(re.findall(r"^\d+\t0\t(\S+)$", table, re.MULTILINE)) == STEPS


@pytest.mark.parametrize("failing", sorted(STEPS))
def test_a_step_that_fails_fails_the_run(clone: Path, failing: str) -> None:
    """Whatever runs beside it; its output and its exit status are there."""
    status, printed = run(clone, f'echo "of $1"; [ "$1" != {failing} ] || exit 3')
    assert status != 0
    assert f"===== {failing}: exit status 3" in printed
    assert f"of {failing}\n" in printed
    assert re.search(rf"^\d+\t3\t{failing}$", printed.split("Where the time went")[1], re.MULTILINE)


def test_a_step_that_hangs_is_aborted_and_says_where(clone: Path) -> None:
    """What it printed is there, and the stack of each thread of a Python process in it."""
    hanging = f'if [ "$1" = kit ]; then echo "of kit"; {sys.executable} -X faulthandler -c \'import time; time.sleep(3600)\'; fi'
    status, printed = run(clone, hanging, "LIMIT=10")
    assert status != 0
    assert "===== kit: exit status" in printed
    assert "of kit\n" in printed
    assert "Current thread" in printed
    assert "kit was aborted: it has 10 s" in printed


def test_a_run_that_takes_too_long_prints_what_its_steps_had(clone: Path) -> None:
    """Before whoever runs CI ends it without a word."""
    status, printed = run(clone, 'echo "of $1"; [ "$1" != kit ] || sleep 3600', CAMEO_CI_LIMIT="10")
    assert status != 0
    assert "===== kit: exit status" in printed
    assert "of kit\n" in printed
    assert "Where the time went" in printed


def test_the_makefile_has_every_step() -> None:
    """Each is one of its targets."""
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert targets >= STEPS
