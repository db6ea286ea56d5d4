"""A hanging test ends its process with every thread's traceback, is run once, and the others go on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
HOOKS = """
    import tests.hanging
    from tests.hanging import pytest_itemcollected, pytest_runtest_logreport
    from tests.hanging import pytest_runtest_teardown, pytest_xdist_make_scheduler
"""
SWALLOWS = """
    import asyncio, time

    async def test_hangs():
        loop = asyncio.get_running_loop()
        loop.call_soon(time.sleep, 600)
        await loop.create_future()
"""
IN_A_FIXTURE = """
    import threading
    import pytest

    @pytest.fixture
    def held():
        yield
        threading.Event().wait()

    def test_hangs(held):
        raise AssertionError("the ordinary failure")
"""
WAITS = """
    import asyncio

    async def test_waits():
        await asyncio.Event().wait()
"""
OTHERS = """
    def test_passes():
        pass

    def test_fails():
        assert [1] == [2]
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = ["asyncio_mode=auto", "faulthandler_timeout=6", "faulthandler_exit_on_timeout=true", f"pythonpath={ROOT}"]
    command = [sys.executable, "-m", "pytest", f"--rootdir={folder}", f"--basetemp={folder / 't'}", "-pno:cacheprovider"]
    return subprocess.run(
        [*command, *(part for each in options for part in ("-o", each)), *arguments, "test_one.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        # It is no worker of the session that this test is in.
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")},
    )


@pytest.mark.slow
@pytest.mark.parametrize(("hangs", "where"), [(SWALLOWS, "in run_forever"), (IN_A_FIXTURE, "in held")])
def test_a_test_that_hangs_ends(tmp_path: Path, hangs: str, where: str) -> None:
    """Neither an exception swallowed by asyncio nor a fixture that waits for ever after a failure keeps the run."""
    (tmp_path / "conftest.py").write_text(dedent(HOOKS))
    (tmp_path / "test_one.py").write_text(dedent(hangs + OTHERS))
    ran = run(tmp_path, "-n1", "--dist=loadfile", "--timeout=2")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert where in ran.stderr
    assert ran.stdout.count("replacing crashed worker") == 1
    assert "worker 'gw0' crashed while running 'test_one.py::test_hangs'" in ran.stdout
    assert "assert [1] == [2]" in ran.stdout
    assert "1 passed" in ran.stdout
    assert "failed: test_one.py::test_fails (call)" in ran.stderr
    assert ("the ordinary failure" in ran.stdout) == (hangs is IN_A_FIXTURE)


def test_what_an_asynchronous_test_waited_for_is_named(tmp_path: Path) -> None:
    """It fails where it waits, before any other guard ends it."""
    (tmp_path / "conftest.py").write_text(dedent(HOOKS) + "tests.hanging.BOUND_S = 0.1\n")
    (tmp_path / "test_one.py").write_text(dedent(WAITS + OTHERS))
    ran = run(tmp_path)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert ">       await asyncio.Event().wait()" in ran.stdout
    assert "2 failed, 1 passed" in ran.stdout
    assert ran.stderr.split("failed: ")[1:] == ["test_one.py::test_waits (call)\n\n", "test_one.py::test_fails (call)\n"]
