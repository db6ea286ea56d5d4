"""An unread log: the server goes on, and reports afterwards how many lines were dropped."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.settings import Settings
from tests.conftest import ROOT
from tests.new_site import new_site
from tests.patience import PATIENCE_S
from tests.sources import PYTHONPATH
from tests.waiting import running

if TYPE_CHECKING:
    from pathlib import Path

_CHILD = """
import os
try:
    for _ in range(10_000):
        os.write(2, bytes(1_000))
except BlockingIOError:
    pass
"""
_TALKATIVE = """
import subprocess, sys
import structlog
from cameo_verifier.server.serve import log_to_stderr
log_to_stderr()
log = structlog.get_logger()
for number in range(20_000):
    log.info("call", number=number, text="x" * 100)
subprocess.run([sys.executable, "-c", CHILD], check=True)
print("through", flush=True)
sys.stdin.readline()
log.info("read again")
log.info("last")
"""


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_log_that_nobody_reads_loses_lines_and_holds_nobody_up(kind: str) -> None:
    """Lines are dropped and counted while the pipe is full, for Python and for its children; then they come again, whole."""
    ours, theirs = (end.detach() for end in socket.socketpair()) if kind == "socket" else os.pipe()
    with running(
        [sys.executable, "-c", _TALKATIVE.replace("CHILD", repr(_CHILD if kind == "pipe" else ""))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "through\n"
        os.set_blocking(ours, False)
        read = b""
        try:
            while piece := os.read(ours, 65536):
                read += piece
        except BlockingIOError:
            os.set_blocking(ours, True)
        process.stdin.write("\n")
        process.stdin.flush()
        while piece := os.read(ours, 65536):
            read += piece
        os.close(ours)
        assert process.wait(timeout=PATIENCE_S) == 0
    lines = [json.loads(line) for line in read.replace(b"\0", b"").decode().splitlines()]
    numbers = [line["number"] for line in lines if line["event"] == "call"]
    told = [line["lines"] for line in lines if "dropped" in line["event"]]
    assert numbers == list(range(len(numbers)))
    assert 0 < len(numbers) < 20_000
    assert sum(told) == 20_000 - len(numbers)
    assert [line["event"] for line in lines[-2:]] == ["read again", "last"]


def test_a_console_whose_log_nobody_reads_serves_all_the_same(tmp_path: Path) -> None:
    """It has more to say than a pipe holds before it listens; it says where it is nevertheless, and ends when it is told to."""
    settings = new_site(Settings(data=tmp_path / "data"))
    unknown = {f"CAMEO_{'NOT_OURS_' * 20}{number}": "1" for number in range(400)}
    environment = {**os.environ, **unknown, "PYTHONPATH": PYTHONPATH}
    command = [sys.executable, "-m", "cameo_verifier.cli", "console", "--listen", "127.0.0.1:0", "--data", str(settings.data)]
    unread, theirs = os.pipe()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, cwd=ROOT) as process:
        os.close(theirs)
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], PATIENCE_S)[0], "it waits for a reader of its log"
            assert process.stdout.readline().startswith(b"open http://127.0.0.1:")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE_S) == 0
        finally:
            process.kill()
            os.close(unread)
