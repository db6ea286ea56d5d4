"""A log that nobody reads: the server goes on, and says afterwards how much of it was lost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from tests.patience import PATIENCE_S
from tests.waiting import running

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
from verifier.server.serve import log_to_stderr
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
