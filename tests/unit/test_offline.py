"""The seccomp filter that refuses every socket: each test runs in processes of its own, since it cannot be removed."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import socket
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from cameo_verifier import offline
from cameo_verifier.workers.crew import Crew

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in offline._ARCHITECTURES, reason="seccomp is known here for Linux only"
)

_ARCHITECTURE = offline._ARCHITECTURES.get(platform.machine(), (0, 0, (0, 0, 0)))
_IO_URING_SETUP, _PIDFD_GETFD = 425, 438
# mov eax, 359 (socket); mov ebx, 2 (AF_INET); mov ecx, 1; xor edx, edx; int 0x80; ret, with ebx kept.
_OLD_GATE = bytes.fromhex("53 b867010000 bb02000000 b901000000 31d2 cd80 5b c3")


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return f"{type(error).__name__}"
    return "done"


def _call(number: int, *arguments: int) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    answer = libc.syscall(ctypes.c_long(number), *map(ctypes.c_ulong, arguments))
    return os.strerror(ctypes.get_errno()) if answer < 0 else "done"


def _old_gate() -> int:
    """Ask for a socket as a 32-bit program does; a filter that looks at the number alone would take it for another call."""
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(_OLD_GATE)
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))())


def _in_a_child() -> str:
    command = [sys.executable, "-c", "import socket; socket.socket()"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip().rpartition("\n")[2]


def _in_a_fork() -> int:
    child = os.fork()
    if child == 0:
        os._exit(0 if _outcome(socket.socket) == "done" else 7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _attack() -> dict[str, object]:
    """Try what code that runs in a worker could try to reach the network, and say what came of each."""
    own = _ARCHITECTURE[2]
    families = {family.name: _outcome(lambda family=family: socket.socket(family)) for family in socket.AddressFamily}
    return {
        "families": tuple(set(families.values())),
        "connection": _outcome(lambda: socket.create_connection(("127.0.0.1", 9), timeout=5)),
        "name": _outcome(lambda: socket.getaddrinfo("example.com", 443)),
        "io_uring": _call(_IO_URING_SETUP, 8, 0),
        "x32": _call(0x40000000 | own[0], socket.AF_INET, socket.SOCK_STREAM, 0),
        "ptrace": _call(own[1], 16, os.getppid(), 0, 0),
        "memory of the parent": _call(own[2], os.getppid(), 0, 0, 0, 0, 0),
        "a socket of the parent": _call(_PIDFD_GETFD, os.pidfd_open(os.getppid()), 0, 0),
        "child": _in_a_child(),
        "fork": _in_a_fork(),
    }


def _offline(function: Callable[[], object]) -> object:
    """Return what a function returns in a process that decodes for a command."""
    with Crew(_Calls(function)) as crew:
        ((_, answer),) = crew.each([()])
    return answer


@dataclass(frozen=True, slots=True)
class _Calls:
    function: Callable[[], object]

    def __call__(self) -> Callable[[object, object], object]:
        return lambda _job, _cancelled: self.function()


def test_nothing_that_runs_offline_gets_a_socket() -> None:
    """Not of any family, not past the call, not out of its parent, and not by a child."""
    refused = os.strerror(1)
    assert _offline(_attack) == {
        "families": ("PermissionError",),
        "connection": "PermissionError",
        "name": "gaierror",
        "io_uring": refused,
        "x32": refused,
        "ptrace": refused,
        "memory of the parent": refused,
        "a socket of the parent": refused,
        "child": "PermissionError: [Errno 1] Operation not permitted",
        "fork": 7,
    }


@pytest.mark.skipif(platform.machine() != "x86_64", reason="about the system calls of 32-bit programs on x86-64")
def test_the_calls_of_a_32_bit_program_are_refused() -> None:
    """Where the kernel runs such programs at all, the answer is that of the filter; otherwise the process ends."""
    script = "from tests.unit.test_offline import offline, _old_gate; offline.go_offline(); print(_old_gate())"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=_environment())
    assert ended.stdout.strip() == "-1" if ended.returncode == 0 else ended.returncode < 0, ended


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _a_thread_that_was_there() -> tuple[bool, bool, str]:
    asked, answers = threading.Event(), []

    def wait_and_try() -> None:
        asked.wait()
        answers.append(_outcome(socket.socket))

    thread = threading.Thread(target=wait_and_try)
    thread.start()
    once, again = offline.go_offline(), offline.go_offline()
    asked.set()
    thread.join()
    return once, again, answers[0]


def test_threads_that_were_there_are_offline_too() -> None:
    """The filter is put on every thread at once; asking again changes nothing."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(_a_thread_that_was_there).result() == (True, True, "PermissionError")


def _pipes() -> bytes:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.send(b"still there")
        return theirs.recv(11)


def test_what_processes_talk_through_stays() -> None:
    """A pair of connected sockets is no way out, and pipes are made of it."""
    assert _offline(_pipes) == b"still there"


def test_a_machine_that_cannot_is_said_to_the_operator(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A processor whose calls are not known here: false, one warning, and no exception."""
    monkeypatch.setattr(offline._Process, "filtered", False)
    monkeypatch.setattr(platform, "machine", lambda: "s390x")

    assert not offline.go_offline()
    assert caplog.messages == ["the kernel does not cut this process off from the network: not known how on linux s390x"]


def test_a_hidden_process_shows_others_nothing() -> None:
    """The kernel says so: not dumpable, which closes environment and memory to other processes of the user."""
    code = "import ctypes; from cameo_verifier import offline; offline.hide(); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
